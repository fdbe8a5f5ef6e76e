import { join } from 'node:path';
import { type Dice, dice } from '../../shell/random.ts';

/** A line for a session, and for one shell that is given the same lines. */
export type SessionLine = {
  readonly text: string;
  /** It replaces or kills its shell, or takes over the EXIT trap: what it does to directory and environment is not kept. */
  readonly lost: boolean;
  /** No shell can read it. */
  readonly broken: boolean;
};

/** Variables that lines export; some are the account's own. */
export const EXPORTED = ['A', 'B', 'C', 'LONG_NAME_1', 'LOGNAME', 'USER'] as const;
/** Variables and functions that lines use without exporting them. */
export const PRIVATE = ['x', 'y'] as const;
/** See {@link PRIVATE}. */
export const FUNCTIONS = ['f', 'g'] as const;

/** Bytes of the file `big`, which a session does not keep whole. */
export const BIG_BYTES = 3_000_000;

/** The same seed gives the same lines, about a folder with `a/deep`, `two words`, `link` to `a`, and the file `big`. */
export const randomLines = (seed: number, count: number, folder: string): readonly SessionLine[] => {
  const throws = dice(seed);
  return Array.from({ length: count }, () => randomLine(throws, folder));
};

const randomLine = (throws: Dice, folder: string): SessionLine => {
  if (throws.once(25)) return { text: throws.pick(BROKEN), lost: false, broken: true };
  if (throws.once(4)) return { text: alone(throws, folder), lost: false, broken: false };
  const lost = throws.once(12);
  const parts = Array.from({ length: 1 + throws.below(4) }, () => part(throws, folder)).filter(
    text => !lost || !/set -e|HUP/.test(text),
  );
  // What has to be reached stands behind no condition.
  if (lost)
    return { text: joined([...parts, throws.pick(LAST)], () => throws.pick(['; ', '\n'])), lost, broken: false };
  if (throws.once(8)) parts.push(throws.pick(['exit 0', 'exit 3', 'exit 255', 'false || exit 7', 'exit']));
  const text = joined(parts, () => throws.pick(JOINS));
  return { text: text.endsWith('\nE') ? text : `${text}${throws.pick(TAILS)}`, lost, broken: false };
};

const joined = (parts: readonly string[], join: () => string): string =>
  parts.reduce((whole, next) => `${whole}${whole.endsWith('\nE') ? '\n' : join()}${next}`);

const TAILS = ['', '', '', '', ' # done', ' ;', '\n', '  ', ' # it\'s "open'] as const;
const JOINS = ['; ', '; ', ' && ', ' || ', '\n'] as const;

/** Lines of one word that the session may do by itself. */
const alone = (throws: Dice, folder: string): string =>
  throws.pick([
    'cd',
    'cd ~',
    'cd -',
    'cd ..',
    'cd /',
    'cd a',
    `cd ${join(folder, 'a')}`,
    `cd ${join(folder, 'link')}`,
    `cd "${join(folder, 'two words')}" # there`,
    `cd ${folder}/tw*`,
    `cd "$(dirname "$PWD")"`,
    'cd nowhere',
    'pwd',
    `export ${throws.pick(EXPORTED)}`,
    `export ${throws.pick(EXPORTED)}=${value(throws)}`,
    `export ${throws.pick(EXPORTED)}=${value(throws)} ${throws.pick(EXPORTED)}=${value(throws)}`,
    `unset ${throws.pick(EXPORTED)}`,
    `unset ${throws.pick(EXPORTED)} ${throws.pick(EXPORTED)}`,
  ]);

const value = (throws: Dice): string =>
  throws.pick([
    '1',
    "''",
    "'two words'",
    `"it's"`,
    `'say "x"'`,
    "'a\\b'",
    "'*'",
    "'!'",
    'é',
    '$(echo sub)',
    '"$(printf \'a\\nb\\n\\nc\')"',
    '"$A-$B"',
    '"$C"',
    '`echo old`',
    "'$HOME'",
    '"$HOME"',
    '~',
    'a=b=c',
    `'${'long '.repeat(50)}'`,
  ]);

const part = (throws: Dice, folder: string): string => {
  const name = throws.pick(EXPORTED);
  const place = throws.pick([`${folder}/a`, `'${folder}/two words'`, folder, '/', 'a', 'deep', '..', 'nowhere']);
  return throws.pick([
    `cd ${place}`,
    `cd ${place}`,
    'cd -',
    'cd',
    'cd /usr && cd bin',
    `export ${name}=${value(throws)}`,
    `export ${name}=${value(throws)}`,
    `${name}=${value(throws)}; export ${name}`,
    `${name}=${value(throws)}`,
    `unset ${name}`,
    `${name}=${value(throws)} sh -c 'echo "$${name}"'`,
    `echo "$A|$B|$C|$LONG_NAME_1"`,
    'printf "%s\\n" "$PWD"',
    'pwd',
    '/bin/pwd',
    'true',
    'false',
    'echo out; echo err >&2',
    `(cd ${place}; export ${name}=inner; exit 4)`,
    `x=$(cd ${place} && export ${name}=inner && pwd); echo "$x"`,
    `cd ${place} | cat`,
    `f() { cd ${place}; export ${name}=f; return 9; }; f`,
    `g() { printf '%s\\n' "$1"; }; g "$A"`,
    `{ cd ${place}; export ${name}=group; }`,
    `if cd ${place}; then export ${name}=there; else echo no; fi`,
    `for x in 1 2 3; do export ${name}=$x; done`,
    `case $A in 1) cd / ;; *) export ${name}=case ;; esac`,
    'y=5; while [ $y -gt 3 ]; do y=$((y - 1)); echo $y; done',
    `eval "export ${name}=evaluated"`,
    `echo 'export ${name}=sourced; cd /usr' >${folder}/rc; . ${folder}/rc`,
    'cat',
    'read x',
    'read x; echo "[$x]"',
    'stty -echo',
    'sudo -k; sudo -n true',
    'cat <<E\n$((6 * 7)) $A\nE',
    "cat <<'E'\n$A `no`\nE",
    '{ sleep 0.02 & }',
    '{ sleep 0.02 & wait; }',
    `echo "$A" >${folder}/out; cat ${folder}/out`,
    `cat ${folder}/out 2>/dev/null | wc -l`,
    `cat ${folder}/big`,
    `{ head -c 1000 ${folder}/big; echo; } >&2`,
    'set -- 1 2; echo $#',
    'set -e',
    'set -u; set +u',
    'set -f; echo *; set +f',
    'umask 022',
    'exec 3>&1; echo three >&3',
    'exec 2>/dev/null',
    'nosuchprogram',
    '[ -n "$A" ]',
    'trap "echo hup" HUP',
    'alias ll=ls',
    'ulimit -c 0',
    ': "${B:=set}"',
    'test "$nothing" = ""',
    'echo "${A#?}"',
    'cd . ; cd .',
    `CDPATH=${folder}; cd a; unset CDPATH`,
  ]);
};

/** What may end a line, and with it what the line did. */
const LAST = [
  'exec true',
  'exec sh -c "echo replaced; exit 5"',
  'kill -s KILL $$',
  'kill $$',
  'kill -s HUP $$; echo after',
  'sh -c \'kill -s KILL "$PPID"\'; echo after',
  "trap 'echo bye' EXIT",
  'trap - EXIT; cd /usr',
  'exit 130',
  'exit 143',
] as const;

const BROKEN = [
  "echo 'unfinished",
  'echo "unfinished',
  'echo $(unfinished',
  'echo `unfinished',
  'cd / && (',
  'if true; then cd /',
  'for x in 1; do',
  'echo ) && cd /',
  '; ;',
  'cd / &&',
  'cd /; | cat',
  'export A=broken; }',
] as const;
