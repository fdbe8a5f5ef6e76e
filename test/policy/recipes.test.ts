import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { lint } from '../../src/policy/lint.ts';

const FILE = 'docs/recipes.md';
const PAGE = readFileSync(join(import.meta.dirname, '..', '..', FILE), 'utf8');

/** Every document of the page, under the heading that it stands below. */
const RECIPES = PAGE.split(/^## /m)
  .slice(1)
  .flatMap(section =>
    [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => ({
      title: section.slice(0, section.indexOf('\n')),
      text,
    })),
  );

test('there is one document under each heading, and none elsewhere', () => {
  expect(RECIPES.map(({ title }) => title)).toEqual([
    'A read-only fleet',
    'A deploy user',
    'Approval for production',
    'A freeze window',
    'A one-command key',
    'Staging hosts that an agent manages',
  ]);
  expect(PAGE.match(/```json/g)?.length).toBe(RECIPES.length);
});

describe.each(RECIPES)('$title', ({ text }) => {
  test('loads, with its examples and tests', () => {
    expect(compile(text, FILE).digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('has tests that allow and tests that do not', () => {
    const { tests }: { tests: readonly { expect: string }[] } = JSON.parse(text);
    expect(tests.some(one => one.expect === 'allow')).toBe(true);
    expect(tests.some(one => one.expect !== 'allow')).toBe(true);
  });

  test('gives nothing to warn about', () => {
    expect(lint(text, FILE)).toEqual([]);
  });
});
