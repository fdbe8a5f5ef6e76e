import type { Failure } from '../../errors.ts';
import type { Opened, OpenOptions, Prepared } from '../connection/link.ts';
import { refuses, refusesTerminals, unanswered } from '../dial/open-channel.ts';
import { unsent } from '../given-up.ts';
import { once } from '../giving-up.ts';
import type { Host } from '../host.ts';
import type { Mux } from './mux.ts';
import type { MuxChannel } from './mux-channel.ts';

/** How long an exec request that was sent is still waited for after its caller gave up. */
const GRACE_MS = 1_000;

/** Opens a session channel and asks it to run the command: see `Link.open`. */
export const openSession = (mux: Mux, host: Host, command: string, options: OpenOptions): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted === true) return reject(unsent());
    const release = once(signal, () => reject(unsent()));
    const opening = {
      // Given up meanwhile, it is closed, and asked for nothing.
      opened: (channel: MuxChannel) => {
        release();
        runOn(channel, host, command, options).then(resolve, reject);
      },
      refused: (reason: number) => {
        release();
        resolve({ how: 'refused', reason });
      },
      gone: () => {
        release();
        resolve({ how: 'gone' });
      },
    };
    mux.open('session', [], opening);
  });

/** Opens a session channel ahead of its command: see `Link.prepare`. */
export const prepareSession = (mux: Mux, host: Host): Promise<Prepared | undefined> =>
  new Promise(resolve => {
    const none = (): void => resolve(undefined);
    const opened = (channel: MuxChannel): void =>
      resolve({
        isOpen: () => channel.alive,
        run: (command, options) => runOn(channel, host, command, options),
        close: () => drop(channel),
      });
    mux.open('session', [], { opened, refused: none, gone: none });
  });

/** Closes a channel that nobody will read. */
const drop = (channel: MuxChannel): void => {
  channel.resume();
  channel.stderr.resume();
  channel.close();
};

/** Asks an open channel for a terminal first, where one is wanted: a host that gives none is never sent the command. */
const runOn = (channel: MuxChannel, host: Host, command: string, options: OpenOptions): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const { signal, pause, pty, subsystem, env = {} } = options;
    if (signal?.aborted === true) {
      drop(channel);
      return reject(unsent());
    }
    let sent = false;
    const verdict = verdictOn(channel, options, resolve, reject);
    const exec = (): void => {
      if (verdict.given()) return;
      sent = channel.request(subsystem === true ? 'subsystem' : 'exec', [command], yes => {
        if (yes === true) verdict.runs();
        else verdict.fails(yes === undefined ? unanswered(host) : refuses(host, options));
      });
      if (!sent) verdict.gone();
    };
    const giveUp = async (): Promise<void> => {
      if (sent) await pause(GRACE_MS);
      verdict.fails(sent ? unanswered(host) : unsent());
    };
    verdict.whenGiven(once(signal, () => void giveUp()));
    for (const [name, value] of Object.entries(env)) channel.request('env', [name, value]);
    if (pty === undefined) return exec();
    const asked = channel.request('pty-req', [pty.term, pty.cols, pty.rows, 0, 0, ''], yes => {
      if (yes === true) exec();
      else if (yes === undefined) verdict.gone();
      else verdict.fails(refusesTerminals(host));
    });
    if (!asked) verdict.gone();
  });

/** What came of asking, told once; the channel of a failure is closed. */
const verdictOn = (
  channel: MuxChannel,
  { attach }: OpenOptions,
  resolve: (opened: Opened) => void,
  reject: (failure: Failure) => void,
) => {
  let given = false;
  let release: () => void = () => undefined;
  const give = (tell: () => void): void => {
    if (given) return;
    given = true;
    release();
    tell();
  };
  return {
    given: () => given,
    whenGiven: (act: () => void) => {
      release = act;
      if (given) act();
    },
    gone: () => give(() => resolve({ how: 'gone' })),
    runs: () =>
      give(() => {
        attach?.(channel);
        resolve({ how: 'open', channel });
      }),
    fails: (failure: Failure) =>
      give(() => {
        drop(channel);
        reject(failure);
      }),
  };
};
