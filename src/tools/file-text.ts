import { createHash } from 'node:crypto';
import { type Redaction, Redactor } from '../text/redact.ts';
import { Safe } from '../text/safe.ts';
import { decodeAt, INCOMPLETE } from '../text/utf8.ts';
import { cost } from './shown.ts';

/** A part of a file: its bytes, whether the file goes on after them, what may not be shown of it, and the characters that its text may take in JSON. */
export type FilePart = {
  readonly content: Buffer;
  readonly goesOn: boolean;
  readonly redaction: Redaction;
  readonly chars: number;
};

/** As much of a part as one result shows: so many of its bytes, and their SHA-256 unless a secret is among them. */
export type ShownPart = {
  readonly content: string;
  readonly bytes: number;
  readonly sha256?: string;
  /** `content` is not exactly these bytes: something in them was made visible, or a secret left out. */
  readonly exact: boolean;
  /** They are no text: nothing of them is shown. */
  readonly binary: boolean;
};

/** Bytes of one result in base64: exactly what 16 KiB are. */
export const BASE64_BYTES = 16_384;

/** The beginning of a part as safe text, cut between two characters where it does not fit into a result. */
export const partAsText = (part: FilePart): ShownPart => {
  const { content, redaction, chars } = part;
  let bytes = part.goesOn ? content.subarray(0, wholeEnd(content)) : content;
  for (;;) {
    const goesOn = part.goesOn || bytes.length < content.length;
    const { text, held, found, binary } = readable(bytes, redaction);
    if (binary) return { content: '', ...summed(content, found), exact: false, binary };
    const size = cost(text);
    if (size > chars) bytes = cut(bytes, Math.floor((bytes.length * chars) / size) - 16);
    else if (goesOn && held !== '' && held.length < bytes.length)
      bytes = cut(bytes, bytes.length - Buffer.byteLength(held));
    else {
      // A text that is nothing but the beginning of a secret is as good as that secret.
      const shown = goesOn && held !== '' ? '[redacted]' : text + held;
      const exact = Buffer.from(shown).equals(bytes);
      return { content: shown, ...summed(bytes, found || shown !== text + held), exact, binary: false };
    }
  }
};

/** The beginning of a part in base64; nothing of it when a secret is in there. */
export const partAsBase64 = ({ content, redaction }: FilePart): ShownPart => {
  const bytes = content.subarray(0, BASE64_BYTES);
  const { found } = readable(bytes, redaction);
  return { content: found ? '' : bytes.toString('base64'), ...summed(bytes, found), exact: !found, binary: false };
};

/** `held` is what may be the beginning of a secret, at the end of the text. */
const readable = (bytes: Buffer, redaction: Redaction) => {
  const safe = new Safe();
  const whole = safe.push(bytes) + safe.end();
  const redactor = new Redactor(redaction);
  const text = redactor.push(Buffer.from(whole)).toString('utf8');
  return { text, held: redactor.end().toString('utf8'), found: redactor.found > 0, binary: safe.binary };
};

const summed = (bytes: Buffer, secret: boolean): { bytes: number; sha256?: string } => ({
  bytes: bytes.length,
  ...(secret ? {} : { sha256: createHash('sha256').update(bytes).digest('hex') }),
});

const cut = (bytes: Buffer, length: number): Buffer => {
  const shorter = bytes.subarray(0, Math.max(1, Math.min(length, bytes.length - 1)));
  return shorter.subarray(0, wholeEnd(shorter));
};

const CR = 0x0d;

/** The end of the last whole character; of the first one at least. A line end of two characters is not cut in two. */
const wholeEnd = (bytes: Buffer): number => {
  let last = bytes.length - 1;
  while (last > 0 && bytes.length - last < 4 && ((bytes[last] ?? 0) & 0xc0) === 0x80) last -= 1;
  if (last < 1) return bytes.length;
  return decodeAt(bytes, last) === INCOMPLETE || bytes[last] === CR ? last : bytes.length;
};
