import type { Duplex } from 'node:stream';
import type { Channel } from '../command/channel.ts';
import type { Pty } from '../terminal/terminal-line.ts';
import type { Peer } from './connection.ts';

/**
 * What became of one try to run a command. `refused`: the host opened no channel, so nothing ran (RFC 4254 section 5.1).
 * `gone`: the connection ended before the channel was open, so nothing ran either.
 */
export type Opened =
  | { readonly how: 'open'; readonly channel: Channel }
  | { readonly how: 'refused'; readonly reason: number }
  | { readonly how: 'gone' };

/** How to open a channel: `attach` is called before any event of it can come. */
export type OpenOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly attach?: ((channel: Channel) => void) | undefined;
  readonly pty?: Pty | undefined;
  /** Asked of the host before the command, which drops what it does not take (RFC 4254 section 6.4, AcceptEnv). */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The command is the name of a subsystem (RFC 4254 section 6.5); a host that has none refuses it (UNSUPPORTED). */
  readonly subsystem?: boolean | undefined;
  readonly pause: (ms: number) => Promise<void>;
};

/** A session channel that is open, and of which nothing was asked yet. */
export type Prepared = {
  readonly isOpen: () => boolean;
  /** Asks it to run the command, with every promise of `Link.open`; once, and not for a command with a terminal. */
  readonly run: (command: string, options: OpenOptions) => Promise<Opened>;
  readonly close: () => void;
};

/** A connection that somebody has made to where the host listens for us: one of the two is to be called. */
export type Knock = { readonly accept: () => Duplex; readonly refuse: () => void };

/** Where the host listens for us. */
export type Listening = {
  readonly port: number;
  /** Lets nobody in any more, and resolves when the host has said that it listens no longer, or the link is over. */
  readonly close: () => Promise<void>;
};

/** One live connection, from its login to its end, whatever carries it; never used again after that. */
export type Link = {
  readonly peer: Peer;
  /** Of the key that the host proved, for asking for it first the next time; undefined when another program checked it. */
  readonly keyType: string | undefined;
  readonly isOpen: () => boolean;
  /** Calls back once, when it is over; at once when it already is. */
  readonly onClosed: (listener: () => void) => void;
  /** Says goodbye and drops the socket. */
  readonly end: () => void;
  /**
   * Opens a session channel and asks it to run the command. When `signal` comes before the channel is open, the request is
   * never sent (CANCELLED). When it comes after, the channel is handed out all the same, for its command to be stopped
   * properly; without an answer within a second its fate is unknown (CONNECTION_LOST).
   */
  readonly open: (command: string, options: OpenOptions) => Promise<Opened>;
  /** Opens a session channel ahead of its command; undefined when the host opens none. */
  readonly prepare?: () => Promise<Prepared | undefined>;
  /** Sends a signal request (RFC 4254 section 6.9); false when the channel is closed, closing, or not this link's. */
  readonly signal: (channel: Channel, name: string) => boolean;
  /**
   * A stream to an address that the host dials (RFC 4254 section 7.2), which can be ended one way and read on; rejects with
   * the reason when it does not.
   */
  readonly forward: (address: string, port: number) => Promise<Duplex>;
  /**
   * Has the host listen on its 127.0.0.1 (RFC 4254 section 7.1), on any free port for 0, until the link is over; `knock` is
   * told of each connection there. PORT_TAKEN, or UNSUPPORTED when it listens nowhere for this account, or not there alone.
   */
  readonly listen: (port: number, knock: (knock: Knock) => void) => Promise<Listening>;
};
