import { expect, test } from 'vitest';
import { isPart, keyOfPart, nameFault, staysInside } from '../../../../src/ssh/transfer/tree/names.ts';

const TARGETS: readonly (readonly [target: string, depth: number, inside: boolean])[] = [
  ['x', 0, true],
  ['a/b/c', 0, true],
  ['./a//b/', 0, true],
  ['..', 1, true],
  ['../x', 1, true],
  ['../../a/x', 2, true],
  ['.', 0, true],
  ['..', 0, false],
  ['../x', 0, false],
  ['../../x', 1, false],
  ['a/..', 0, false],
  ['a/../../x', 5, false],
  ['../a/../..', 5, false],
  ['/x', 5, false],
  ['', 5, false],
  ['a\nb', 5, false],
  ['a\u009bb', 5, false],
  ['a'.repeat(4_097), 5, false],
];

for (const [target, depth, inside] of TARGETS)
  test(`a link to ${JSON.stringify(target.slice(0, 20))}, ${depth} folders deep, ${inside ? 'stays' : 'may not stay'} inside`, () => {
    expect(staysInside(target, depth)).toBe(inside);
  });

test('names that no file can have, with control characters, or too long, are faults, and all others are names', () => {
  const bad = ['', '.', '..', 'a/b', 'a\0', 'a\n', '\u007f', '\u0085', 'é'.repeat(128), 'a'.repeat(256)];
  expect(bad.map(name => nameFault(name, name)?.code)).toEqual(bad.map(() => 'FILE_FAILED'));
  const good = ['...', ' ', '-rf', '*', '\\', '"', 'é'.repeat(127), '\udc80\udcff', '\u202e', '😀', '~'];
  expect(good.map(name => nameFault(name, name))).toEqual(good.map(() => undefined));
  expect(nameFault('x', `${'a/'.repeat(2_048)}x`)?.code).toBe('FILE_FAILED');
});

test('a part is known by its name, and tells its key', () => {
  const part = '.a b.sallyport-0123456789abcdef-01234567.part';
  expect([isPart(part), keyOfPart(part)]).toEqual([true, '0123456789abcdef']);
  const others = ['a.sallyport-0123456789abcdef-01234567.part', `${part}x`, '.a.sallyport-0123-01234567.part'];
  expect(others.map(name => [isPart(name), keyOfPart(name)])).toEqual(others.map(() => [false, '']));
});
