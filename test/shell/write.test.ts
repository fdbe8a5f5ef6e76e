import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromArgv } from '../../src/shell/argv.ts';
import { read } from '../../src/shell/read.ts';
import { CONSTRUCTS, type Part, type Redirect, type Script, type Simple, type Word } from '../../src/shell/script.ts';
import { write } from '../../src/shell/write.ts';
import { sent } from './sent.ts';

const literal = (text: string) => ({ whole: true, text, at: 0 }) as const;
const script = (...words: readonly [string, ...string[]]): Script => {
  const [name, ...rest] = words;
  return {
    pipelines: [{ join: ';', commands: [{ words: [literal(name), ...rest.map(literal)], redirects: [] }] }],
  };
};

test('a text is handed on to a known shell in its canonical form, quoted once more', () => {
  expect(sent(write(script('echo', "it's", '!')))).toBe(
    "exec /usr/bin/env SALLYPORT_ID=0101010101010101.0101010101010101 /bin/sh -c \\''echo'\\'' '\\''it'\\'\\\\\\'\\''s'\\'' '\\\\\\!",
  );
});

test.each([
  ['a newline', 'a\nb', 'a word cannot hold a newline'],
  ['NUL', 'a\0b', 'a word cannot hold NUL'],
])('a word with %s cannot be written', (_, text, message) => {
  expect(() => write(script('echo', text))).toThrow(message);
});

test('a vector is one command whose words are taken as they are', () => {
  expect(fromArgv(['grep', '-e', '$x', "it's", '*', ''])).toEqual({
    kind: 'known',
    script: {
      pipelines: [
        {
          join: ';',
          commands: [
            {
              words: ['grep', '-e', '$x', "it's", '*', ''].map((text, at) => ({ whole: true, text, at })),
              redirects: [],
            },
          ],
        },
      ],
    },
  });
});

test.each([
  [['a', 'b\nc'], 'a newline inside a word', 1],
  [['a', 'b', '\0'], 'a control character', 2],
  [['a', '\x1b[2K'], 'a control character', 1],
  [['a', '\u202e'], 'an invisible or unassigned character', 1],
  [[''], 'a command name of this form', 0],
  [['-x'], 'a command name of this form', 0],
  [['x=1', 'a'], 'an assignment', 0],
  [['!', 'a'], 'an exclamation mark', 0],
  [['a', 'b'.repeat(65_536)], 'a text that is too long', 0],
  [Array.from({ length: 1025 }, () => 'a'), 'a text that is too long', 0],
] as const)('the vector %j is unknown: %s', ([name, ...rest], construct, at) => {
  expect(fromArgv([name, ...rest])).toEqual({
    kind: 'unknown',
    construct,
    hint: CONSTRUCTS[construct],
    at,
    line: 1,
    column: at + 1,
    guess: [[name, ...rest].map(text => ({ text, whole: true }))],
  });
});

const character = fc.oneof(
  fc.constantFrom(...'\'"\\!$`*?[]{}()<>|&;#~= \t-ab'),
  fc.constantFrom('é', '日', '🌍'),
  fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)),
);
const text = fc.string({ unit: character, maxLength: 8 });
const name = fc
  .oneof(fc.constantFrom('ls', 'if', '{', '}', '[', 'a b', '*', '~'), text)
  .filter(one => read(write(script(one || 'x'))).kind === 'known' && one !== '');
const word = text.map(literal);
const part = fc.oneof(
  fc.constantFrom<Part>({ kind: 'one' }, { kind: 'set', text: '[a-z]' }, { kind: 'set', text: '[!x0-9_]' }),
  text.filter(one => one !== '').map((one): Part => ({ kind: 'literal', text: one })),
);
/** As the reader builds them: no two literals side by side, and at least one pattern. */
const glob = fc
  .tuple(fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 3 }))
  .map(([before, after]): Word => {
    const all: readonly Part[] = [...before, { kind: 'many' }, ...after];
    const parts = all.filter((one, at) => one.kind !== 'literal' || all[at - 1]?.kind !== 'literal');
    const [first = { kind: 'many' } as const, ...rest] = parts;
    return { whole: false, text: first.kind === 'literal' ? first.text : '', parts: [first, ...rest], at: 0 };
  });
const fd = fc.constantFrom<1 | 2>(1, 2);
const at = fc.constant(0);
const target = text.filter(one => one !== '').map(literal);
const redirect = fc.oneof(
  fc.record({ op: fc.constant('<' as const), fd: fc.constant(0 as const), target, at }),
  fc.record({ op: fc.constantFrom<'>' | '>>'>('>', '>>'), fd, target, at }),
  fc.record({ op: fc.constant('dup' as const), fd, target: fd, at }),
);
const simple = fc
  .tuple(
    name.map(literal),
    fc.array(fc.oneof(word, word, glob), { maxLength: 5 }),
    fc.array(redirect, { maxLength: 3 }),
  )
  .map(([first, rest, redirects]): Simple => ({ words: [first, ...rest], redirects }));
const pipeline = fc.record({
  join: fc.constantFrom<';' | '&&' | '||'>(';', '&&', '||'),
  commands: fc.tuple(simple, fc.array(simple, { maxLength: 2 })).map(([first, rest]) => [first, ...rest] as const),
});
const scripts = fc
  .tuple(pipeline, fc.array(pipeline, { maxLength: 3 }))
  .map(([first, rest]): Script => ({ pipelines: [{ ...first, join: ';' }, ...rest] }));

const withoutPlaces = (value: unknown): string => JSON.stringify(value, (key, one) => (key === 'at' ? undefined : one));

test('what is written is read back as the same script, whatever its words', () => {
  fc.assert(
    fc.property(scripts, original => {
      const back = read(write(original));
      expect(back.kind === 'known' ? withoutPlaces(back.script) : back).toBe(withoutPlaces(original));
    }),
    { numRuns: 2000 },
  );
});

test('a redirection of each kind is written with its descriptor', () => {
  const redirects: readonly Redirect[] = [
    { op: '<', fd: 0, target: literal('a'), at: 0 },
    { op: '>', fd: 1, target: literal('b c'), at: 0 },
    { op: '>>', fd: 2, target: literal("d'"), at: 0 },
    { op: 'dup', fd: 2, target: 1, at: 0 },
  ];
  expect(write({ pipelines: [{ join: ';', commands: [{ words: [literal('x')], redirects }] }] })).toBe(
    "'x' 0<'a' 1>'b c' 2>>'d'\\' 2>&1",
  );
});
