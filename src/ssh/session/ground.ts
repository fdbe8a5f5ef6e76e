import type { Open, Run } from '../../call.ts';
import { q } from '../../shell/quote.ts';
import { POSIX_SHELLS } from '../command/login-shell.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { isKeepable } from './step.ts';

/**
 * What a session stands on: the account's own directory, and, where its login shell can tell what a line did, the folder in
 * which it may and the environment that its startup files make, read once, and once more on top of that.
 */
export type Ground = { readonly cwd: string; readonly keeping?: Keeping };
/** See {@link Ground}. */
export type Keeping = { readonly folder: string; readonly once: Environment; readonly twice: Environment };

/** Names in the folder that are ours begin so. */
export const FILE_FRONT = '.sallyport-';
/** A restricted shell opens no file to write. */
const SHELLS = [...POSIX_SHELLS].filter(name => name !== 'rbash').join('|');
const AGAIN = `printf '\\0twice\\0'; \\/usr/bin/env -0; printf 'end'`;

/**
 * Says where it is, and the rest if the login shell is fit: one that has an EXIT trap and is ended by a signal must still be
 * seen to have been (mksh and ksh93 are not). Takes away what a session of a server that was killed left there a day ago.
 */
const SURVEY = [
  `printf '\\0'; pwd -P; printf '\\0'`,
  `case \${SHELL##*/} in ${SHELLS}) ;; *) exit 0 ;; esac`,
  `"$SHELL" -c 'trap : EXIT; kill -s TERM $$' >/dev/null 2>&1`,
  'case $? in 143|271) ;; *) exit 0 ;; esac',
  'for folder in "$XDG_RUNTIME_DIR" "$TMPDIR" /tmp /; do case $folder in /*) [ -d "$folder" ] && [ -w "$folder" ] && break ;; esac; done',
  '[ "$folder" != / ] || exit 0',
  `set -- "$folder"/${FILE_FRONT}*; [ ! -e "$1" ] || find "$@" -prune -type f -mtime +0 -exec rm -f -- {} + >/dev/null 2>&1`,
  `printf '%s\\0once\\0' "$folder"; /usr/bin/env -0`,
  `exec "$SHELL" -c ${q(AGAIN)}`,
].join('; ');

/** Asks for the ground that a session will stand on, as a line of it would be run: by the login shell, after its startup files. */
export const surveyAction = ({ target }: Open, timeoutMs: number): Run => ({
  kind: 'exec',
  target,
  program: { text: `exec /bin/sh -c ${q(SURVEY)}` },
  env: {},
  timeoutMs,
});

/** Reads the answer; undefined when the host has no directory that can be shown as it is. */
export const readGround = (answer: Buffer): Ground | undefined => {
  const [, directory = '', folder = '', mark, ...rest] = answer.toString('latin1').split('\0');
  const cwd = utf8(directory).replace(/\n$/, '');
  if (!isKeepable(cwd)) return undefined;
  const middle = rest.indexOf('twice');
  if (mark !== 'once' || middle < 0 || rest.at(-1) !== 'end' || !isKeepable(utf8(folder))) return { cwd };
  const once = readEnvironment(rest.slice(0, middle));
  const twice = readEnvironment(rest.slice(middle + 1, -1));
  return { cwd, keeping: { folder: utf8(folder), once, twice } };
};

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
