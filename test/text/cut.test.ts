import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut } from '../../src/text/cut.ts';

test('a text within the budget stays as it is', () => {
  expect(cut('short\n', 200)).toEqual({ text: 'short\n', omitted: 0, cursor: 6 });
  expect(cut('я'.repeat(200), 200, 1000)).toEqual({ text: 'я'.repeat(200), omitted: 0, cursor: 1400 });
});

test('a longer one keeps head and tail, and says what is left out and where', () => {
  const { text, omitted, cursor } = cut('a'.repeat(1000) + 'b'.repeat(1000), 300);
  expect({ text, omitted, cursor }).toEqual({
    text: `${'a'.repeat(100)}\n[… 1748 bytes left out, from cursor 100 on …]\n${'b'.repeat(152)}`,
    omitted: 1748,
    cursor: 100,
  });
});

test('it cuts at line ends when one is near', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`).join('');
  const { text } = cut(lines, 200, 5000);
  expect(text).toBe(
    'line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\n' +
      '\n[… 646 bytes left out, from cursor 5056 on …]\n' +
      'line 89\nline 90\nline 91\nline 92\nline 93\nline 94\nline 95\nline 96\nline 97\nline 98\nline 99\n',
  );
});

test('whatever the text and the budget, the size holds, the count is right and no character is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'я', '世', '🌍', '\n'), { maxLength: 900 }).map(parts => parts.join('')),
      fc.integer({ min: 0, max: 600 }),
      (whole, budget) => {
        const { text, omitted, cursor } = cut(whole, budget, 7);
        expect(text.length).toBeLessThanOrEqual(Math.max(200, budget));
        expect(text).not.toMatch(/\p{Surrogate}/u);
        const [head = '', tail = ''] = text.split(/\n\[… \d+ bytes left out, from cursor \d+ on …\]\n/);
        expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true);
        expect(Buffer.byteLength(head) + omitted + Buffer.byteLength(tail)).toBe(Buffer.byteLength(whole));
        expect(cursor).toBe(7 + Buffer.byteLength(head));
      },
    ),
    { numRuns: 500 },
  );
});
