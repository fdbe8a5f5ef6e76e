import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Opened, OpenOptions, Prepared } from '../connection/link.ts';
import { unsent } from '../given-up.ts';
import type { Host } from '../host.ts';
import { refusesSubsystem } from '../sftp/over.ts';
import { closeUnclaimed, endsOf, execOn, expectChannel, isChannel, openBare, takeBack } from './wire.ts';

/** How long an exec request that was sent is still waited for after its caller gave up. */
const GRACE_MS = 1_000;

type Line = { readonly client: Client; readonly isOpen: () => boolean };

/** Opens a session channel of an ssh2 client and asks it to run the command: see `Link.open`. */
export const openExec = (host: Host, line: Line, command: string, options: OpenOptions): Promise<Opened> => {
  const send: Send = answer =>
    sendOpen(line, command, options, answer) ? { number: expectChannel(line.client) } : undefined;
  return askFor(host, line, options, send);
};

/** Opens a session channel ahead of the command: see `Link.prepare`. */
export const prepareExec = (host: Host, line: Line): Promise<Prepared | undefined> =>
  new Promise(resolve => {
    const { client } = line;
    const opened = (error: unknown, channel: unknown): void =>
      resolve(!error && isChannel(channel) ? prepared(host, line, channel) : undefined);
    if (!line.isOpen() || !openBare(client, opened)) resolve(undefined);
  });

const prepared = (host: Host, line: Line, channel: ClientChannel): Prepared => {
  const { client } = line;
  const run: Prepared['run'] = (command, options) => {
    const { env = {}, subsystem = false } = options;
    const ends = endsOf(channel);
    const send: Send = answer => {
      const answered = (failed: boolean): void => answer(failed ? new Error(REFUSED) : undefined, channel);
      const sent = line.isOpen() && execOn(client, channel, { command, env, subsystem }, answered);
      return sent && ends !== undefined ? { number: ends.here } : undefined;
    };
    return askFor(host, line, options, send);
  };
  let spoilt = false;
  // What comes before anything was asked is no answer to what will be.
  channel.once('exit', () => {
    spoilt = true;
  });
  const isOpen = (): boolean => {
    const early = spoilt || channel.readableLength + channel.stderr.readableLength > 0;
    return !early && endsOf(channel) !== undefined;
  };
  return { isOpen, run, close: () => channel.close() };
};

type Answer = (error: unknown, channel: ClientChannel) => void;
/** Sends the request, and says on which channel of ours; undefined when nothing was sent. */
type Send = (answer: Answer) => { readonly number: number | undefined } | undefined;

/** What ssh2 says when the exec request is refused, and when that for a subsystem is. */
const REFUSED = 'Unable to exec';
const NO_SUBSYSTEM = 'Unable to start subsystem';

const askFor = (host: Host, line: Line, options: OpenOptions, send: Send): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const { client } = line;
    const { signal, attach, pause, subsystem } = options;
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
    const answer: Answer = (error, channel) => {
      signal?.removeEventListener('abort', abort);
      if (!waiting) return;
      waiting = false;
      if (!error) attach?.(channel);
      const opened: Opened | undefined = error ? whyNot(error) : { how: 'open', channel };
      if (opened !== undefined) resolve(opened);
      else if (isNoTerminal(error)) reject(refusesTerminals(host));
      // Nothing was asked of the subsystem yet: on another line it may begin again.
      else if (subsystem === true && !line.isOpen()) resolve({ how: 'gone' });
      else reject(closeUnclaimed(client, number) ? refuses(host, options) : unanswered(host));
    };
    if (signal?.aborted === true) return reject(unsent());
    const sent = send(answer);
    if (sent === undefined) return resolve({ how: 'gone' });
    number = sent.number;
    signal?.addEventListener('abort', abort, { once: true });
  });

/** ssh2 throws when the socket is closed already: nothing was sent then. */
const sendOpen = (line: Line, command: string, { pty, env, subsystem }: OpenOptions, answer: Answer): boolean => {
  if (!line.isOpen()) return false;
  const { client } = line;
  try {
    if (subsystem === true) client.subsys(command, answer);
    else client.exec(command, { ...(pty && { pty }), ...(env && { env }) }, answer);
    return true;
  } catch {
    return false;
  }
};

/** Why the channel did not open; undefined when it did, and the exec request on it failed. */
const whyNot = (error: unknown): Opened | undefined => {
  if (!(error instanceof Error)) return { how: 'gone' };
  if ('reason' in error) return { how: 'refused', reason: typeof error.reason === 'number' ? error.reason : 0 };
  return error.message === REFUSED || error.message.startsWith(NO_SUBSYSTEM) || isNoTerminal(error)
    ? undefined
    : { how: 'gone' };
};

const isNoTerminal = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Unable to request a pseudo-terminal';

/** The host was asked, and nobody knows what it did. */
export const unanswered = (host: Host): Failure =>
  new Failure('CONNECTION_LOST', `${host.name} was asked to run the command and did not say whether it does.`, {
    details: { host: host.name },
  });

/** The host opened a channel, and refused what was asked of it. */
export const refuses = (host: Host, { subsystem }: Pick<OpenOptions, 'subsystem'>): Failure =>
  subsystem === true ? refusesSubsystem(host.name) : refusesCommands(host);

/** The host opened a channel and runs nothing on it. */
const refusesCommands = (host: Host): Failure =>
  new Failure('UNSUPPORTED', `${host.name} refuses to run commands for ${host.user}.`, {
    next: 'Ask the operator: the account may be limited to file transfers or to forwarding.',
    details: { host: host.name },
  });

/** The host gives no terminal; nothing was asked of it after that. */
export const refusesTerminals = (host: Host): Failure =>
  new Failure('UNSUPPORTED', `${host.name} gives ${host.user} no terminal (PermitTTY).`, {
    next: 'Use ssh_exec, or a managed session, which need none.',
    details: { host: host.name },
  });
