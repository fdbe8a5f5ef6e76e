/** A text within its budget: `omitted` bytes of UTF-8 are left out of it, and the first of them is at `cursor`. */
export type Cut = { readonly text: string; readonly omitted: number; readonly cursor: number };

/** The smallest budget that holds the marker and something to read. */
const LEAST_CHARS = 200;
const HEAD_PART = 0.4;

/**
 * Head and tail of a text in at most `maxChars` UTF-16 units (200 when less is given), and between them a line that says how
 * many bytes are left out and where they begin; `from` is the cursor of the text's first byte. Cuts at line ends when one is near, never inside a character.
 */
export const cut = (text: string, maxChars: number, from = 0): Cut => {
  const most = Math.max(LEAST_CHARS, Math.floor(maxChars));
  if (text.length <= most) return { text, omitted: 0, cursor: from + Buffer.byteLength(text) };
  const room = most - marker(Buffer.byteLength(text), from + Buffer.byteLength(text)).length;
  const headEnd = endNear(text, Math.floor(room * HEAD_PART));
  const tailStart = startNear(text, text.length - (room - Math.floor(room * HEAD_PART)));
  const head = text.slice(0, headEnd);
  const omitted = Buffer.byteLength(text.slice(headEnd, tailStart));
  const cursor = from + Buffer.byteLength(head);
  return { text: head + marker(omitted, cursor) + text.slice(tailStart), omitted, cursor };
};

const marker = (omitted: number, cursor: number): string =>
  `\n[… ${omitted} bytes left out, from cursor ${cursor} on …]\n`;

/** The last place at or before `limit` to end at: after a line when one ends in the last quarter. */
const endNear = (text: string, limit: number): number => {
  const line = text.lastIndexOf('\n', limit - 1) + 1;
  if (line > limit * 0.75) return line;
  return insideCharacter(text, limit) ? limit - 1 : limit;
};

/** The first place at or after `limit` to go on at: a line's beginning when one is in the first quarter. */
const startNear = (text: string, limit: number): number => {
  const line = text.indexOf('\n', limit - 1) + 1;
  if (line > 0 && line < limit + (text.length - limit) * 0.25) return line;
  return insideCharacter(text, limit) ? limit + 1 : limit;
};

const insideCharacter = (text: string, at: number): boolean => {
  const before = text.codePointAt(at - 1);
  return before !== undefined && before > 0xffff;
};
