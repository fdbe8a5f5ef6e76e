import type { Clock, Log } from '../call.ts';
import type { Redaction } from '../text/redact.ts';
import { KEEP_BYTES } from './command/output.ts';
import type { Eyes } from './command/reap.ts';
import type { Connections } from './connection/connection.ts';
import type { Overseer } from './overseer.ts';

/** How much a grant may have open, and how long what is over can still be read. */
export type Caps = {
  /** Bytes of safe text kept of each stream of a command. */
  readonly keepBytes: number;
  /** A command that has written more to both streams together is stopped: far more than anybody reads, and no disk or link is worn out by it. */
  readonly maxOutputBytes: number;
  /** Commands of a grant, running or ended; the oldest ended one makes room. */
  readonly commandsPerGrant: number;
  readonly keepEndedMs: number;
  /** Commands of a grant that run on one host or wait for a lane to it: the rest of the grant's are for others. */
  readonly commandsPerHost: number;
  /** Bytes of memory for the output of all commands of a grant; what ended first lets go of its own first. */
  readonly keepTotalBytes: number;
  /** What a command left behind may write into nothing for so long: closing the channel kills it at its next write. */
  readonly leavingsMs: number;
  /** Detached commands of a grant that are not known to have ended. */
  readonly detachedPerGrant: number;
  readonly sessionsPerGrant: number;
  readonly sessionsPerHost: number;
  /** A session without a line for so long is over. */
  readonly sessionIdleMs: number;
  /** No session lives longer, whatever is done in it. */
  readonly sessionLifeMs: number;
  /** Transfers of a grant that move at a time; the others wait. */
  readonly transfersPerGrant: number;
  readonly tunnelsPerGrant: number;
  /** Connections through one tunnel at a time. */
  readonly tunnelConnections: number;
  /** A tunnel without a connection for so long is over. */
  readonly tunnelIdleMs: number;
  /** No tunnel lives longer, whatever goes through it. */
  readonly tunnelLifeMs: number;
};

/** How many links a host gets, and how long one without work stays open; milliseconds. */
export type LinkCaps = {
  readonly linksPerHost: number;
  /** Of a link beside another one. */
  readonly idleLinkMs: number;
  /** Of the last one; a session keeps it. */
  readonly idleConnectionMs: number;
};

/** Those unless configured. */
export const LINK_CAPS: LinkCaps = { linksPerHost: 3, idleLinkMs: 60_000, idleConnectionMs: 5 * 60_000 };

/** The caps unless configured. */
export const CAPS: Caps = {
  keepBytes: KEEP_BYTES,
  maxOutputBytes: 1_073_741_824,
  commandsPerGrant: 256,
  commandsPerHost: 48,
  keepTotalBytes: 67_108_864,
  keepEndedMs: 10 * 60_000,
  leavingsMs: 10 * 60_000,
  detachedPerGrant: 32,
  sessionsPerGrant: 16,
  sessionsPerHost: 12,
  sessionIdleMs: 30 * 60_000,
  sessionLifeMs: 24 * 60 * 60_000,
  transfersPerGrant: 4,
  tunnelsPerGrant: 16,
  tunnelConnections: 32,
  tunnelIdleMs: 30 * 60_000,
  tunnelLifeMs: 8 * 60 * 60_000,
};

/** What running commands needs from outside. */
export type Parts = Eyes & {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
  readonly caps: Caps;
  /** What no output may show. */
  readonly redaction: Redaction;
  /** Who shows the operator what is open. */
  readonly overseer?: Overseer;
};
