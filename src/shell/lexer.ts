import { roleAt } from './alphabet.ts';
import { skipBlanks } from './blank.ts';
import type { Cursor, Trouble } from './cursor.ts';
import { isRedirectAt, readRedirects } from './redirect.ts';
import type { Join, Redirect, Word } from './script.ts';
import { readWord } from './word.ts';

/** The next thing in a text. */
export type Token = { readonly at: number } & (
  | { readonly kind: 'word'; readonly word: Word; readonly bare: boolean }
  | { readonly kind: 'redirect'; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'join'; readonly join: Join }
  | { readonly kind: 'pipe' | 'newline' | 'end' }
);

/** Reads one token and leaves the cursor behind it; a comment is nothing. */
export const nextToken = (cursor: Cursor): Token | Trouble => {
  const trouble = skipBlanks(cursor);
  if (trouble !== undefined) return trouble;
  const { text } = cursor;
  if (text.charAt(cursor.at) === '#') skipComment(cursor);
  const { at } = cursor;
  if (at >= text.length) return { kind: 'end', at };
  if (isRedirectAt(text, at)) {
    const redirects = readRedirects(cursor);
    return 'construct' in redirects ? redirects : { kind: 'redirect', redirects, at };
  }
  if (roleAt(text, at) === 'end') return readOperator(cursor);
  const read = readWord(cursor);
  return 'construct' in read ? read : { kind: 'word', word: read.word, bare: read.bare, at };
};

const skipComment = (cursor: Cursor): void => {
  const end = cursor.text.indexOf('\n', cursor.at);
  cursor.at = end === -1 ? cursor.text.length : end;
};

const readOperator = (cursor: Cursor): Token | Trouble => {
  const { text, at } = cursor;
  const pair = text.slice(at, at + 2);
  if (pair === '&&' || pair === '||') {
    cursor.at = at + 2;
    return { kind: 'join', join: pair, at };
  }
  if (pair.startsWith('&')) return { construct: 'a background command', at };
  if (pair === '|&') return { construct: 'a redirection of this form', at };
  cursor.at = at + 1;
  if (pair.startsWith('|')) return { kind: 'pipe', at };
  return pair.startsWith(';') ? { kind: 'join', join: ';', at } : { kind: 'newline', at };
};
