import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { judge, NAMES, openBook } from './judge.ts';

type Lines = { readonly attacks: readonly string[]; readonly honest: readonly string[] };

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const linesOf = (name: string): Lines => JSON.parse(read(`fresh/${name}.json`));
const forms: readonly string[] = JSON.parse(read('fresh/forms.json'));

const example = { policy: compile(read('../../../policy.example.json'), 'policy.example.json'), tests: [] };

const refusedOf = (book: typeof example, lines: readonly string[]): readonly string[] =>
  lines.map(line => `${judge(book, line)} ${line}`).filter(answer => !answer.startsWith('allow '));

const allowedOf = (book: typeof example, lines: readonly string[]): readonly string[] =>
  lines.filter(line => judge(book, line) === 'allow');

describe.each(NAMES)('%s', name => {
  const book = { policy: openBook(name).policy, tests: [] };
  const { attacks, honest } = linesOf(name);

  test('runs none of the attacks', () => expect(allowedOf(book, attacks)).toEqual([]));
  test('runs every honest line', () => expect(refusedOf(book, honest)).toEqual([]));
});

describe('the example document', () => {
  const { attacks, honest } = linesOf('example');

  test('runs none of the attacks unattended', () => expect(allowedOf(example, attacks)).toEqual([]));
  test('runs what finds out what is wrong with a host', () => expect(refusedOf(example, honest)).toEqual([]));
});

test('nothing is added to the one command of a policy that grants it alone', () => {
  const book = { policy: openBook('exact-uptime').policy, tests: [] };
  expect(
    allowedOf(
      book,
      forms.map(form => form.replace('{}', 'uptime')),
    ),
  ).toEqual([]);
});
