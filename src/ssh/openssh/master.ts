import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { Clock } from '../../call.ts';
import { once } from '../giving-up.ts';
import { after, within } from '../timer.ts';
import { listenTo, type Said } from './said.ts';

/** One ssh that was started for one link. */
export type Master = {
  /** Resolves once it is logged in and listens on its socket; false when it has ended before, or was given up. */
  readonly ready: Promise<boolean>;
  readonly said: () => Said;
  /** Resolves when it is gone; never rejects. */
  readonly ended: Promise<void>;
  /** Ends it: a second later for good, should it not obey. */
  readonly end: () => void;
};

type Limit = {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Its environment: that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
};

/** How long what it said is still on its way when it has ended. */
const LAST_WORDS_MS = 200;
const OBEY_MS = 1_000;

/**
 * Starts an ssh with these arguments, in a session of its own: what a terminal sends to this process is not for it. It is
 * given no terminal and no program to ask a person with. Where the kernel can see to it, it ends when this process does,
 * by whatever end; elsewhere with its last channel, as its socket is taken over.
 */
export const startMaster = async (args: readonly string[], limit: Limit): Promise<Master> => {
  const leash = (await hasLeash()) ? LEASH : [];
  const child = spawn('env', ['SSH_ASKPASS_REQUIRE=never', ...leash, 'ssh', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    cwd: '/',
    env: limit.env,
    windowsHide: true,
  });
  const listening = listenTo(limit.clock);
  const ended = endOf(child);
  const end = (): void => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), OBEY_MS);
    timer.unref();
    void ended.then(() => clearTimeout(timer));
  };
  const ready = new Promise<boolean>(resolve => {
    const release = once(limit.signal, () => resolve(false));
    const callOff = after(limit.timeoutMs, () => resolve(false));
    let settled = false;
    const settle = (is: boolean): void => {
      settled = true;
      release();
      callOff();
      resolve(is);
    };
    // Read to its end whatever happens: an ssh that cannot write stands still.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!settled && listening.hear(text)) settle(true);
    });
    void ended.then(() => settle(false));
  });
  return { ready, said: listening.said, ended, end };
};

const endOf = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    const closed = new Promise(close => child.on('close', close));
    child.on('error', () => resolve());
    child.on('exit', () => void within(after, LAST_WORDS_MS, closed).then(() => resolve()));
  });

/** prctl(2) PR_SET_PDEATHSIG, by util-linux. */
const LEASH = ['setpriv', '--pdeathsig', 'TERM', '--'];

let leash: Promise<boolean> | undefined;

/** Asked once: other setprivs do not know of it, and other kernels have none. */
const hasLeash = (): Promise<boolean> => {
  leash ??= new Promise(resolve => {
    const [file = '', ...args] = LEASH;
    execFile(file, [...args, 'true'], { cwd: '/' }, error => resolve(error === null));
  });
  return leash;
};
