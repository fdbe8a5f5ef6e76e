import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Safe } from '../../src/text/safe.ts';

const binary = (bytes: Uint8Array, cuts: readonly number[] = []): boolean => {
  const safe = new Safe();
  const ends = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  for (const [index, end] of [...ends, bytes.length].entries()) safe.push(bytes.subarray(ends[index - 1] ?? 0, end));
  safe.end();
  return safe.binary;
};

const text = Buffer.from('A line of a log, as there are many.\n'.repeat(1000));
const some = Buffer.alloc(300);
const elf = Buffer.from(`7f454c46020101${'00'.repeat(9)}03003e0001000000`, 'hex');

describe('what a stream is', () => {
  test.each<[string, Uint8Array, boolean]>([
    ['nothing', Buffer.alloc(0), false],
    ['a log', text, false],
    ['Russian', Buffer.from('Привет, мир\n'.repeat(900)), false],
    ['replacement characters that somebody wrote', Buffer.from('\ufffd'.repeat(5000)), false],
    ['colours', Buffer.from('\x1b[31mred\x1b[0m\n'.repeat(900)), false],
    ['French in Latin-1', Buffer.from("L'été où tout a changé, à Noël\n".repeat(300), 'latin1'), true],
    ['English in Latin-1', Buffer.from('The café is closed until further notice.\n'.repeat(300), 'latin1'), false],
    ['Russian in KOI8-R', Buffer.from('f0d2c9d7c5d42c20cdc9d20a'.repeat(300), 'hex'), true],
    ['UTF-16', Buffer.from('A line\n'.repeat(900), 'utf16le'), true],
    ['names that are ended by NUL', Buffer.from('./a/file/of/some/name.txt\0'.repeat(500)), false],
    ['one NUL', Buffer.from([0]), true],
    ['a program', elf, true],
    ['zeros', Buffer.alloc(100_000), true],
    ['a log with one bad line', Buffer.concat([text, Buffer.alloc(200), text]), false],
    ['a log with a program in it', Buffer.concat([text, Buffer.alloc(9000), text, text]), true],
    ['a log with a cut character at its end', Buffer.concat([text, Buffer.from([0xe2, 0x82])]), false],
    ['NULs on both sides of a block', Buffer.concat([text.subarray(0, 3696), Buffer.alloc(700)]), true],
    [
      'NULs in blocks that do not touch',
      Buffer.concat([some, text.subarray(0, 3796), some, text.subarray(0, 7892), some]),
      false,
    ],
    ['a program behind a script', Buffer.concat([text, Buffer.alloc(3000)]), true],
  ])('%s: %#', (_what, bytes, is) => {
    expect(binary(bytes)).toBe(is);
    expect(binary(bytes, [1, 4095, 4096, 4097, 8192])).toBe(is);
  });

  test('is known while it comes, and does not depend on where its chunks are cut', () => {
    const odd = fc.constantFrom(Buffer.alloc(500), Buffer.alloc(5000), Buffer.from('\xe9 '.repeat(600), 'latin1'));
    const plain = fc.constantFrom(Buffer.from('x'), text.subarray(0, 3000), text.subarray(0, 9000), Buffer.from('я'));
    const stream = fc.array(fc.oneof(odd, plain), { maxLength: 8 }).map(parts => Buffer.concat(parts));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(60_000), { maxLength: 12 }), (bytes, cuts) => {
        expect(binary(bytes, cuts)).toBe(binary(bytes));
      }),
      { numRuns: 500 },
    );
  });
});
