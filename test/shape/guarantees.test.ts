import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sources } from './source.ts';

const PAGE = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8');

const promised = (letter: 'G' | 'N'): readonly string[] =>
  [...PAGE.matchAll(new RegExp(`^- \\*\\*(${letter}\\d+)\\.`, 'gm'))].map(([, number = '']) => number);

/** Numbers that stand in brackets at the end of a title. */
const citedIn = (text: string): readonly string[] =>
  [...text.matchAll(/ (\[[GN]\d+\](?: \[[GN]\d+\])*)['"`],/g)].flatMap(([, all = '']) =>
    all.split(' ').map(one => one.slice(1, -1)),
  );

const cited = sources('test')
  .filter(({ path }) => path.endsWith('.test.ts') && path !== 'test/shape/guarantees.test.ts')
  .flatMap(({ path, text }) => citedIn(text).map(number => ({ path, number })));

test.each(['G', 'N'] as const)('the %s numbers count up from 1, each once', letter => {
  const numbers = promised(letter);
  expect(numbers.length).toBeGreaterThan(9);
  expect(numbers).toEqual(numbers.map((_, index) => `${letter}${index + 1}`));
});

test('every promise is cited by a test', () => {
  const found = new Set(cited.map(({ number }) => number));
  expect(promised('G').filter(number => !found.has(number))).toEqual([]);
});

test('no test cites a promise that is not there', () => {
  const known = new Set([...promised('G'), ...promised('N')]);
  expect(cited.filter(({ number }) => !known.has(number))).toEqual([]);
});

test('the page refers to no number that is not there', () => {
  const known = new Set([...promised('G'), ...promised('N')]);
  expect([...PAGE.matchAll(/\b[GN]\d+\b/g)].map(([number]) => number).filter(number => !known.has(number))).toEqual([]);
});

test('a number is found at the end of a title, and nowhere else', () => {
  expect(citedIn("test('holds [G1] [N2]', () => {\n  expect(a[G3]).toBe('b [G4] c', 1);")).toEqual(['G1', 'N2']);
});
