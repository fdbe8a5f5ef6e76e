import type { Program } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { q, quoteAll } from '../../shell/quote.ts';
import type { LoginShell } from './login-shell.ts';
import { MARK_NAME, type Mark } from './mark.ts';

/** What is to run, and under which mark. */
export type Start = {
  readonly program: Program;
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mark: Mark;
};

/** Linux takes no single argument over 128 KiB, and the login shell gets the whole command line as one. */
const LONGEST = 120_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The command line that makes the far login shell run the program with its mark in the environment, so that a text means what
 * it means to that shell, and the words of `argv` reach the program without any shell reading them. A POSIX shell sets the
 * mark itself and goes on with the text. Any other shell, and any shell when there is an environment to give (whose values `ps`
 * would show for as long as the shell lives), gives its place to `env`, and that to a second one; a canonical text is always
 * given to `/bin/sh` so. No function or alias of the account is asked: programs are named by path, as zsh's `exec` and global
 * aliases take names of both. A `cwd` that cannot be entered means exit status 125 with the reason on stderr, as `env -C` does
 * it, and nothing ran. `INVALID_INPUT` for what no command line can carry.
 */
export const launchText = (start: Start, shell: LoginShell): string => {
  const bare = Object.keys(start.env).length === 0;
  const text = shell === 'posix' && bare && !('canonical' in start.program) ? posixText(start) : otherText(start);
  return fitting(text);
};

const fitting = (text: string): string => {
  if (Buffer.byteLength(text) <= LONGEST) return text;
  throw new Failure('INVALID_INPUT', `The command line is longer than ${LONGEST} bytes once it is quoted.`, {
    next: 'Send the long part by stdin, for example as a script to sh -s.',
  });
};

const posixText = ({ program, cwd, mark }: Start): string => {
  const enter = cwd === undefined ? '' : `CDPATH= \\cd -- ${directoryWord(cwd)} || exit 125; `;
  const run = 'text' in program ? quotable(program.text, 'command') : `exec ${programWords(program)}`;
  return `export ${MARK_NAME}=${mark}; ${enter}${run}`;
};

const otherText = (start: Start): string => `exec ${programAfterEnv(start)}`;

const programAfterEnv = ({ program, cwd, env, mark }: Start): string => {
  const enter = cwd === undefined ? [] : ['/bin/sh -c', quoted(ENTER, 'cwd'), 'sh', directoryWord(cwd)];
  return ['/usr/bin/env', `${MARK_NAME}=${mark}`, ...assignments(env), ...enter, programWords(program)].join(' ');
};

/** Goes to a directory, or exits 125; `$1` is the directory, the rest is the program. */
const ENTER = 'CDPATH= cd -- "$1" || exit 125; shift; exec "$@"';

/** The program as words; a name that `exec` or `env` would take for something else has to be run by a shell. */
const programWords = (program: Program): string => {
  if ('text' in program) return `"$SHELL" -c ${quoted(notAnOption(program.text), 'command')}`;
  if ('canonical' in program) return `/bin/sh -c ${quoted(program.canonical, 'command')}`;
  if (/^-|=/.test(program.argv[0]))
    throw new Failure('INVALID_INPUT', 'A program whose name begins with - or contains = cannot be named in argv.', {
      next: 'Run it by command instead.',
    });
  return program.argv.map(word => quoted(word, 'argv')).join(' ');
};

/** Shells take a text that begins with `-` or `+` for an option; a blank before it means nothing to any of them. */
const notAnOption = (text: string): string => (/^[-+]/.test(text) ? ` ${text}` : text);

/** A directory as one shell word: `~` and `~/…` are the account's home, a relative one begins at it. */
export const directoryWord = (directory: string): string => {
  if (directory === '~') return '"$HOME"';
  if (directory.startsWith('~/')) return `"$HOME"${quoted(directory.slice(1), 'cwd')}`;
  return quoted(directory.startsWith('/') ? directory : `./${directory}`, 'cwd');
};

const assignments = (env: Start['env']): string[] =>
  Object.entries(env).map(([name, value]) => assignment(name, value));

const assignment = (name: string, value: string): string => {
  if (!NAME.test(name))
    throw new Failure('INVALID_INPUT', `${JSON.stringify(name)} is no name of an environment variable.`, {
      next: 'Use letters, digits and _, not beginning with a digit.',
    });
  if (name === MARK_NAME)
    throw new Failure('INVALID_INPUT', `${MARK_NAME} marks the processes of a command and cannot be set.`);
  return `${name}=${quoted(value, 'env')}`;
};

const quoted = (text: string, what: string): string => q(quotable(text, what));

const quotable = (text: string, what: string): string => {
  if (!text.includes('\0')) return text;
  throw new Failure('INVALID_INPUT', `${what} contains a NUL character, which no command line can carry.`);
};

/** The command line by which a constant script of ours is given words and then this program, for it to start as it likes. */
export const scriptWithProgram = (script: string, words: readonly string[], start: Start): string =>
  fitting(`${scriptText(script, words)} ${programAfterEnv(start)}`);

/** A constant script of ours for /bin/sh with its arguments, whatever the login shell is. */
export const scriptText = (
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string => ['exec /usr/bin/env', ...assignments(env), '/bin/sh -c', q(script), 'sh', quoteAll(words)].join(' ');
