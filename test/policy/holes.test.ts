import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judge, NAMES, openBook } from './holes/judge.ts';

type Line = { readonly id: string; readonly policy: string; readonly command: string };

const lines = (name: string): readonly Line[] =>
  readFileSync(new URL(`holes/corpus/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));

const attacks = lines('attacks');
const benign = lines('benign');

describe.each(NAMES)('%s', name => {
  const book = openBook(name);
  const of = (all: readonly Line[]): readonly Line[] => all.filter(({ policy }) => policy === name);

  test('runs none of the attacks', () => {
    expect(of(attacks).filter(({ command }) => judge(book, command) === 'allow')).toEqual([]);
  });

  test('runs every benign line', () => {
    const refused = of(benign).map(({ command }) => ({ command, answer: judge(book, command) }));
    expect(refused.filter(({ answer }) => answer !== 'allow')).toEqual([]);
  });

  test('decides its own tests', () => {
    const decided = book.tests.map(({ args }) => ({
      ...args,
      expect: judge(book, args.command) === 'allow' ? 'allow' : 'deny',
    }));
    expect(decided).toEqual(book.tests.map(({ args, expect }) => ({ ...args, expect })));
  });
});

test('no line of the corpus is left out', () => {
  const known = new Set(NAMES);
  expect([...attacks, ...benign].filter(({ policy }) => !known.has(policy))).toEqual([]);
});
