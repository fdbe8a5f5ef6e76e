import { q } from './quote.ts';
import type { Part, Redirect, Script, Simple, Word } from './script.ts';

/**
 * The canonical form: a text that POSIX sh reads as exactly this script, whatever aliases, reserved words or functions
 * of the same names exist. Every word is quoted; operators come from a closed set; every descriptor is written; the
 * operators of patterns are the only other bare characters. Throws on a word with NUL, or with a newline (csh breaks).
 */
export const write = ({ pipelines }: Script): string =>
  pipelines
    .map(({ join, commands }, index) => `${index === 0 ? '' : JOINED[join]}${commands.map(simple).join(' | ')}`)
    .join('');

const JOINED = { ';': '; ', '&&': ' && ', '||': ' || ' } as const;

const simple = ({ words, redirects }: Simple): string => [...words.map(word), ...redirects.map(redirect)].join(' ');

const word = (one: Word): string => (one.whole ? literal(one.text) : one.parts.map(part).join(''));

const literal = (text: string): string => {
  if (text.includes('\n')) throw new Error('a word cannot hold a newline');
  return q(text);
};

const part = (one: Part): string => {
  switch (one.kind) {
    case 'literal':
      return literal(one.text);
    case 'many':
      return '*';
    case 'one':
      return '?';
    case 'set':
      return one.text;
  }
};

const redirect = (one: Redirect): string =>
  one.op === 'dup' ? `${one.fd}>&${one.target}` : `${one.fd}${one.op}${literal(one.target.text)}`;
