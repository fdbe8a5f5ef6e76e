/**
 * One word of a command line that every POSIX shell, fish and csh read back as exactly `text`: ordinary characters in
 * single quotes, `'`, `\` and `!` outside of them behind a backslash. Throws on NUL, which no argument can hold.
 */
export const q = (text: string): string => {
  if (text === '') return "''";
  if (text.includes('\0')) throw new Error('a word cannot hold NUL');
  if (!/['\\!]/.test(text)) return `'${text}'`;
  return text.replaceAll(/[^'\\!]+|['\\!]/g, run => (/^['\\!]$/.test(run) ? `\\${run}` : `'${run}'`));
};

/** Words, each quoted, as one command line. */
export const quoteAll = (words: readonly string[]): string => words.map(q).join(' ');
