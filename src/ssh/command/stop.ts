import type { Connection } from '../connection/connection.ts';
import { within } from '../timer.ts';
import type { Channel } from './channel.ts';
import type { StopReport } from './end.ts';
import type { Mark } from './mark.ts';
import { type Eyes, type Reaped, reap } from './reap.ts';

/** A command to stop: its channel, and when that has closed. */
export type Running = {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly closed: Promise<unknown>;
  readonly mark: Mark;
};

/** How long the host may take to close the channel of a program that is gone. */
const CLOSE_MS = 200;
/** By signal requests alone: TERM first, since KILL on sudo leaves what sudo runs alive. */
const BLIND = [
  ['TERM', 500],
  ['KILL', 300],
] as const;

/**
 * Stops a command's whole process tree: INT, TERM, KILL to all that carries the mark or belongs to it. Confirmed only when a
 * look from the far side finds nothing alive and the channel has closed as well: a login shell that is still in its startup files
 * carries no mark yet, so while the channel is open it is sent a signal of the protocol and looked for again. `first` is a
 * look under way that covers this command.
 */
export const stopTree = async (running: Running, eyes: Eyes, first?: Promise<Reaped>): Promise<StopReport> => {
  let look = first;
  const { connection, channel, closed, mark } = running;
  const signals: string[] = [];
  const report = (outcome: StopReport['outcome'], reaped?: Reaped): StopReport => ({
    outcome,
    signals: [...new Set(signals)],
    remaining: reaped?.remaining ?? [],
    ...(reaped?.unlisted === undefined ? {} : { unlisted: reaped.unlisted }),
  });
  for (const next of ['TERM', 'KILL', undefined]) {
    const reaped = await (look ?? reap(connection, [mark], eyes));
    look = undefined;
    signals.push(...reaped.signals);
    if (reaped.proven && (await within(eyes.after, CLOSE_MS, closed))) return report('confirmed');
    if (reaped.remaining.length > 0 || (reaped.proven && next === undefined)) return report('unconfirmed', reaped);
    if (!reaped.proven || next === undefined) break;
    if (connection.signal(channel, next)) signals.push(next);
  }
  for (const [name, graceMs] of BLIND) {
    if (connection.signal(channel, name)) signals.push(name);
    if (await within(eyes.after, graceMs, closed)) break;
  }
  return report('unconfirmed');
};
