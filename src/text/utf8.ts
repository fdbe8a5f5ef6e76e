/** What `decodeAt` answers when the bytes end inside a character that may still become one. */
export const INCOMPLETE = 0;

const SIZE_SHIFT = 21;
const CODE_MASK = 0x1fffff;
const REPLACEMENT = 0xfffd;

const character = (code: number, size: number): number => (size << SIZE_SHIFT) | code;

/** The code point of a decoded character; U+FFFD stands for bytes that are no UTF-8. */
export const codeOf = (decoded: number): number => decoded & CODE_MASK;

/** How many bytes a decoded character takes. */
export const sizeOf = (decoded: number): number => decoded >> SIZE_SHIFT;

/** Whether a decoded character stands for bytes at `at` that are no UTF-8, and not for a U+FFFD that somebody wrote. */
export const isInvalid = (bytes: Uint8Array, at: number, decoded: number): boolean =>
  codeOf(decoded) === REPLACEMENT && !(sizeOf(decoded) === 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbf);

/** Whether a code point, or a byte, is one of the first 128. */
export const isAscii = (code: number): boolean => code < 0x80;

/** Writes a code point that is no surrogate, and gives back where the next one goes. */
export const encodeInto = (bytes: Uint8Array, at: number, code: number): number => {
  const more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const mark = more === 0 ? 0 : (0xff00 >> (more + 1)) & 0xff;
  bytes[at] = mark | (code >> (6 * more));
  for (let index = 1; index <= more; index += 1) bytes[at + index] = 0x80 | ((code >> (6 * (more - index))) & 0x3f);
  return at + more + 1;
};

/** Whether a byte goes on with a character that began before it. */
export const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/**
 * The character at `at`, as one number (see `codeOf`, `sizeOf`), or `INCOMPLETE`. Overlong forms, surrogates and anything
 * above U+10FFFF are invalid; an invalid run becomes one U+FFFD for each longest beginning of a character (Unicode 3.9, table 3-8).
 */
export const decodeAt = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return character(lead, 1);
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
  if (length === 1) return character(REPLACEMENT, 1);
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  let code = lead & (0xff >> (length + 1));
  for (let size = 1; size < length; size++) {
    const byte = bytes[at + size];
    if (byte === undefined) return INCOMPLETE;
    if (byte < low || byte > high) return character(REPLACEMENT, size);
    code = (code << 6) | (byte & 0x3f);
    low = 0x80;
    high = 0xbf;
  }
  return character(code, length);
};
