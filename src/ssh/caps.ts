import type { Clock, Log } from '../call.ts';
import type { Connections } from './connection.ts';
import { KEEP_BYTES } from './output.ts';
import type { Eyes } from './reap.ts';

/** How much a grant may have open, and how long what is over can still be read. */
export type Caps = {
  /** Bytes of safe text kept of each stream of a command. */
  readonly keepBytes: number;
  /** Commands of a grant, running or ended; the oldest ended one makes room. */
  readonly commandsPerGrant: number;
  readonly keepEndedMs: number;
  /** What a command left behind may write into nothing for so long: closing the channel kills it at its next write. */
  readonly leavingsMs: number;
  readonly sessionsPerGrant: number;
  /** A session without a line for so long is over. */
  readonly sessionIdleMs: number;
};

/** The caps unless configured. */
export const CAPS: Caps = {
  keepBytes: KEEP_BYTES,
  commandsPerGrant: 64,
  keepEndedMs: 10 * 60_000,
  leavingsMs: 10 * 60_000,
  sessionsPerGrant: 16,
  sessionIdleMs: 30 * 60_000,
};

/** What running commands needs from outside. */
export type Parts = Eyes & {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
  readonly caps: Caps;
};
