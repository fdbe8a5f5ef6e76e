/**
 * Code points that a reader cannot see, or that change how others are seen: controls, default-ignorable and format
 * characters, bidi controls, fillers, tags (Unicode 17 `Default_Ignorable_Code_Point`, `Bidi_Control`, and `Cf` without a glyph).
 */
const HIDDEN: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

const BMP = 0x10000;
const hiddenInBmp = new Uint8Array(BMP);
for (const [first, last] of HIDDEN) hiddenInBmp.fill(1, first, Math.min(last + 1, BMP));
const beyond = HIDDEN.filter(([first]) => first >= BMP);

/** Whether a code point must not be passed on as it is; line feed and tab may. */
export const isHidden = (code: number): boolean =>
  code < BMP ? hiddenInBmp[code] === 1 : beyond.some(([first, last]) => code >= first && code <= last);

const TEXT_STYLE = 0xfe0e;
const EMOJI_STYLE = 0xfe0f;

const show = (code: number): string => {
  if (!isHidden(code)) return String.fromCodePoint(code);
  return code === TEXT_STYLE || code === EMOJI_STYLE ? '' : `\\u{${code.toString(16)}}`;
};

/** Binary output is made of these. */
const latin = Array.from({ length: 256 }, (_, code) => show(code));

/**
 * A code point as text that is safe to read: itself, or `\u{..}` when it is hidden. The two selectors that only choose
 * between a plain and a coloured glyph are left out: command-line tools write them after every tick mark.
 */
export const shown = (code: number): string => latin[code] ?? show(code);
