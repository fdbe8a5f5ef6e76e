import type { Run } from '../../call.ts';
import type { Word } from '../../shell/line.ts';
import { q, quoteAll } from '../../shell/quote.ts';
import { safeText } from '../../text/safe.ts';
import type { Tee } from '../command/streams.ts';

/** What a step may answer. */
export const STEP_BYTES = 262_144;

/** Takes stdout as it comes, and gives back its beginning. */
export const collect = (): { readonly tee: Tee; readonly bytes: () => Buffer } => {
  const chunks: Buffer[] = [];
  let size = 0;
  const tee: Tee = (stream, _text, raw) => {
    size += stream === 'stdout' ? raw.length : 0;
    if (stream === 'stdout' && size <= STEP_BYTES) chunks.push(Buffer.from(raw));
  };
  return { tee, bytes: () => Buffer.concat(chunks) };
};

/** Goes from `$1` to `$2` and prints where that is, after NUL; an absolute `$2` needs no `$1` that still exists. */
const GO = 'case $2 in /*) ;; *) CDPATH= cd -- "$1" || exit ;; esac; CDPATH= cd -- "$2" && printf "\\0" && pwd -P';
/** The same to the one word that the login shell made of what was written. */
const GO_THERE =
  '[ "$#" = 1 ] || { echo "cd: $# directories, and not one" >&2; exit 2; }; CDPATH= cd -- "$1" && printf "\\0" && pwd -P';
/** The values of the variables named, each between NULs. */
const VALUES = 'printf "\\0"; for name; do eval "printf \'%s\\\\0\' \\"\\$$name\\""; done';

/** A word that needs the shell is expanded by it, in the session's directory; any other is passed on as it is. */
export const goAction = (to: Word | 'home', cwd: string, action: Run): Run => {
  const { cwd: _cwd, ...anywhere } = action;
  const word = to === 'home' ? '"$HOME"' : to.raw;
  const there: Run['program'] = { text: `exec /bin/sh -c ${q(GO_THERE)} sh ${word}` };
  if (to === 'home') return { ...anywhere, program: there };
  if (to.literal === undefined) return { ...anywhere, cwd, program: there };
  return { ...anywhere, program: { argv: ['/bin/sh', '-c', GO, 'sh', cwd, to.literal] } };
};

/** Sets the variables as the line says, in the login shell, and prints their values. */
export const valuesAction = (names: readonly string[], words: readonly string[], action: Run): Run => ({
  ...action,
  program: { text: `export ${words.join(' ')} && exec /bin/sh -c ${q(VALUES)} sh ${quoteAll(names)}` },
});

/** Whether a directory can be shown as it is, on one line, and so be kept and gone back to. */
export const isKeepable = (directory: string): boolean =>
  directory.startsWith('/') && safeText(directory) === directory && !/[\n\t\ufffd]/.test(directory);

/** The directory that a step named, behind whatever startup files wrote. */
export const directoryIn = (answer: Buffer): string => {
  const text = answer.toString('utf8');
  return text.slice(text.lastIndexOf('\0') + 1).replace(/\n$/, '');
};

/** The values that a step named, if it named them all. */
export const valuesIn = (
  answer: Buffer,
  names: readonly string[],
): ReadonlyMap<string, string | undefined> | undefined => {
  const [, ...values] = answer.toString('utf8').split('\0');
  return values.length === names.length + 1 ? new Map(names.map((name, index) => [name, values[index]])) : undefined;
};
