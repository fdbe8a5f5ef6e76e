import type { Run } from '../../call.ts';
import { q } from '../../shell/quote.ts';
import { differenceOf, readEnvironment, withChanges } from './environment.ts';
import type { Keeping } from './ground.ts';
import { isKeepable } from './step.ts';

/** What a session gives to each of its lines; `gone` are variables of the account that were unset. */
export type Kept = {
  readonly cwd: string;
  readonly previous: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly gone: ReadonlySet<string>;
};

/** A session as a line left it; `note` says what of the line's doing is not in it. */
export type Settled = { readonly kept: Kept; readonly note: string | undefined };

/** The environment that a session keeps, in bytes of JSON. */
export const ENV_BYTES = 65_536;

/**
 * Writes directory and environment of the shell that calls it (`$2`, and none of its subshells) into a new private file, and
 * which directory was its last (`$3`). Without a parent, sshd is gone and with it whoever would read and remove that.
 */
const SAVE = [
  '[ "$PPID" = "$2" ] || exit',
  'read -r stat </proc/"$PPID"/stat; case $stat in *") "?" 1 "*) exit ;; esac',
  'umask 077; set -C',
  '{ pwd -P && printf "\\0%s\\0" "$3" && /usr/bin/env -0 && printf end; } >"$1"',
].join('; ');

/** Opens what `$1` holds, removes it and the rest, and prints it: gone also when nobody reads on. */
const FETCH = [
  'printf "\\0"',
  'if [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; then exec <"$1"; fi',
  'rm -f -- "$@" || exit',
  'exec cat',
].join('; ');

/** Statuses of a shell that INT, TERM or HUP ended: bash runs its EXIT trap then too, and a stop must not wait for it. */
const INTERRUPTED = '129|130|143';

/** Whether an exit status is one after which nothing comes back. */
export const isInterrupted = (code: number): boolean => INTERRUPTED.split('|').includes(String(code));

/**
 * The text as it is, in a login shell that has the session's variables after its startup files, and whose EXIT trap saves what
 * the text did. The text comes last, on the same line: no comment, here-document or open quote of it can touch what is ours.
 */
export const keepingAction = (action: Run, text: string, kept: Kept, file: string): Run => {
  const names = Object.keys(action.env);
  const hidden = names.map((name, index) => [name, `SALLYPORT_KEPT_${index}`] as const);
  const trap = `{ case $? in ${INTERRUPTED}) ;; *) \\/bin/sh -c ${q(SAVE)} sh ${q(file)} "$$" "\${OLDPWD-}" || : ;; esac; } </dev/null >/dev/null 2>&1`;
  const before = [
    ...hidden.map(([name, alias]) => `export ${name}="$${alias}"`),
    ...[...hidden.map(([, alias]) => alias), ...kept.gone].map(name => `unset ${name}`),
    ...comeFrom(kept.previous, action.cwd, text),
    `trap ${q(trap)} EXIT`,
  ];
  return {
    ...action,
    // Under names of ours, as startup files would change what they know by name.
    env: Object.fromEntries(hidden.map(([name, alias]) => [alias, action.env[name] ?? ''])),
    program: { text: `${before.join('; ')}; ${text}` },
  };
};

/** `cd -` of a text leads where that of the session does. Not every shell takes `OLDPWD` from others, but each one that of its own `cd`. */
const comeFrom = (previous: string | undefined, cwd: string | undefined, text: string): readonly string[] => {
  if (previous === undefined || cwd === undefined || !/OLDPWD|~-|cd\s+-/.test(text)) return ['unset OLDPWD'];
  return [`CDPATH= \\cd -- ${q(previous)} 2>/dev/null && { CDPATH= \\cd -- ${q(cwd)} || exit 125; }`];
};

/** Fetches the file, and removes it and those that were left before. */
export const fetchAction = ({ kind, target, timeoutMs, session }: Run, files: readonly string[]): Run => ({
  kind,
  target,
  program: { argv: ['/bin/sh', '-c', FETCH, 'sh', ...files] },
  env: {},
  timeoutMs,
  ...(session === undefined ? {} : { session }),
});

/** The session after a line, by what was fetched; as it was before when that is not whole. */
export const settle = (kept: Kept, action: Run, { once, twice }: Keeping, answer: Buffer): Settled => {
  const [, place = '', last = '', ...entries] = answer.toString('latin1').split('\0');
  if (entries.at(-1) !== 'end') return { kept, note: NOT_BACK };
  const cwd = utf8(place).replace(/\n$/, '');
  const after = readEnvironment(entries.slice(0, -1));
  const bare = Object.keys(action.env).length === 0;
  const { set, unset, odd } = differenceOf(withChanges(bare ? once : twice, action.env, kept.gone), after);
  const moved = isKeepable(cwd) ? { cwd, previous: isKeepable(utf8(last)) ? utf8(last) : kept.previous } : undefined;
  const env = { ...without(action.env, unset), ...set };
  const gone = new Set([...kept.gone, ...unset].filter(name => once.has(name) && !after.has(name)));
  const fits = Buffer.byteLength(JSON.stringify(env)) <= ENV_BYTES;
  const notes = [
    ...(moved === undefined ? ['The name of its directory cannot be shown as it is, and so was not kept.'] : []),
    ...(odd.length === 0 ? [] : [`Not kept, being no text: ${odd.join(', ')}.`]),
    ...(fits ? [] : [`The environment was not kept: a session keeps ${ENV_BYTES} bytes of it at most.`]),
  ];
  return {
    kept: { ...kept, ...moved, ...(fits ? { env, gone } : {}) },
    note: notes.length === 0 ? undefined : notes.join(' '),
  };
};

const NOT_BACK =
  'What the line did to directory and environment, if anything, did not come back: it never ran, replaced or killed its shell, ' +
  'or took over the EXIT trap. The session is as it was before.';

/** A line that was stopped, or ended as if it had been. */
export const STOPPED = 'What an interrupted line did to directory and environment is not kept.';

/** Whether a text seems to do what a session would keep. */
const MAY_CHANGE =
  /(?:^|[\s;&|({])(?:cd|pushd|popd|chdir|export|declare|typeset|setenv|set|unset|unsetenv|source|eval|\.)\s/;

/** What to say of a text that runs where nothing can be kept. */
export const notKeptHere = (text: string): string | undefined =>
  MAY_CHANGE.test(text)
    ? 'The login shell of this account cannot tell what a line does to directory and environment: send cd, export and unset as lines of their own.'
    : undefined;

const without = (env: Run['env'], names: readonly string[]): Run['env'] =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
