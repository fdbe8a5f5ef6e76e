import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, nameOf } from '../../src/text/byte-name.ts';

test.each([
  ['a text in UTF-8', Buffer.from('é€😀'), 'é€😀'],
  ['a character whose second half is in the range of the escapes', Buffer.from('💀'), '💀'],
  ['a replacement character that somebody wrote', Buffer.from('\ufffd'), '\ufffd'],
  ['a byte that is none', Buffer.from([0x61, 0xff, 0x62]), 'a\udcffb'],
  ['a character cut short', Buffer.from([0xe2, 0x82]), '\udce2\udc82'],
  ['a lone surrogate in the form of UTF-8', Buffer.from([0xed, 0xb2, 0x80]), '\udced\udcb2\udc80'],
  ['an overlong slash', Buffer.from([0xc0, 0xaf]), '\udcc0\udcaf'],
])('%s has a name of its own', (_what, bytes, name) => {
  expect([nameOf(bytes), bytesOf(name)]).toEqual([name, bytes]);
});

test('every name gives back its bytes, and no two have the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (one, other) => {
      const [first, second] = [Buffer.from(one), Buffer.from(other)];
      expect(bytesOf(nameOf(first))).toEqual(first);
      expect(nameOf(first) === nameOf(second)).toBe(first.equals(second));
    }),
  );
});

test('a text of people is its UTF-8', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), text => bytesOf(text).equals(Buffer.from(text))));
});
