import { expect, test } from 'vitest';
import { z } from 'zod';
import { formatProblem } from '../../src/errors.ts';
import { readJson } from '../../src/text/json-source.ts';
import { check, strict } from '../../src/text/schema-problems.ts';

const SCHEMA = strict({
  name: z.string().min(1).max(5),
  size: z.int().min(1).max(9).optional(),
  kind: z.enum(['one', 'two', 'three']).optional(),
  flag: z.boolean().optional(),
  list: z
    .array(z.union([strict({ path: z.string(), op: z.string() }), strict({ all: z.array(z.string()) })]))
    .optional(),
  map: z.record(z.string().regex(/^[a-z]+$/, 'must be small letters'), z.number()).optional(),
});

const problemsOf = (text: string): readonly string[] => {
  const checked = check(readJson(text, 'f'), SCHEMA);
  return 'problems' in checked ? checked.problems.map(formatProblem) : [];
};

test('a sound value comes out as the schema makes it', () => {
  expect(check(readJson('{ "name": "a", "map": { "b": 1 } }', 'f'), SCHEMA)).toEqual({
    value: { name: 'a', map: { b: 1 } },
  });
});

test.each<[string, readonly string[]]>([
  ['5', ['f:1:1 / must be an object, and is 5']],
  ['{}', ['f:1:1 /name is missing; it must be a text']],
  ['{ "name": 5 }', ['f:1:11 /name must be a text, and is 5']],
  ['{ "name": "" }', ['f:1:11 /name must not be empty']],
  ['{ "name": "abcdef" }', ['f:1:11 /name must be at most 5 characters long']],
  ['{ "name": "a", "size": 1.5 }', ['f:1:24 /size must be a whole number, and is 1.5']],
  ['{ "name": "a", "size": 0 }', ['f:1:24 /size must be at least 1']],
  ['{ "name": "a", "size": 10 }', ['f:1:24 /size must be at most 9']],
  [
    '{ "name": "a", "kind": "thre" }',
    ['f:1:24 /kind must be one of "one", "two", "three", and is "thre"; did you mean "three"?'],
  ],
  ['{ "name": "a", "flag": null }', ['f:1:24 /flag must be true or false, and is null']],
  [
    '{ "name": [], "flag": {} }',
    ['f:1:11 /name must be a text, and is a list', 'f:1:23 /flag must be true or false, and is an object'],
  ],
  [
    '{ "nmae": "a", "zzz": 1 }',
    [
      'f:1:1 /name is missing; it must be a text',
      'f:1:3 /nmae is not a known name; did you mean "name"?',
      'f:1:16 /zzz is not a known name; known here: name, size, kind, flag, list, map',
    ],
  ],
  [
    '{ "name": "a", "map": { "B": 1, "c": "x" } }',
    ['f:1:25 /map/B must be small letters', 'f:1:38 /map/c must be a number, and is "x"'],
  ],
  [`{ "name": "${'a'.repeat(80)}" }`, ['f:1:11 /name must be at most 5 characters long']],
  [`{ "name": "a", "flag": "${'a'.repeat(80)}" }`, [`f:1:24 /flag must be true or false, and is "${'a'.repeat(59)}…`]],
])('%s', (text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});

test.each<[string, readonly string[]]>([
  ['{ "path": "a" }', ['f:1:25 /list/0/op is missing; it must be a text']],
  [
    '{ "path": "a", "op": 5, "opp": 1 }',
    ['f:1:46 /list/0/op must be a text, and is 5', 'f:1:49 /list/0/opp is not a known name; did you mean "op"?'],
  ],
  [
    '{ "all": [1, 2, 3, 4] }',
    [1, 2, 3, 4].map((n, index) => `f:1:${35 + 3 * index} /list/0/all/${index} must be a text, and is ${n}`),
  ],
  ['"x"', ['f:1:25 /list/0 must be an object, and is "x"']],
])('of several forms, %s is held against the one that it looks like', (text, problems) => {
  expect(problemsOf(`{ "name": "a", "list": [${text}] }`)).toEqual(problems);
});
