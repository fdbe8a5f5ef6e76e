import type { GrowingText, Output, Piece } from '../ssh/command/growing-text.ts';

/** What one result shows of a stream: `omitted` bytes are not in `text`, and `cursor` is where reading goes on. */
export type Shown = { readonly text: string; readonly cursor: number; readonly omitted: number };

/** Characters of one result, as JSON: fits what every client measured passes on to its model. */
export const RESULT_CHARS = 30_000;
const FRAME_CHARS = 2_000;
/** What is left of them for what hosts wrote. */
export const PIECE_CHARS = RESULT_CHARS - FRAME_CHARS;
/** So much is shown of what nobody can read. */
const BINARY_CHARS = 512;

/** Both streams within one budget: each may use what the other leaves, and binary data has little. */
export const showBoth = (
  stdout: Output,
  stderr: Output,
  whole = PIECE_CHARS,
): { readonly stdout: Shown; readonly stderr: Shown } => {
  const most = ({ binary }: Output): number => Math.min(whole, binary ? BINARY_CHARS : whole);
  const left = whole - cost(show(stdout, most(stdout)).text);
  const err = show(stderr, Math.min(most(stderr), Math.max(Math.floor(whole / 3), left)));
  const out = show(stdout, Math.min(most(stdout), whole - cost(err.text)));
  return { stdout: out, stderr: err };
};

/** The characters of JSON that both streams would take, `most` at the most. */
export const needOf = (stdout: Output, stderr: Output, most: number): number =>
  Math.min(most, needOfOne(stdout, most) + needOfOne(stderr, most));

const needOfOne = (output: Output, most: number): number => {
  if (output.binary) return cost(show(output, Math.min(most, BINARY_CHARS)).text);
  const { text, next } = output.read(0, LONGEST_CHARACTER * most);
  return next < output.length ? most : Math.min(most, cost(text));
};

/** UTF-8 takes three bytes for what JSON writes as one character. */
const LONGEST_CHARACTER = 3;

/**
 * Head and tail of a stream in at most `chars` characters of JSON, with a line between them that says what is left out; where
 * there is no room for such a line, the head.
 */
export const show = (output: GrowingText, chars: number): Shown => {
  const all = output.read(0, LONGEST_CHARACTER * chars);
  if (all.next >= output.length && cost(all.text) <= chars)
    return { text: all.text, cursor: all.next, omitted: all.dropped };
  if (chars < LEAST_MARKED) return headOf(output, all, chars);
  let bytes = LONGEST_CHARACTER * chars;
  for (;;) {
    const shown = headAndTail(output, bytes);
    const size = cost(shown.text);
    if (size <= chars || bytes < 64) return shown;
    bytes = Math.floor((bytes * chars) / size) - 16;
  }
};

/** Less than this is no room for head, tail and what is said between them. */
const LEAST_MARKED = 480;

const headOf = (output: GrowingText, { text: all, from, dropped }: Piece, chars: number): Shown => {
  const { text } = showText(all, chars);
  const cursor = from + Buffer.byteLength(text);
  return { text, cursor, omitted: dropped + output.length - cursor };
};

/** A piece from a cursor on, at most so many bytes of text and so many characters of JSON. */
export const showFrom = (output: GrowingText, from: number, maxBytes: number): Piece => {
  let bytes = maxBytes;
  for (;;) {
    const piece = output.read(from, bytes);
    const size = cost(piece.text);
    if (size <= PIECE_CHARS || bytes < 64) return piece;
    bytes = Math.floor((Math.min(bytes, Buffer.byteLength(piece.text)) * PIECE_CHARS) / size) - 16;
  }
};

/** A text that is there as a whole, cut at its end to `chars` characters of JSON; `omitted` counts bytes. */
export const showText = (text: string, chars: number): { readonly text: string; readonly omitted: number } => {
  let shown = wholeCharacters(text.slice(0, chars));
  for (let size = cost(shown); size > chars; size = cost(shown))
    shown = wholeCharacters(shown.slice(0, Math.max(0, Math.floor((shown.length * chars) / size) - 1)));
  return { text: shown, omitted: Buffer.byteLength(text) - Buffer.byteLength(shown) };
};

const wholeCharacters = (text: string): string => (/[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text);

const headAndTail = (output: GrowingText, bytes: number): Shown => {
  const start = output.read(0, bytes);
  if (start.next >= output.length) return { text: start.text, cursor: start.next, omitted: start.dropped };
  const head = output.read(0, Math.floor(bytes * 0.4));
  const tail = output.read(Math.max(head.next, output.length - Math.floor(bytes * 0.6)), bytes);
  const between = tail.from - head.next;
  const mark = `\n[${between} bytes left out; ssh_read_output continues at cursor ${head.next}]\n`;
  return { text: `${head.text}${mark}${tail.text}`, cursor: head.next, omitted: head.dropped + between };
};

/** The characters that a text takes in JSON. */
export const cost = (text: string): number => JSON.stringify(text).length - 2;
