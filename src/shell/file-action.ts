import { commandsOf, type Literal, type Redirect, type Script } from './script.ts';

/**
 * What a redirection does to a file: `path` is absolute, as it is written; without one the target is relative to a
 * directory that nobody can name, and cannot be granted.
 */
export type FileAction = {
  readonly access: 'read' | 'write';
  readonly path: string | undefined;
  readonly target: Literal;
};

/**
 * The files that the redirections of a script read and write, in order: none for descriptors and `/dev/null`. A
 * relative target counts from `cwd`, an absolute directory, as long as no command of the script may leave it.
 */
export const fileActionsOf = (script: Script, cwd?: string): readonly FileAction[] => {
  const commands = commandsOf(script);
  const base = commands.some(({ words: [{ text }] }) => MOVES.has(text)) ? undefined : cwd;
  return commands.flatMap(({ redirects }) => redirects.flatMap(redirect => actionOf(redirect, base)));
};

/** Builtins after which the directory may be another one. */
const MOVES = new Set('cd chdir pushd popd builtin command eval exec . source trap'.split(' '));

const actionOf = (redirect: Redirect, base: string | undefined): readonly FileAction[] => {
  if (redirect.op === 'dup' || redirect.target.text === '/dev/null') return [];
  const { target } = redirect;
  return [{ access: redirect.op === '<' ? 'read' : 'write', path: absolute(target.text, base), target }];
};

const absolute = (text: string, base: string | undefined): string | undefined => {
  if (text.startsWith('/')) return text;
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/${text}`;
};
