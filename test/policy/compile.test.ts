import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatProblem, InvalidFile } from '../../src/errors.ts';
import { compile, readUntried } from '../../src/policy/compile.ts';
import { BAD_DOCUMENTS } from './bad-documents.ts';

const problemsOf = (text: string): readonly string[] => {
  try {
    compile(text, 'p.json');
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    return error.problems.map(formatProblem);
  }
};

test.each(BAD_DOCUMENTS)('%s: every problem with its place', (_title, text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});

test('comments are allowed', () => {
  expect(problemsOf('// whole line\n{ "version": "1", /* here */ "default": "deny" } // end')).toEqual([]);
});

test('the digest is of the content: not of blanks, comments or the order of names, and nothing else is left out', () => {
  const digestOf = (text: string) => compile(text, 'p.json').digest;
  const digest = digestOf('{"version":"1","default":"deny","tools":{"ssh_exec":{},"ssh_status":{}}}');
  expect(digest).toBe('sha256:bd769ba69be53283282de2582257bb3b9c15fbb39dce89dffc9cd4961f5c96a0');
  expect(digestOf('{ "default": "deny", // x\n "tools": {"ssh_status":{}, "ssh_exec":{}}, "version": "1" }')).toBe(
    digest,
  );
  expect(digestOf('{"version":"1","default":"deny","tools":{"ssh_exec":{}}}')).not.toBe(digest);
  expect(
    digestOf('{"version":"1","default":"deny","description":"","tools":{"ssh_exec":{},"ssh_status":{}}}'),
  ).not.toBe(digest);
});

test('the names that may be used are the caller\u2019s', () => {
  const known = { tools: ['mine'], aliases: { yours: 'mine' } };
  const document = (name: string) => JSON.stringify({ version: '1', default: 'deny', tools: { [name]: {} } });
  expect(compile(document('mine'), 'p.json', known).rulesOf('mine').visible).toBe(true);
  expect(() => compile(document('yours'), 'p.json', known)).toThrow(
    'p.json:1:42 /tools/yours is not a tool of this server: use mine',
  );
  expect(() => compile(document('ssh_exec'), 'p.json', known)).toThrow(
    'p.json:1:42 /tools/ssh_exec is not a tool of this server; the tools are mine',
  );
});

test('a thousand rules that name a pack read it once', () => {
  const rules = Array.from({ length: 1000 }, (_, index) => ({
    id: `rule-${index}`,
    effect: 'allow',
    hosts: [`host-${index}`],
    commands: ['@git-read(/srv/app)', `program-${index % 10} <name>`],
  }));
  const compiled = readUntried(JSON.stringify({ version: '1', default: 'allow', rules }), 'p.json').rules;
  const patterns = compiled.map(({ commands }) =>
    typeof commands === 'object' ? commands.entries.map(({ pattern }) => pattern) : [],
  );
  const [first = []] = patterns;
  expect(first.length).toBeGreaterThan(10);
  expect(new Set(patterns.flat()).size).toBe(first.length - 1 + 10);
  expect(new Set(compiled.map(({ commands }) => commands)).size).toBe(10);
});

test('a document that is far too large or deep is refused, and quickly', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  expect(problemsOf(' '.repeat(1024 * 1024 + 1))).toEqual(['p.json:1:1 / is larger than 1048576 bytes']);
  expect(problemsOf(deep(200_000))).toEqual(['p.json:1:1 / lies deeper than 64 levels']);
  expect(problemsOf(deep(66))).toEqual([`p.json:1:65 ${'/0'.repeat(64)} lies deeper than 64 levels`]);
  expect(problemsOf('[},'.repeat(200_000))).toEqual(['p.json:1:1 / lies deeper than 64 levels']);
});

test('whatever becomes of its text, a document loads or is refused with places inside it', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'policy.example.json'), 'utf8');
  const lines = text.split('\n').length;
  const slip = fc.record({
    at: fc.nat(text.length),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '-1', 'null', '/*', '//', '\u0000'),
      fc.string(),
    ),
  });
  fc.assert(
    fc.property(fc.array(slip, { minLength: 1, maxLength: 4 }), slips => {
      const mutant = slips.reduce((all, { at, cut, put }) => all.slice(0, at) + put + all.slice(at + cut), text);
      try {
        expect(compile(mutant, 'p.json').digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      } catch (error) {
        if (!(error instanceof InvalidFile)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
        for (const { line, column, message } of error.problems) {
          expect(line >= 1 && line <= lines + 20 && column >= 1).toBe(true);
          expect(message.length).toBeGreaterThan(0);
        }
      }
    }),
    { numRuns: 200 },
  );
});
