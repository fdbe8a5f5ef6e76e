import { roleAt } from './alphabet.ts';
import { skipContinuation } from './blank.ts';
import type { Cursor, Trouble } from './cursor.ts';
import type { Construct, Part, Word } from './script.ts';

/** A word, and whether it is `bare`: without any quote or backslash that would take a special meaning away. */
export type Spelled = { readonly word: Word; readonly bare: boolean };

type Spelling = { readonly start: number; text: string; bare: boolean; readonly parts: Part[] };

/** Reads the word that begins at the cursor, up to a blank, an operator or the end. */
export const readWord = (cursor: Cursor): Spelled | Trouble => {
  const spelling: Spelling = { start: cursor.at, text: '', bare: true, parts: [] };
  for (;;) {
    const role = roleAt(cursor.text, cursor.at);
    if (role === 'end') return ended(cursor, spelling);
    const trouble = TAKE[role](cursor, spelling);
    if (trouble !== undefined) return trouble;
  }
};

const ended = (cursor: Cursor, spelling: Spelling): Spelled | Trouble =>
  isLongDescriptor(cursor, spelling)
    ? { construct: 'a redirection of this form', at: spelling.start }
    : finish(spelling);

/** Shells disagree about which digits before `<`, `>` and `&>` are a descriptor. */
const isLongDescriptor = ({ text, at }: Cursor, spelling: Spelling): boolean =>
  spelling.bare &&
  spelling.parts.length === 0 &&
  /^(?:[<>]|&>)/.test(text.slice(at, at + 2)) &&
  /^[0-9]+$/.test(spelling.text);

const finish = ({ start, text, bare, parts }: Spelling): Spelled => {
  const [first, ...rest] = parts;
  if (first === undefined) return { word: { whole: true, text, at: start }, bare };
  const tail: Part[] = text === '' ? [] : [{ kind: 'literal', text }];
  const prefix = first.kind === 'literal' ? first.text : '';
  return { word: { whole: false, text: prefix, parts: [first, ...rest, ...tail], at: start }, bare };
};

const TILDE = 0x7e;
const EQUALS = 0x3d;

const takePlain = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const atFront = spelling.text === '' && spelling.parts.length === 0;
  if (atFront && text.charCodeAt(at) === EQUALS && roleAt(text, at + 1) !== 'end') {
    return { construct: 'an equals sign before a word', at };
  }
  let end = at;
  while (roleAt(text, end) === 'plain') {
    if (text.charCodeAt(end) === TILDE && !isTildeLiteral(text, end, at)) return { construct: 'a tilde', at: end };
    end += 1;
  }
  spelling.text += text.slice(at, end);
  cursor.at = end;
  return undefined;
};

/** A tilde means itself only after an ordinary character: never in front, after a quote, or where an assignment's value may begin. */
const isTildeLiteral = (text: string, at: number, runStart: number): boolean =>
  at > runStart && /[A-Za-z0-9_./^~-]/.test(text.charAt(at - 1));

const takeQuoted = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const quote = text.charAt(at);
  if (quote === '\\') return takeEscape(cursor, spelling);
  spelling.bare = false;
  return quote === "'" ? takeSingle(cursor, spelling) : takeDouble(cursor, spelling);
};

const takeEscape = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const next = text.charAt(at + 1);
  if (next === '') return { construct: 'a backslash at the end', at };
  if (next > '~') return { construct: 'an unquoted character outside ASCII', at: at + 1 };
  if (next === '\n') return skipContinuation(cursor);
  cursor.at = at + 2;
  spelling.bare = false;
  spelling.text += next;
  return undefined;
};

const takeSingle = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const close = text.indexOf("'", at + 1);
  if (close === -1) return { construct: 'a quote that is not closed', at };
  const inside = text.slice(at + 1, close);
  const newline = inside.indexOf('\n');
  if (newline !== -1) return { construct: 'a newline inside a word', at: at + 1 + newline };
  spelling.text += inside;
  cursor.at = close + 1;
  return undefined;
};

const NOT_IN_DOUBLE = new Map<string, Construct>([
  ['$', 'an expansion'],
  ['`', 'a command substitution'],
  ['\n', 'a newline inside a word'],
]);

const takeDouble = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at: open } = cursor;
  let from = open + 1;
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    const construct = NOT_IN_DOUBLE.get(character);
    if (construct !== undefined) return { construct: substitutes(text, at) ? 'a command substitution' : construct, at };
    if (character === '"') {
      spelling.text += text.slice(from, at);
      cursor.at = at + 1;
      return undefined;
    }
    if (character === '\\') {
      if (text.charAt(at + 1) === '\n') return { construct: 'a newline inside a word', at };
      const escapes = /^["$`\\]$/.test(text.charAt(at + 1));
      spelling.text += text.slice(from, escapes ? at : at + 1);
      at += escapes ? 1 : 0;
      from = escapes ? at : at + 1;
    }
  }
  return { construct: 'a quote that is not closed', at: open };
};

const substitutes = (text: string, at: number): boolean => text.startsWith('$(', at);

/** A set that every shell and locale reads alike: letters, digits, `_`, and ranges inside one alphabet. */
const SET = /\[!?(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Za-z0-9_])+\]/y;

const takePattern = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const isFirst = spelling.text === '' && spelling.parts.length === 0;
  if (text.charAt(at) === '[' && isFirst && spelling.bare && roleAt(text, at + 1) === 'end') {
    spelling.text = '[';
    cursor.at = at + 1;
    return undefined;
  }
  const part = patternAt(text, at, spelling);
  if (part === undefined) return { construct: 'a pattern that cannot be kept', at };
  if (spelling.text !== '') spelling.parts.push({ kind: 'literal', text: spelling.text });
  spelling.text = '';
  spelling.parts.push(part);
  cursor.at = at + (part.kind === 'set' ? part.text.length : 1);
  return undefined;
};

const patternAt = (text: string, at: number, spelling: Spelling): Part | undefined => {
  const character = text.charAt(at);
  if (character === '?') return { kind: 'one' };
  if (character === '*') {
    // Two stars descend into folders in some shells.
    const isSecond = spelling.text === '' && spelling.parts.at(-1)?.kind === 'many';
    return isSecond ? undefined : { kind: 'many' };
  }
  SET.lastIndex = at;
  const set = SET.exec(text)?.[0];
  return set === undefined || hasBackwardRange(set) ? undefined : { kind: 'set', text: set };
};

const hasBackwardRange = (set: string): boolean => {
  for (let at = set.indexOf('-'); at !== -1; at = set.indexOf('-', at + 1)) {
    if (set.charAt(at - 1) > set.charAt(at + 1)) return true;
  }
  return false;
};

const NEVER = new Map<string, Construct>([
  ['`', 'a command substitution'],
  ['(', 'a parenthesis'],
  [')', 'a parenthesis'],
  ['{', 'a brace'],
  ['}', 'a brace'],
  [']', 'a pattern that cannot be kept'],
]);

const refuse = (cursor: Cursor, spelling: Spelling): Trouble | undefined => {
  const { text, at } = cursor;
  const character = text.charAt(at);
  const isAlone = at === spelling.start && roleAt(text, at + 1) === 'end';
  if (character === ']' && isAlone) {
    spelling.text = ']';
    cursor.at = at + 1;
    return undefined;
  }
  if (character === '$') return { construct: substitutes(text, at) ? 'a command substitution' : 'an expansion', at };
  return { construct: NEVER.get(character) ?? 'an unquoted character outside ASCII', at };
};

const TAKE = { plain: takePlain, quote: takeQuoted, pattern: takePattern, never: refuse };
