import { forbiddenIn } from './alphabet.ts';
import type { Trouble } from './cursor.ts';
import { extend, finish, newDraft } from './draft.ts';
import { guess } from './guess.ts';
import { nextToken } from './lexer.ts';
import { type Analysis, CONSTRUCTS, MAX_BYTES, type Script, type Unknown } from './script.ts';

/**
 * Every word that a POSIX-family shell passes to every program of this text, or what stands in the way. Total, linear,
 * and closed: what is not certainly a literal word, a list, a pipe or a plain redirection is unknown.
 */
export const read = (text: string): Analysis => {
  const script = readScript(text);
  return 'construct' in script ? unknown(text, script) : { kind: 'known', script };
};

const readScript = (text: string): Script | Trouble => {
  if (Buffer.byteLength(text) > MAX_BYTES) return { construct: 'a text that is too long', at: 0 };
  const forbidden = forbiddenIn(text);
  if (forbidden !== undefined) return forbidden;
  const cursor = { text, at: 0 };
  const draft = newDraft();
  for (;;) {
    const token = nextToken(cursor);
    const trouble = 'construct' in token ? token : extend(draft, token);
    if (trouble !== undefined) return trouble;
    if ('kind' in token && token.kind === 'end') return finish(draft);
  }
};

const unknown = (text: string, { construct, at }: Trouble): Unknown => {
  const before = text.slice(0, at);
  return {
    kind: 'unknown',
    construct,
    hint: CONSTRUCTS[construct],
    at,
    line: before.split('\n').length,
    column: at - before.lastIndexOf('\n'),
    guess: guess(text.slice(0, MAX_BYTES)),
  };
};
