import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redaction } from '../../src/text/redact.ts';
import { BASE64_BYTES, partAsBase64, partAsText } from '../../src/tools/file-text.ts';
import { cost, PIECE_CHARS } from '../../src/tools/shown.ts';

const NOTHING = new Redaction();
const SECRET = 'hunter2-hunter2';
const knowing = (): Redaction => {
  const redaction = new Redaction();
  redaction.add(SECRET);
  return redaction;
};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const part = (content: string | Buffer, more: { goesOn?: boolean; redaction?: Redaction } = {}) => ({
  content: Buffer.from(content),
  goesOn: false,
  redaction: NOTHING,
  chars: PIECE_CHARS,
  ...more,
});

describe('a part of a file as text', () => {
  test('is exactly its bytes where they are plain text, with their hash', () => {
    const bytes = Buffer.from('zwei Zeilen\n\tüber €\n');
    expect(partAsText(part(bytes))).toEqual({
      content: 'zwei Zeilen\n\tüber €\n',
      bytes: 23,
      sha256: sha256(bytes),
      exact: true,
      binary: false,
    });
  });

  test.each([
    { what: 'an escape sequence', bytes: Buffer.from('a\x1b[31mb'), content: 'ab' },
    { what: 'a character that turns the direction', bytes: Buffer.from('a\u202eb'), content: 'a\\u{202e}b' },
    { what: 'line ends of two characters', bytes: Buffer.from('a\r\nb\r\n'), content: 'a\nb\n' },
    {
      what: 'a byte that is no UTF-8',
      bytes: Buffer.from('caf\xe9 in Latin-1', 'latin1'),
      content: 'caf\ufffd in Latin-1',
    },
    {
      what: 'a character that was cut in two by the offset',
      bytes: Buffer.from('€ 1 und noch viel mehr').subarray(1),
      content: '\ufffd\ufffd 1 und noch viel mehr',
    },
  ])('says that it is not exactly what is there: $what', ({ bytes, content }) => {
    expect(partAsText(part(bytes))).toMatchObject({ content, bytes: bytes.length, exact: false, binary: false });
  });

  test('ends with a whole character, and with a whole line end, when the file goes on', () => {
    const euro = Buffer.from('1 €');
    expect(partAsText(part(euro.subarray(0, 4), { goesOn: true }))).toMatchObject({
      content: '1 ',
      bytes: 2,
      exact: true,
    });
    expect(partAsText(part('one\r', { goesOn: true }))).toMatchObject({ content: 'one', bytes: 3, exact: true });
    expect(partAsText(part(euro.subarray(2, 3), { goesOn: true }))).toMatchObject({ bytes: 1 });
  });

  test('shows nothing of binary data but its size and hash', () => {
    const bytes = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 0, 1, 2, 3]);
    expect(partAsText(part(bytes))).toEqual({
      content: '',
      bytes: 11,
      sha256: sha256(bytes),
      exact: false,
      binary: true,
    });
  });

  test('leaves a secret out, and gives no hash then by which it could be guessed', () => {
    expect(partAsText(part(`password=${SECRET}\n`, { redaction: knowing() }))).toEqual({
      content: 'password=[redacted]\n',
      bytes: 25,
      exact: false,
      binary: false,
    });
  });

  test('ends before what may be the beginning of a secret, so that the next part has the whole of it', () => {
    const shown = partAsText(part('password=hunter2-h', { goesOn: true, redaction: knowing() }));
    expect(shown).toMatchObject({ content: 'password=', bytes: 9 });
    const last = partAsText(part('password=hunter2-h', { redaction: knowing() }));
    expect(last).toMatchObject({ content: 'password=hunter2-h', bytes: 18, exact: true });
  });

  test('shows a part that is nothing but the beginning of a secret as little as the secret', () => {
    const shown = partAsText(part('hunter2', { goesOn: true, redaction: knowing() }));
    expect(shown).toEqual({ content: '[redacted]', bytes: 7, exact: false, binary: false });
  });

  test('read on from where each part ends, is the whole file, whatever is in it and wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('\x1b[0m', '"\\"\\', 'ä€𝄞', '\r\n')),
        ),
        fc.integer({ min: 4, max: 64 }),
        (texts, step) => {
          const bytes = Buffer.from(texts.join(''));
          let [at, parts] = [0, ''];
          while (at < bytes.length) {
            const content = bytes.subarray(at, at + step);
            const shown = partAsText({
              content,
              goesOn: at + step < bytes.length,
              redaction: NOTHING,
              chars: PIECE_CHARS,
            });
            expect(shown.bytes).toBeGreaterThan(0);
            if (shown.exact) expect(shown.content).toBe(content.subarray(0, shown.bytes).toString());
            parts += sha256(bytes.subarray(at, at + shown.bytes)) === shown.sha256 ? '' : 'x';
            at += shown.bytes;
          }
          expect([at, parts]).toEqual([bytes.length, '']);
        },
      ),
    );
  });

  test.each([
    { what: 'quotation marks', text: '"'.repeat(24_000) },
    { what: 'characters that are shown by their number', text: '\u202e'.repeat(8_000) },
    { what: 'controls', text: '\x01yyyyyyyyyyyyyyyyyyy'.repeat(1_200) },
  ])('fits into a result, however much longer it is in JSON: $what', ({ text }) => {
    const shown = partAsText(part(text));
    expect(cost(shown.content)).toBeLessThanOrEqual(PIECE_CHARS);
    expect(cost(shown.content)).toBeGreaterThan(PIECE_CHARS / 2);
    expect(shown.bytes).toBeLessThan(Buffer.byteLength(text));
  });
});

describe('a part of a file in base64', () => {
  test('is exactly its bytes, 16 KiB at the most', () => {
    const bytes = Buffer.alloc(20_000, Buffer.from([0, 1, 2, 255]));
    const shown = partAsBase64(part(bytes));
    expect(Buffer.from(shown.content, 'base64')).toEqual(bytes.subarray(0, BASE64_BYTES));
    expect(shown).toMatchObject({
      bytes: 16_384,
      sha256: sha256(bytes.subarray(0, 16_384)),
      exact: true,
      binary: false,
    });
    expect(cost(shown.content)).toBeLessThan(PIECE_CHARS);
  });

  test('is nothing when a secret is among them', () => {
    expect(partAsBase64(part(`x ${SECRET}`, { redaction: knowing() }))).toEqual({
      content: '',
      bytes: 17,
      exact: false,
      binary: false,
    });
  });
});
