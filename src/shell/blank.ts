import { isBlankAt } from './alphabet.ts';
import type { Cursor, Trouble } from './cursor.ts';

/** Skips spaces, tabs and continued lines. */
export const skipBlanks = (cursor: Cursor): Trouble | undefined => {
  const { text } = cursor;
  for (;;) {
    if (isBlankAt(text, cursor.at)) cursor.at += 1;
    else if (text.startsWith('\\\n', cursor.at)) {
      const trouble = skipContinuation(cursor);
      if (trouble !== undefined) return trouble;
    } else return undefined;
  }
};

/** Skips a backslash and its newline, unless what follows is read differently by those who join lines first. */
export const skipContinuation = (cursor: Cursor): Trouble | undefined => {
  const { text, at } = cursor;
  cursor.at = at + 2;
  return /^[#<>]$/.test(text.charAt(cursor.at))
    ? { construct: 'a backslash before a newline in an unusual place', at }
    : undefined;
};
