import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../errors.ts';
import { unsent } from './given-up.ts';
import type { Host } from './host.ts';
import type { Opened, OpenOptions } from './link.ts';
import type { Pty } from './terminal-line.ts';
import { closeUnclaimed, expectChannel, takeBack } from './wire.ts';

/** How long an exec request that was sent is still waited for after its caller gave up. */
const GRACE_MS = 1_000;

type Line = { readonly client: Client; readonly isOpen: () => boolean };

/** Opens a session channel of an ssh2 client and asks it to run the command: see `Link.open`. */
export const openExec = (host: Host, line: Line, command: string, options: OpenOptions): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const { signal, attach, pause, pty } = options;
    const { client } = line;
    let number: number | undefined;
    let waiting = true;
    const giveUp = async (): Promise<void> => {
      if (takeBack(client, number)) return reject(unsent());
      await pause(GRACE_MS);
      if (!waiting) return;
      waiting = false;
      closeUnclaimed(client, number);
      reject(unanswered(host));
    };
    const abort = (): void => void giveUp();
    const answer = (error: unknown, channel: ClientChannel): void => {
      signal?.removeEventListener('abort', abort);
      if (!waiting) return;
      waiting = false;
      if (!error) attach?.(channel);
      const opened: Opened | undefined = error ? whyNot(error) : { how: 'open', channel };
      if (opened !== undefined) resolve(opened);
      else if (isNoTerminal(error)) reject(refusesTerminals(host));
      else reject(closeUnclaimed(client, number) ? refusesCommands(host) : unanswered(host));
    };
    if (signal?.aborted === true) return reject(unsent());
    if (!send(line, { command, pty }, answer)) return resolve({ how: 'gone' });
    number = expectChannel(client);
    signal?.addEventListener('abort', abort, { once: true });
  });

/** ssh2 throws when the socket is closed already: nothing was sent then. */
const send = (
  line: Line,
  { command, pty }: { readonly command: string; readonly pty: Pty | undefined },
  answer: (error: unknown, channel: ClientChannel) => void,
): boolean => {
  if (!line.isOpen()) return false;
  try {
    line.client.exec(command, pty === undefined ? {} : { pty }, answer);
    return true;
  } catch {
    return false;
  }
};

/** Why the channel did not open; undefined when it did, and the exec request on it failed. */
const whyNot = (error: unknown): Opened | undefined => {
  if (!(error instanceof Error)) return { how: 'gone' };
  if ('reason' in error) return { how: 'refused', reason: typeof error.reason === 'number' ? error.reason : 0 };
  return error.message === 'Unable to exec' || isNoTerminal(error) ? undefined : { how: 'gone' };
};

const isNoTerminal = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Unable to request a pseudo-terminal';

const unanswered = (host: Host): Failure =>
  new Failure('CONNECTION_LOST', `${host.name} was asked to run the command and did not say whether it does.`, {
    details: { host: host.name },
  });

const refusesCommands = (host: Host): Failure =>
  new Failure('UNSUPPORTED', `${host.name} refuses to run commands for ${host.user}.`, {
    next: 'Ask the operator: the account may be limited to file transfers or to forwarding.',
    details: { host: host.name },
  });

const refusesTerminals = (host: Host): Failure =>
  new Failure('UNSUPPORTED', `${host.name} gives ${host.user} no terminal (PermitTTY).`, {
    next: 'Use ssh_exec, or a managed session, which need none.',
    details: { host: host.name },
  });
