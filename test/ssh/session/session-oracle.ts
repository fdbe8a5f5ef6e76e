import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXPORTED, FUNCTIONS, PRIVATE, type SessionLine } from './session-lines.ts';

/** What a line did: how it ended, what it wrote, and where it left the shell with which variables. */
export type Deed = {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
};

/** One shell that lives as long as it may, and is given one line after the other. */
export type Oracle = {
  readonly do: (line: SessionLine) => Promise<Deed>;
  readonly close: () => Promise<void>;
};

type Place = Pick<Deed, 'cwd' | 'env'> & { readonly previous: string | undefined };

/** Variables of a shell's own, which differ from shell to shell. */
const OWN = /^(?:_|SHLVL|PWD|OLDPWD|SALLYPORT_.*|SSH_.*|XDG_SESSION_ID)$/;

/** Starts a shell there, with these variables; `scratch` is a folder for what it tells. */
export const startOracle = async (shell: string, scratch: string, begin: Omit<Place, 'previous'>): Promise<Oracle> => {
  let place: Place = { ...begin, previous: undefined };
  let child = await startShell(shell, scratch, place);
  return {
    do: async line => {
      if (line.lost || line.broken) return { ...(await runAlone(shell, line.text, place)), ...place };
      await writeFile(join(scratch, 'line'), line.text);
      child.stdin.write('__line\n');
      const over = await isOver(child);
      const [code, deed] = await whatIsTold(scratch);
      place = deed;
      if (over) child = await startShell(shell, scratch, place);
      const [stdout, stderr] = await Promise.all([readFile(join(scratch, 'out')), readFile(join(scratch, 'err'))]);
      return { status: code, stdout: digest(stdout), stderr: String(stderr), cwd: place.cwd, env: place.env };
    },
    close: async () => {
      child.stdin.end('trap - EXIT\n');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
};

/** What was written, as its length and hash: a session does not keep the whole of much. */
export const digest = (bytes: Buffer): string => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;

/** Between lines it forgets what a session does not keep: private variables, functions, options, aliases and other traps. */
const DRIVER = `
__tell() {
  { printf '%s\\0%s\\0%s\\0' "$1" "$(pwd -P)" "\${OLDPWD-}"; /usr/bin/env -0; } >"$__scratch/told"
}
__line() {
  trap '__tell $?' EXIT
  eval "$(cat "$__scratch/line")" </dev/null >"$__scratch/out" 2>"$__scratch/err"
  __tell $?
  trap - EXIT HUP
  set +efux; set --
  unset ${PRIVATE.join(' ')} CDPATH; unset -f ${FUNCTIONS.join(' ')}
  unalias -a 2>/dev/null
  __all=$(/usr/bin/env)
  for __name in ${EXPORTED.join(' ')}; do
    case "
$__all" in *"
$__name="*) ;; *) unset "$__name" ;; esac
  done
  __was=\${OLDPWD-}; cd -- "$(pwd -P)"; OLDPWD=$__was; [ -n "$OLDPWD" ] || unset OLDPWD
  exec 2>/dev/null 3>&-
  echo told
}
`;

const startShell = async (shell: string, scratch: string, { cwd, env, previous }: Place) => {
  const child: ChildProcessWithoutNullStreams = spawn(shell, [], { cwd, env });
  child.stderr.resume();
  child.stdin.on('error', () => undefined);
  const past = previous === undefined ? '' : `OLDPWD='${previous.replaceAll("'", "'\\''")}'; `;
  child.stdin.write(`unset OLDPWD; ${past}__scratch='${scratch}'\n${DRIVER}\necho ready\n`);
  await once(child.stdout, 'data');
  return child;
};

/** Resolves when it has told, or is over. */
const isOver = (child: ChildProcessWithoutNullStreams): Promise<boolean> =>
  new Promise(resolve => {
    const tell = (over: boolean): void => {
      child.stdout.removeAllListeners('data');
      child.removeAllListeners('exit');
      resolve(over);
    };
    child.stdout.once('data', () => tell(false));
    child.once('exit', () => tell(true));
  });

const whatIsTold = async (scratch: string): Promise<readonly [number, Place]> => {
  const [code, cwd = '', previous = '', ...entries] = (await readFile(join(scratch, 'told'), 'utf8')).split('\0');
  const env = Object.fromEntries(
    entries.filter(Boolean).map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  return [Number(code), { cwd, env: plain(env), previous: previous === '' ? undefined : previous }];
};

/** Without what shells set for themselves. */
export const plain = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.test(name)));

/** A line of which nothing is kept, in a shell of its own. */
const runAlone = async (shell: string, text: string, { cwd, env, previous }: Place) => {
  const cd = previous === undefined ? '' : `OLDPWD='${previous.replaceAll("'", "'\\''")}'; `;
  const child = spawn(shell, ['-c', `${cd}${text}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    bytesOf(child.stdout),
    bytesOf(child.stderr),
    once(child, 'close'),
  ]);
  const status: number | string = typeof code === 'number' ? code : `signalled ${String(signal).replace(/^SIG/, '')}`;
  return { status, stdout: digest(stdout), stderr: String(stderr) };
};

const bytesOf = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
