import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/errors.ts';
import { pointerOf, readJson } from '../../src/text/json-source.ts';

const read = (text: string) => {
  const { value, readable, problems } = readJson(text, 'f');
  return { value, readable, problems: problems.map(formatProblem) };
};

test('plain JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), text => {
      fc.pre(!text.includes('__proto__'));
      expect(read(text)).toEqual({ value: JSON.parse(text), readable: true, problems: [] });
    }),
    { numRuns: 500 },
  );
});

test('comments and a byte order mark are passed over', () => {
  expect(read('\uFEFF{ // one\n "a": /* two */ [1, 2] }\r\n// three')).toEqual({
    value: { a: [1, 2] },
    readable: true,
    problems: [],
  });
});

describe('a text that is not JSON', () => {
  test.each<[string, readonly string[]]>([
    ['', ['f:1:1 / a value is missing here']],
    ['// nothing', ['f:1:11 / a value is missing here']],
    [
      '{ a: 1 }',
      ['f:1:3 / is not JSON: texts and names stand in double quotes, only numbers, true, false and null stand bare'],
    ],
    [
      "{ 'a': 1 }",
      ['f:1:3 / is not JSON: texts and names stand in double quotes, only numbers, true, false and null stand bare'],
    ],
    ['{ "a" 1 }', ['f:1:7 / a colon is missing here']],
    ['{ "a": 1 "b": 2,\n "c": }', ['f:1:10 / a comma is missing before this', 'f:2:7 / a value is missing here']],
    ['[1, 2', ['f:1:6 / a closing ] is missing']],
    ['{ "a": [1, 2 }', ['f:1:14 / a comma is missing before this']],
    ['{ "a": "x\n" }', ['f:1:8 / a text is not closed on its line']],
    ['{ "a": "\\q" }', ['f:1:8 / an unknown escape: JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000']],
    ['{ "a": "\\u12" }', ['f:1:8 / a \\u escape needs four hexadecimal digits']],
    ['{ "a": "\t" }', ['f:1:8 / a control character must be written as an escape']],
    ['{ "a": 1. }', ['f:1:8 / a number is not complete']],
    ['{ "a": 01 }', ['f:1:9 / a comma is missing before this']],
    [
      '{ "a": NaN }',
      ['f:1:8 / is not JSON: texts and names stand in double quotes, only numbers, true, false and null stand bare'],
    ],
    ['{} /* open', ['f:1:4 / a comment is not closed']],
    ['{} {}', ['f:1:4 / something follows the end of the document']],
    ['{}\r\n]', ['f:2:1 / something follows the end of the document']],
    [
      '"\u2028" x',
      ['f:1:5 / is not JSON: texts and names stand in double quotes, only numbers, true, false and null stand bare'],
    ],
  ])('%j is not readable, and says why', (text, problems) => {
    expect(read(text)).toMatchObject({ readable: false, problems });
  });
});

describe('what readers of JSON disagree on is a problem, and the rest can still be judged', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['{ "a": 1, "b": 2, "a": 3 }', { a: 3, b: 2 }, ['f:1:19 /a "a" is written twice in one object']],
    ['{ "a": 1, "\\u0061": 2 }', { a: 2 }, ['f:1:11 /a "a" is written twice in one object']],
    ['[{ "x/y": 1, "x/y": 1 }]', [{ 'x/y': 1 }], ['f:1:14 /0/x~1y "x/y" is written twice in one object']],
    ['{ "toString": 1 }', { toString: 1 }, []],
    ['{ "__proto__": { "a": 1 } }', {}, ['f:1:3 /__proto__ is a name that no file may use']],
    ['{ "a": -1e999 }', { a: 0 }, ['f:1:8 /a is too large for a number']],
    [
      '[1, [2,], // x,\n]',
      [1, [2]],
      ['f:1:7 /1 has a comma after its last element', 'f:1:9 / has a comma after its last element'],
    ],
    ['{ "a": "," /* , */ }', { a: ',' }, []],
  ])('%s', (text, value, problems) => {
    expect(read(text)).toEqual({ value, readable: true, problems });
  });
});

test('a prototype is out of reach', () => {
  const { value } = readJson('{ "__proto__": { "admin": true }, "constructor": { "prototype": {} } }', 'f');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(JSON.stringify(value)).toBe('{"constructor":{"prototype":{}}}');
});

test('depth and size have a limit, and reach it quickly', () => {
  const nested = (levels: number) => `${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`;
  expect(read(nested(32)).readable).toBe(true);
  expect(read(nested(33))).toMatchObject({
    readable: false,
    problems: [`f:1:193 ${'/0/a'.repeat(32)} lies deeper than 64 levels`],
  });
  for (const text of ['['.repeat(500_000), '{"a":'.repeat(200_000), '[},'.repeat(300_000)])
    expect(read(text)).toMatchObject({ readable: false, problems: ['f:1:1 / lies deeper than 64 levels'] });
  expect(read(`"${'é'.repeat(600_000)}"`).problems).toEqual(['f:1:1 / is larger than 1048576 bytes']);
});

describe('everything has its place', () => {
  const source = readJson('{\n  "a": [10, { "b": "x" }],\r  "c/d": {},\r\n\t"a~": true\n}', 'f');
  test.each([
    [[], 'value', 1, 1, ''],
    [['a'], 'value', 2, 8, '/a'],
    [['a'], 'name', 2, 3, '/a'],
    [['a', 0], 'value', 2, 9, '/a/0'],
    [['a', 1, 'b'], 'value', 2, 20, '/a/1/b'],
    [['a', 1, 'b'], 'name', 2, 15, '/a/1/b'],
    [['c/d'], 'value', 3, 10, '/c~1d'],
    [['a~'], 'name', 4, 2, '/a~0'],
    [['a', 7], 'value', 2, 8, '/a/7'],
    [['a', 1, 'none'], 'value', 2, 13, '/a/1/none'],
    [['none', 'at', 'all'], 'name', 1, 1, '/none/at/all'],
    [['a', 1, 'b', 'c'], 'value', 2, 20, '/a/1/b/c'],
  ] as const)('%j (%s)', (path, part, line, column, pointer) => {
    expect(source.problem(path, 'm', part)).toEqual({ file: 'f', line, column, pointer, message: 'm' });
    expect(source.locate(path, part)).toEqual({ line, column });
  });

  test('the pointer of a path is RFC 6901', () => {
    expect(pointerOf(['a/b', 'c~d', 0, ''])).toBe('/a~1b/c~0d/0/');
  });
});

test('commas of a list are not taken for one behind it, however many comments stand before', () => {
  const text = `{\n${'  // a comment\n'.repeat(9)}  "x": [[1, 2], [3, 4]] // and one more, with a comma\n}`;
  expect(readJson(text, 'f.json').problems).toEqual([]);
});
