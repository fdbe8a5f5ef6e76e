import { expect, test } from 'vitest';
import { read } from '../../src/shell/read.ts';
import { reachOfText } from '../../src/shell/unwrap.ts';

/** Texts of about so many bytes, each built to make some part of a reader look twice. */
const HOSTILE: readonly (readonly [string, (size: number) => string])[] = [
  ['one word', size => 'a'.repeat(size)],
  ['words', size => 'a '.repeat(size / 2)],
  ['escapes in double quotes', size => `"${'\\$'.repeat(size / 2 - 1)}"`],
  ['quotes', size => `'a'"b"`.repeat(size / 6)],
  ['an open quote', size => `a "${'b'.repeat(size - 3)}`],
  ['tildes', size => 'x~'.repeat(size / 2)],
  ['sets', size => `a ${'[a]'.repeat(size / 3 - 1)}`],
  ['open brackets', size => `a ${'['.repeat(size - 2)}`],
  ['an open set', size => `a [${'b'.repeat(size - 3)}`],
  ['stars', size => `a ${'*b'.repeat(size / 2 - 1)}`],
  ['numbers that could be a pattern', size => `a ${'<1'.repeat(size / 2 - 1)}`],
  ['continued lines', size => ' \\\n'.repeat(size / 3)],
  ['a word over many lines', size => 'a\\\n'.repeat(size / 3)],
  ['blank lines', size => '\n'.repeat(size)],
  ['comments', size => '#\n'.repeat(size / 2)],
  ['substitutions', size => '$('.repeat(size / 2)],
  ['substitutions in quotes', size => '"$('.repeat(size / 3)],
  ['backquotes', size => '`'.repeat(size)],
  ['braces', size => '{ '.repeat(size / 2)],
  ['operators', size => 'a&&'.repeat(size / 3)],
  ['redirections', size => '>f '.repeat(size / 3)],
  ['control characters', size => '\x01'.repeat(size)],
  ['a late surprise', size => `${'x'.repeat(size - 1)}\u200b`],
  ['letters outside ASCII', size => `'${'é'.repeat(size / 2 - 1)}'`],
  ['wrappers', size => `docker ${'sh -c '.repeat(400)}${'x'.repeat(size - 2407)}`],
];

const bestMs = (text: string): number =>
  Math.min(
    ...Array.from({ length: 7 }, () => {
      const start = process.cpuUsage();
      reachOfText(read(text));
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    }),
  );

test.each(HOSTILE)('64 KiB of %s cost about four times what a quarter of them costs', (_, text) => {
  const quarter = bestMs(text(16_380));
  const whole = bestMs(text(65_520));
  // What is quadratic costs sixteen times as much; the floor is what a busy machine adds to a small number.
  expect(whole).toBeLessThan(Math.max(9 * quarter, 25));
});
