import { expect, test } from 'vitest';
import { Capture } from '../../src/ssh/command/output.ts';
import { RESULT_CHARS, show, showBoth, showFrom, showText } from '../../src/tools/shown.ts';

const holding = (text: string): Capture => {
  const capture = new Capture(1024 * 1024);
  capture.receive(Buffer.from(text));
  capture.finish();
  return capture;
};

const cost = (text: string): number => JSON.stringify(text).length;

const TEXTS = [
  { what: 'plain lines', text: 'a line of output\n'.repeat(20_000) },
  { what: 'nothing but quotes', text: '"'.repeat(100_000) },
  { what: 'nothing but line ends', text: '\n'.repeat(100_000) },
  { what: 'characters of three bytes', text: '語'.repeat(60_000) },
  { what: 'characters outside the basic plane', text: '😀'.repeat(40_000) },
] as const;

test.each(TEXTS)('$what: head, what is left out and tail are the whole, and fit', ({ text }) => {
  const output = holding(text);
  const shown = show(output, RESULT_CHARS);
  const [, head = '', left = '', cursor = '', tail = ''] =
    /^([\s\S]*)\n\[(\d+) bytes left out; ssh_read_output continues at cursor (\d+)\]\n([\s\S]*)$/.exec(shown.text) ??
    [];
  const bytes = Buffer.from(text);
  expect(cost(shown.text)).toBeLessThan(RESULT_CHARS + 10);
  expect(shown).toMatchObject({ omitted: Number(left), cursor: Number(cursor) });
  expect(head).toBe(bytes.subarray(0, Number(cursor)).toString());
  expect(tail).toBe(bytes.subarray(Number(cursor) + Number(left)).toString());
});

test.each(TEXTS)('$what: pieces from cursor to cursor are the whole, and each fits', ({ text }) => {
  const output = holding(text);
  let read = '';
  for (let from = 0; from < output.length; ) {
    const piece = showFrom(output, from, 24_000);
    expect(cost(piece.text)).toBeLessThanOrEqual(RESULT_CHARS);
    expect(piece.dropped).toBe(0);
    read += piece.text;
    from = piece.next;
  }
  expect(read === text).toBe(true);
});

test('two floods share one budget, and a quiet stream leaves its part to the other', () => {
  const flood = holding('x'.repeat(100_000));
  const both = showBoth(flood, flood);
  expect(cost(both.stdout.text) + cost(both.stderr.text)).toBeLessThanOrEqual(RESULT_CHARS);
  const one = showBoth(flood, holding('oops\n'));
  expect(one.stderr).toEqual({ text: 'oops\n', cursor: 5, omitted: 0 });
  expect(cost(one.stdout.text)).toBeGreaterThan(RESULT_CHARS * 0.9);
});

test('a short output is shown as it is', () => {
  expect(show(holding('hello\n'), RESULT_CHARS)).toEqual({ text: 'hello\n', cursor: 6, omitted: 0 });
});

test('a text is cut by what it costs as JSON, never inside a character', () => {
  expect(showText('"'.repeat(100), 50)).toEqual({ text: '"'.repeat(24), omitted: 76 });
  expect(showText('😀'.repeat(10), 7)).toEqual({ text: '😀😀😀', omitted: 28 });
  expect(showText('short', 100)).toEqual({ text: 'short', omitted: 0 });
});
