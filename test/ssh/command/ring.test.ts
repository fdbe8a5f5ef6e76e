import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ring } from '../../../src/ssh/command/ring.ts';

const filled = (keepBytes: number, ...texts: string[]): Ring => {
  const ring = new Ring(keepBytes);
  for (const text of texts) ring.write(text);
  return ring;
};

describe('a text that fits', () => {
  const ring = filled(4096, 'one\n', 'два\n', '🌍\n');

  test.each([
    { cursor: 0, maxBytes: 100, piece: { text: 'one\nдва\n🌍\n', from: 0, next: 16, dropped: 0, more: false } },
    { cursor: 4, maxBytes: 7, piece: { text: 'два\n', from: 4, next: 11, dropped: 0, more: true } },
    { cursor: 4, maxBytes: 5, piece: { text: 'дв', from: 4, next: 8, dropped: 0, more: true } },
    { cursor: 5, maxBytes: 100, piece: { text: 'два\n🌍\n', from: 4, next: 16, dropped: 0, more: false } },
    { cursor: 14, maxBytes: 1, piece: { text: '🌍', from: 11, next: 15, dropped: 0, more: true } },
    { cursor: 11, maxBytes: 0, piece: { text: '🌍', from: 11, next: 15, dropped: 0, more: true } },
    { cursor: 16, maxBytes: 9, piece: { text: '', from: 16, next: 16, dropped: 0, more: false } },
    { cursor: 99, maxBytes: 9, piece: { text: '', from: 16, next: 16, dropped: 0, more: false } },
    { cursor: -1, maxBytes: 4, piece: { text: 'one\n', from: 0, next: 4, dropped: 0, more: true } },
    { cursor: Number.NaN, maxBytes: 4, piece: { text: 'one\n', from: 0, next: 4, dropped: 0, more: true } },
  ])('is read from $cursor, $maxBytes bytes at most', ({ cursor, maxBytes, piece }) => {
    expect(ring.read(cursor, maxBytes)).toEqual(piece);
  });

  test('an empty one reads as nothing', () => {
    expect(filled(4096).read(0, 10)).toEqual({ text: '', from: 0, next: 0, dropped: 0, more: false });
  });
});

describe('a text that does not fit', () => {
  const ring = filled(4096, 'a'.repeat(1000), 'b'.repeat(1000), 'c'.repeat(10_000), 'd'.repeat(1000));

  test('keeps its beginning and its end, and says how much is gone between', () => {
    expect(ring.length).toBe(13_000);
    expect(ring.read(0, 9999)).toEqual({
      text: 'a'.repeat(1000) + 'b'.repeat(24),
      from: 0,
      next: 1024,
      dropped: 0,
      more: true,
    });
    expect(ring.read(1024, 9999)).toEqual({
      text: 'c'.repeat(2072) + 'd'.repeat(1000),
      from: 9928,
      next: 13_000,
      dropped: 8904,
      more: false,
    });
    expect(ring.read(12_500, 9999)).toEqual({
      text: 'd'.repeat(500),
      from: 12_500,
      next: 13_000,
      dropped: 0,
      more: false,
    });
  });

  test('begins again at a whole character when the one before is half gone', () => {
    const wide = filled(4096, '€'.repeat(3000));
    const { text, from, dropped } = wide.read(2000, 9999);
    expect([text, from, dropped]).toEqual(['€'.repeat(1024), 5928, 3928]);
    expect(wide.read(0, 9999)).toEqual({ text: '€'.repeat(341), from: 0, next: 1023, dropped: 0, more: true });
  });
});

test('reading by cursors gives back every kept character once, whatever was written and however it is read', () => {
  const piece = fc.array(fc.constantFrom('a', 'я', '€', '🌍', '\n'), { maxLength: 400 }).map(parts => parts.join(''));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 700 }), (pieces, maxBytes) => {
      const ring = filled(4096, ...pieces);
      const whole = Buffer.from(pieces.join(''));
      expect(ring.length).toBe(whole.length);
      let cursor = 0;
      let kept = 0;
      for (;;) {
        const { text, from, next, dropped, more } = ring.read(cursor, maxBytes);
        expect(from).toBe(cursor + dropped);
        expect(text).toBe(whole.subarray(from, next).toString('utf8'));
        expect(text).not.toContain('\ufffd');
        expect(next - from).toBeLessThanOrEqual(Math.max(4, maxBytes));
        kept += next - from;
        cursor = next;
        if (!more) break;
        expect(next).toBeGreaterThan(from);
      }
      expect(cursor).toBe(whole.length);
      expect(kept).toBeGreaterThanOrEqual(Math.min(whole.length, 4096 - 8));
      expect(kept).toBeLessThanOrEqual(4096);
    }),
    { numRuns: 300 },
  );
});
