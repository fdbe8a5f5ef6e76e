import type { Clock } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Connection, Peer } from '../ssh/connection.ts';

/** What one look at a host found out: the far side's own words, and how long a command takes there and back. */
export type Probe = Peer & { readonly shell: string; readonly commandMs: number };

const MAX_BYTES = 256;
const PATIENCE_MS = 30_000;

/** Connects and logs in as a call would, asks for the login shell, and times it. Rejects with a `Failure`. */
export const probe = async (connection: Connection, clock: Clock, stopped: AbortSignal): Promise<Probe> => {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(PATIENCE_MS)]);
  const peer = await connection.ready({ signal });
  const begun = clock.monoMs();
  // sshd sets SHELL from the account's entry (sshd(8), "Login process"), and every shell expands it like this.
  const shell = await outputOf(connection, 'echo $SHELL', signal);
  return { ...peer, shell, commandMs: clock.monoMs() - begun };
};

/** The beginning of what a command prints. */
const outputOf = (connection: Connection, command: string, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const giveUp = (): void =>
      reject(new Failure('UNREACHABLE', `${connection.host.name} logs in, but a command does not end.`));
    signal.addEventListener('abort', giveUp, { once: true });
    connection
      .exec(command, {
        signal,
        attach: channel => {
          channel.on('data', (chunk: Buffer) => void chunks.push(chunk));
          channel.stderr.resume();
          channel.on('close', () => resolve(Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8').trim()));
          channel.end();
        },
      })
      .catch(reject);
  });
