import { codeOf, decodeAt, INCOMPLETE, isInvalid, sizeOf } from './utf8.ts';

/** A byte that is no UTF-8 becomes this code unit and what it is: a lone surrogate, which no name in UTF-8 can have. */
const ESCAPE = 0xdc00;
const LONE = /[\udc80-\udcff]/u;

/** A file's name or path as a text: UTF-8 as itself, every other byte as a code unit that only this has. Nothing is lost. */
export const nameOf = (bytes: Buffer): string => {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const decoded = decodeAt(bytes, at);
    if (decoded === INCOMPLETE || isInvalid(bytes, at, decoded)) {
      name += String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
      at += 1;
    } else {
      name += String.fromCodePoint(codeOf(decoded));
      at += sizeOf(decoded);
    }
  }
  return name;
};

/** The bytes of a name, exactly those that `nameOf` was given; of any other text its UTF-8. */
export const bytesOf = (name: string): Buffer => {
  if (!LONE.test(name)) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const part of name.split(/([\udc80-\udcff])/u)) {
    const unit = part.charCodeAt(0) - ESCAPE;
    parts.push(part.length === 1 && unit >= 0x80 && unit <= 0xff ? Buffer.of(unit) : Buffer.from(part, 'utf8'));
  }
  return Buffer.concat(parts);
};
