import { readPlaceholder } from './placeholder.ts';
import type { Mistake, Piece, Term, Times } from './syntax.ts';

/** What a synopsis is read as first; `terms` are the names of one option, written `-n|--lines`. */
export type Token =
  | { readonly kind: 'open' | 'close'; readonly bracket: string; readonly column: number }
  | { readonly kind: 'word'; readonly terms: readonly [Term, ...Term[]]; readonly column: number }
  | { readonly kind: 'repeat'; readonly times: Times; readonly column: number }
  | { readonly kind: 'rest'; readonly column: number }
  | { readonly kind: 'with'; readonly words: readonly string[]; readonly column: number };

type Cursor = { readonly text: string; at: number; readonly mistakes: Mistake[]; readonly tokens: Token[] };

const ENDS = /[\s[\]()]/;
const SHELL_ONLY = ';&$`"\\';

/** A synopsis as tokens, with every mistake in its characters. */
export const scan = (text: string): { readonly tokens: readonly Token[]; readonly mistakes: readonly Mistake[] } => {
  const cursor: Cursor = { text, at: 0, mistakes: [], tokens: [] };
  while (cursor.at < text.length) scanToken(cursor);
  return cursor;
};

const say = (cursor: Cursor, at: number, message: string): void => {
  cursor.mistakes.push({ column: at + 1, message });
};

const scanToken = (cursor: Cursor): void => {
  const { text, at, tokens } = cursor;
  const character = text.charAt(at);
  const column = at + 1;
  if (/\s/.test(character)) cursor.at += 1;
  else if ('[('.includes(character)) {
    if (at > 0 && !/[\s[(]/.test(text.charAt(at - 1))) say(cursor, at, `Put a blank before "${character}".`);
    tokens.push({ kind: 'open', bracket: character, column });
    cursor.at += 1;
  } else if ('])'.includes(character)) {
    tokens.push({ kind: 'close', bracket: character, column });
    cursor.at += 1;
    scanRepeat(cursor);
  } else if (isDots(text, at)) {
    const dots = dotsAt(text, at)?.[0] ?? '';
    if (dots !== '...') say(cursor, at, 'Put the number of times behind the word that it counts: <name>...8.');
    tokens.push({ kind: 'rest', column });
    cursor.at += dots.length;
  } else if (text.startsWith('<with ', at)) scanWith(cursor);
  else scanWord(cursor);
};

/** `...` or `...8` at the end of a word. */
const DOTS = /\.\.\.([1-9][0-9]?)?(?=$|[\s[\]()])/y;

const dotsAt = (text: string, at: number): RegExpExecArray | null => {
  DOTS.lastIndex = at;
  return DOTS.exec(text);
};

const isDots = (text: string, at: number): boolean => text.charAt(at) === '.' && dotsAt(text, at) !== null;

const scanRepeat = (cursor: Cursor): void => {
  const dots = dotsAt(cursor.text, cursor.at);
  if (dots === null) return;
  const times = dots[1] === undefined ? Number.POSITIVE_INFINITY : Number(dots[1]);
  cursor.tokens.push({ kind: 'repeat', times, column: cursor.at + 1 });
  cursor.at += dots[0].length;
};

const scanWith = (cursor: Cursor): void => {
  const column = cursor.at + 1;
  const [, ...words] = scanAngle(cursor).trimEnd().split(/\s+/);
  if (words.length === 0) say(cursor, column - 1, 'Write the words to put in: <with --no-pager>.');
  cursor.tokens.push({ kind: 'with', words, column });
};

const scanWord = (cursor: Cursor): void => {
  const start = cursor.at;
  if (/[\])]/.test(cursor.text.charAt(start - 1))) say(cursor, start, 'Put a blank after the bracket.');
  const terms: Term[] = [];
  for (;;) {
    const from = cursor.at;
    const pieces = scanPieces(cursor, '|');
    if (pieces.length === 0) say(cursor, from, 'A word is missing here; write no blanks around "|".');
    terms.push({ pieces, source: cursor.text.slice(from, cursor.at), column: from + 1 });
    if (cursor.text.charAt(cursor.at) !== '|') break;
    cursor.at += 1;
  }
  const [first, ...more] = terms;
  const complete = terms.every(term => term.pieces.length > 0);
  if (first !== undefined && complete) cursor.tokens.push({ kind: 'word', terms: [first, ...more], column: start + 1 });
  scanRepeat(cursor);
};

/** Pieces up to a blank, a bracket or one of `stops`, which is left for the caller. */
const scanPieces = (cursor: Cursor, stops: string): Piece[] => {
  const pieces: Piece[] = [];
  while (cursor.at < cursor.text.length && !isDots(cursor.text, cursor.at)) {
    const character = cursor.text.charAt(cursor.at);
    if (ENDS.test(character) || stops.includes(character)) break;
    const piece = scanPiece(cursor, character);
    const last = pieces.at(-1);
    if (piece.kind !== 'text' || last?.kind !== 'text') pieces.push(piece);
    else pieces[pieces.length - 1] = { kind: 'text', text: last.text + piece.text };
  }
  return pieces;
};

const scanPiece = (cursor: Cursor, character: string): Piece => {
  if (character === "'") return scanQuoted(cursor);
  if (character === '<') return scanSlot(cursor);
  if (character === '{') return scanChoice(cursor);
  if (SHELL_ONLY.includes(character))
    say(cursor, cursor.at, `A synopsis is one command, not shell text: put ${character} in single quotes to mean it.`);
  if ('}>'.includes(character)) say(cursor, cursor.at, `There is nothing that "${character}" ends.`);
  if (character === '|')
    say(cursor, cursor.at, 'Alternatives of a word are written {a,b}; "|" joins names of one option.');
  PLAIN.lastIndex = cursor.at;
  const text = PLAIN.exec(cursor.text)?.[0] ?? character;
  cursor.at += text.length;
  return character === '*' ? { kind: 'run' } : { kind: 'text', text };
};

/** Characters that mean nothing but themselves wherever they stand in a word. */
const PLAIN = /[^\s[\](){}<>|'*,.;&$`"\\]+/y;

const scanQuoted = (cursor: Cursor): Piece => {
  const end = cursor.text.indexOf("'", cursor.at + 1);
  if (end === -1) say(cursor, cursor.at, 'Close the quote.');
  const text = cursor.text.slice(cursor.at + 1, end === -1 ? undefined : end);
  cursor.at = end === -1 ? cursor.text.length : end + 1;
  return { kind: 'text', text };
};

const scanSlot = (cursor: Cursor): Piece => {
  const start = cursor.at;
  const inside = scanAngle(cursor);
  const slot = readPlaceholder(inside);
  if (typeof slot !== 'string') return { kind: 'slot', slot };
  say(cursor, start, slot);
  return { kind: 'slot', slot: { kind: 'any' } };
};

/** What stands between `<` and its `>`: in a regular expression, `\>` and a `>` within `[…]` do not end it. */
const scanAngle = (cursor: Cursor): string => {
  const { text, at: start } = cursor;
  const regular = text.startsWith('<re:', start);
  let inSet = false;
  for (cursor.at = start + 1; cursor.at < text.length; cursor.at += 1) {
    const character = text.charAt(cursor.at);
    if (character === '>' && !inSet) return text.slice(start + 1, cursor.at++);
    if (regular && character === '\\') cursor.at += 1;
    else if (regular && character === '[' && !inSet) {
      inSet = true;
      if (/^\^?\]/.test(text.slice(cursor.at + 1))) cursor.at = text.indexOf(']', cursor.at);
    } else if (character === ']') inSet = false;
  }
  say(cursor, start, 'Close the placeholder with ">".');
  return text.slice(start + 1);
};

const scanChoice = (cursor: Cursor): Piece => {
  const start = cursor.at;
  const of: Piece[][] = [];
  do {
    cursor.at += 1;
    of.push(scanPieces(cursor, ',}'));
  } while (cursor.text.charAt(cursor.at) === ',');
  if (cursor.text.charAt(cursor.at) === '}') cursor.at += 1;
  else say(cursor, start, 'Close the choice with "}"; write no blanks in it.');
  return { kind: 'choice', of };
};
