import { roleAt } from './alphabet.ts';
import { skipBlanks } from './blank.ts';
import type { Cursor, Trouble } from './cursor.ts';
import type { Construct, Literal, Redirect } from './script.ts';
import { readWord } from './word.ts';

/** Whether a redirection begins here: `<`, `>`, one digit before either, or `&>`. */
export const isRedirectAt = (text: string, at: number): boolean => OPENING.test(text.slice(at, at + 2));

const OPENING = /^(?:[0-9&]?>|[0-9]?<)/;

/** Reads a redirection; `&>FILE` is two, as the canonical form has it. */
export const readRedirects = (cursor: Cursor): readonly Redirect[] | Trouble => {
  const { text, at } = cursor;
  const front = /[0-9&]/.test(text.charAt(at)) ? text.charAt(at) : '';
  OPERATOR.lastIndex = at + front.length;
  const operator = OPERATOR.exec(text)?.[0] ?? '';
  const refused = REFUSED.get(operator) ?? (isNumericGlob(text, at) ? UNUSUAL : undefined);
  if (refused !== undefined) return { construct: refused, at };
  cursor.at = OPERATOR.lastIndex;
  if (operator === '>&') return readDup(cursor, front, at);
  const fd = descriptor(front, operator);
  if (fd === undefined) return { construct: UNUSUAL, at };
  const target = readTarget(cursor, at);
  if ('construct' in target) return target;
  const opened: Redirect =
    fd === 0 ? { op: '<', fd, target, at } : { op: operator === '>' ? '>' : '>>', fd, target, at };
  return front === '&' ? [opened, { op: 'dup', fd: 2, target: 1, at }] : [opened];
};

const UNUSUAL = 'a redirection of this form';
const OPERATOR = /<<|<>|<&|<\(|<|>\(|>\||>>|>&|>/y;
const REFUSED = new Map<string, Construct>([
  ['<<', 'a here-document'],
  ['<>', UNUSUAL],
  ['<&', UNUSUAL],
  ['<(', 'a command substitution'],
  ['>(', 'a command substitution'],
  ['>|', UNUSUAL],
]);

/** zsh reads `<1-9>` as a pattern for numbers. */
const isNumericGlob = (text: string, at: number): boolean => {
  NUMERIC_GLOB.lastIndex = at;
  return NUMERIC_GLOB.test(text);
};
const NUMERIC_GLOB = /[0-9]?<[0-9]*-[0-9]*>/y;

/** The descriptor that a file is opened as: input is read from 0, output written to 1 or 2. */
const descriptor = (front: string, operator: string): 0 | 1 | 2 | undefined => {
  if (operator === '<') return front === '' || front === '0' ? 0 : undefined;
  return front === '' || front === '&' || front === '1' ? 1 : front === '2' ? 2 : undefined;
};

const OUTPUTS = new Map<string, 1 | 2>([
  ['1', 1],
  ['2', 2],
]);

const readDup = (cursor: Cursor, front: string, at: number): readonly Redirect[] | Trouble => {
  const { text } = cursor;
  const fd = OUTPUTS.get(front === '' ? '1' : front);
  const target = OUTPUTS.get(text.charAt(cursor.at));
  const isEnded = roleAt(text, cursor.at + 1) === 'end' && !/^[<>]$/.test(text.charAt(cursor.at + 1));
  if (fd === undefined || target === undefined || !isEnded) return { construct: UNUSUAL, at };
  cursor.at += 1;
  return [{ op: 'dup', fd, target, at }];
};

const readTarget = (cursor: Cursor, at: number): Literal | Trouble => {
  const blanks = skipBlanks(cursor);
  if (blanks !== undefined) return blanks;
  const front = cursor.text.charAt(cursor.at);
  // zsh reads `>!` and other shells `>-` as operators of their own.
  if (roleAt(cursor.text, cursor.at) === 'end' || front === '!' || front === '-' || front === '#') {
    return { construct: UNUSUAL, at };
  }
  const read = readWord(cursor);
  if ('construct' in read) return read;
  if (!read.word.whole) return { construct: 'a pattern that cannot be kept', at: read.word.at };
  if (read.word.text === '') return { construct: UNUSUAL, at };
  if (/^\/dev\/(?:tcp|udp)\//.test(read.word.text)) return { construct: 'a redirection to the network', at };
  return read.word;
};
