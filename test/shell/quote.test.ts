import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { q, quoteAll } from '../../src/shell/quote.ts';
import { runShell, shells } from '../support/shells.ts';

test.each([
  ['', "''"],
  ['plain', "'plain'"],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ["'", "\\'"],
  ['!', '\\!'],
  ['a\\b', "'a'\\\\'b'"],
  ['-rf', "'-rf'"],
  ['$(x) `y` ; & | < > * ? [ ] { } ~ # "', "'$(x) `y` ; & | < > * ? [ ] { } ~ # \"'"],
  ["!'\\", "\\!\\'\\\\"],
  ['a\nb\tc', "'a\nb\tc'"],
  ['Привет 🌍', "'Привет 🌍'"],
])('%j is written as %j', (text, quoted) => {
  expect(q(text)).toBe(quoted);
});

test('a NUL is refused: no argument can hold one', () => {
  expect(() => q('a\0b')).toThrow('a word cannot hold NUL');
});

const words = fc.array(
  fc.oneof(
    fc.stringMatching(/^[\x01-\x7f]{0,12}$/),
    fc.constantFrom(
      '',
      "'",
      '\\',
      '!',
      '!!',
      "\\'",
      '$HOME',
      '$(id)',
      '`id`',
      '-n',
      '--',
      '\n',
      '\r',
      'я🌍',
      '\x1b[31m',
      '%s',
      '~',
      '*',
      '{a,b}',
      '#',
    ),
  ),
  { minLength: 1, maxLength: 12 },
);

describe.each(shells)('$name', shell => {
  test('reads back exactly the words that were quoted', async () => {
    for (const sample of fc.sample(words, { numRuns: 25, seed: 42 })) {
      const ran = await runShell(shell, `exec /usr/bin/printf %s\\\\n ${quoteAll(sample.map(word => `<${word}>`))}`);
      expect(ran.stdout).toBe(sample.map(word => `<${word}>\n`).join(''));
    }
  });
});
