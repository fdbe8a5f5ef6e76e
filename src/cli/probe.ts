import type { Clock } from '../call.ts';
import { Failure } from '../errors.ts';
import { ask } from '../ssh/command/channel.ts';
import { POSIX_SHELLS } from '../ssh/command/login-shell.ts';
import type { Connection, Peer } from '../ssh/connection/connection.ts';
import { after } from '../ssh/timer.ts';
import { safeLine } from '../text/safe.ts';

/** What one look at a host found out: the far side's own words, and how long a command takes there and back. */
export type Probe = Peer & {
  /** The path of the login shell. */
  readonly shell: string;
  /** What startup files print before the output of every command. */
  readonly noise: string;
  readonly family: 'posix' | 'other';
  readonly commandMs: number;
  /** What the login shell needs before it runs a command, without the round trip. */
  readonly startupMs?: number;
};

const PATIENCE_MS = 30_000;

/** sshd sets SHELL from the account's entry (sshd(8), "Login process"), and every shell expands it like this. */
const QUESTION = 'echo "sallyport:$SHELL:"';
const ANSWER = /^(.*?)sallyport:(\/[^:\n]*):/s;

/** A shell that is said to take longer is asked once more: a busy host is slow once, startup files are slow each time. */
const SLOW_MS = 20;

/** Connects and logs in as a call would, asks for the login shell, and times it. Rejects with a `Failure`: UNSUPPORTED when the account runs no commands. */
export const probe = async (connection: Connection, clock: Clock, stopped: AbortSignal): Promise<Probe> => {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(PATIENCE_MS)]);
  const peer = await connection.ready({ signal });
  const { shell, noise, commandMs } = await question(connection, clock, signal);
  const first = await connection.startup(signal);
  const again =
    first !== undefined && first > SLOW_MS ? (await question(connection, clock, signal)).commandMs : undefined;
  const startupMs = again === undefined ? first : Math.min(first ?? again, again - peer.roundTripMs);
  const family = POSIX_SHELLS.has(shell.slice(shell.lastIndexOf('/') + 1)) ? 'posix' : 'other';
  return { ...peer, shell, noise, family, commandMs, ...(startupMs === undefined ? {} : { startupMs }) };
};

type Answered = Pick<Probe, 'shell' | 'noise' | 'commandMs'>;

const question = async (connection: Connection, clock: Clock, signal: AbortSignal): Promise<Answered> => {
  const begun = clock.monoMs();
  const asked = await ask(connection, { text: QUESTION, timed: true, deadlineMs: PATIENCE_MS, after, signal });
  const commandMs = clock.monoMs() - begun;
  const { status } = asked;
  if (status.how === 'unknown' && signal.aborted)
    throw new Failure('UNREACHABLE', `${connection.host.name} logs in, but a command does not end.`);
  const said = asked.stdout.toString('utf8');
  const [, noise, shell] = ANSWER.exec(said) ?? [];
  const isDone = status.how === 'unknown' || (status.how === 'exited' && status.code === 0);
  if (!isDone || noise === undefined || shell === undefined)
    throw runsNothing(connection, safeLine(said) || safeLine(asked.stderr.toString('utf8')));
  return { shell: safeLine(shell), noise: safeLine(noise), commandMs };
};

const runsNothing = ({ host: { name, user } }: Connection, said: string): Failure =>
  new Failure(
    'UNSUPPORTED',
    `${name} lets ${user} in, but runs no command for it${said === '' ? '' : `: it said ${JSON.stringify(said)}`}.`,
    {
      next: 'Give the account a login shell on the host (chsh), or take the forced command off its key.',
      details: { host: name },
    },
  );

/** ` by key`, or by what else it was let in, where that is known. */
export const byWhat = ({ login = [] }: Peer): string => (login.length === 0 ? '' : ` by ${login.join(', then ')}`);

/** Whether the start-up of the login shell is worth a word. */
export const isSlow = (found: Probe): found is Probe & { readonly startupMs: number } =>
  (found.startupMs ?? 0) > SLOW_MS;
