import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginning, decode, encode } from '../../src/audit/line.ts';
import { isHidden } from '../../src/text/hidden.ts';
import { admitted } from './records.ts';

const key = createSecretKey(Buffer.alloc(32, 7));
const start = beginning(key, 'a.jsonl');
const lineOf = (command: string): string => encode(key, start, { record: admitted(1, command), at: 0 }).line;

const commandIn = (line: string): unknown => JSON.parse(line).action.command;

/** Text that has been used to break out of a line, a terminal, or a reader's eye. */
const HOSTILE = [
  'a\nb',
  'a\r\n{"event":"admitted"}',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\u0000\u007f\u0085',
  '\u2028\u2029',
  '\u202e\u2066\u061c',
  '\u200b\u200d\ufeff\u00ad',
  '\u{e0041}\u{e007f}',
  '\ud800',
  '\udfff\ud800',
  '","mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
  '\\u000a\\n\\',
  '\u3164\u115f\ufe0f',
];

const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+\n$/u;

test.each(HOSTILE.map(text => ({ shown: JSON.stringify(text), text })))(
  '$shown stays inside one printable line and comes back as it was',
  ({ text }) => {
    const line = lineOf(text);
    expect(line).toMatch(PRINTABLE);
    expect(commandIn(line)).toBe(text);
    expect(decode(key, Buffer.from(line.slice(0, -1)))?.seq).toBe(1);
  },
);

test('ten thousand strings of any code units stay inside one printable line each and come back as they were', () => {
  const unit = fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code)),
    fc.constantFrom(...HOSTILE),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), parts => {
      const text = parts.join('');
      const line = lineOf(text);
      expect(line.split('\n').length).toBe(2);
      expect(line).toMatch(PRINTABLE);
      expect([...line.slice(0, -1)].some(character => isHidden(character.codePointAt(0) ?? 0))).toBe(false);
      expect(commandIn(line)).toBe(text);
    }),
    { numRuns: 10_000 },
  );
}, 60_000);

test('letters that can be seen are written as they are', () => {
  expect(lineOf('überprüfe 東京 🚀')).toContain('"command":"überprüfe 東京 🚀"');
});

test('a line made with another key, or for another place, is not taken', () => {
  const { line } = encode(key, start, { record: admitted(1), at: 0 });
  const raw = Buffer.from(line.slice(0, -1));
  expect(decode(createSecretKey(Buffer.alloc(32, 8)), raw)).toBeUndefined();
  expect(decode(key, raw)).toMatchObject({ seq: 1, event: 'admitted', prev: start.mac });
  expect(beginning(key, 'b.jsonl').mac).not.toBe(start.mac);
});

test.each(['', '{}', '{"v":1}', ',"mac":"', '\u0000'.repeat(200), `{}${',"mac":"'}${'A'.repeat(43)}"}`])(
  '%j is not a line',
  text => {
    expect(decode(key, Buffer.from(text))).toBeUndefined();
  },
);
