import type { Socket } from 'node:net';
import type { Channel } from '../command/channel.ts';
import type { Mark } from '../command/mark.ts';
import type { Destination } from '../dial/dial-out.ts';
import type { Host } from '../host.ts';
import type { Pty } from '../terminal/terminal-line.ts';
import type { Verdict } from '../trust/trust.ts';
import type { Room } from './room.ts';
import type { Lent } from './through.ts';
import type { Warden } from './warden.ts';

/** What the far side said of itself when the connection became ready; `roundTripMs` is measured by the TCP handshake. */
export type Peer = {
  readonly server: string;
  readonly fingerprint: string;
  readonly roundTripMs: number;
  /** The IP address that this process dialled, where it knows. */
  readonly address?: string | undefined;
  /** The ways by which we were let in, kinds and ordinals; undefined when another program logged in. */
  readonly login?: readonly string[];
};

/** For whom a command is: lanes are shared fairly between grants, and within one between its sessions. */
export type Party = { readonly grant: string; readonly session?: string | undefined };

/** How to wait for a lane, and how to take the channel. */
export type ExecOptions = {
  readonly by?: Party | undefined;
  /** Gives up waiting, as long as the request is not sent. */
  readonly signal?: AbortSignal;
  /** Takes the one lane kept for stopping and probing: it never queues behind commands. */
  readonly reserved?: boolean;
  /** The command that a reserved lane is for: that of the link which carries it, where that is open and free. */
  readonly near?: Mark | undefined;
  /** The link that a reserved lane is wanted of, by its far side, and no other: CANCELLED when it is gone. */
  readonly over?: Peer | undefined;
  /** What has to be known of the far side of whichever link is to carry it, before anything is sent there; rejects if it is not fit. */
  readonly suits?: ((peer: Peer) => Promise<void>) | undefined;
  /** The command is the name of a subsystem to be begun in place of one (RFC 4254 section 6.5). */
  readonly subsystem?: boolean;
  /** It is a short question of ours which is answered at once: by its answer the login shell's start-up time is known. */
  readonly timed?: boolean;
  /** The command's mark, when its life hangs on ours: the warden knows of it before the request is sent. */
  readonly leased?: Mark;
  /** Asks for a terminal before the command; a host that gives none refuses it (UNSUPPORTED). */
  readonly pty?: Pty | undefined;
  /** Called when all lanes are taken, so that it has to wait for one; nothing was sent then. */
  readonly queued?: () => void;
  /**
   * Called synchronously when the far side accepted the request, before any event of the channel: attach listeners here.
   * After the promise it can be too late: `exit` may come in the same packet as the acceptance.
   */
  readonly attach?: (channel: Channel) => void;
};

/**
 * The connection to a host: one link, dialled on the first use and shared by everybody, and more up to a cap while commands
 * wait for a lane. Dialled again on the next use after they dropped, or were closed because nobody had used them for long.
 */
export type Connection = {
  readonly host: Host;
  /** `closed` when it was ready once or failed; the next use dials again. */
  readonly state: () => 'idle' | 'connecting' | 'ready' | 'closed';
  /**
   * Opens a session channel in a lane and sends the exec request (RFC 4254 section 6.5), never before the host's key is
   * trusted and the login done. The lane is free again when the channel's `close` came, which needs both of its streams
   * read to their end. A refused open never ran and is retried; an exec request never is.
   * Rejects with a `Failure`: UNREACHABLE, AUTH_FAILED, HOST_KEY_*, BUSY, UNSUPPORTED (the host refuses exec requests),
   * CANCELLED (`signal`, nothing was sent), CONNECTION_LOST (the request was sent and its fate is unknown), SHUTTING_DOWN.
   */
  readonly exec: (command: string, options?: ExecOptions) => Promise<Channel>;
  /**
   * Sends an SSH signal (`TERM`, without `SIG`) to a channel's command, after its stdin ended too; says whether it was
   * sent. No proof of anything: sshd drops it silently where it has no separate privileged process, as for root.
   */
  readonly signal: (channel: Channel, name: string) => boolean;
  /** Dials if need be. Rejects as `exec` does before anything is sent. */
  readonly ready: (options?: { readonly signal?: AbortSignal }) => Promise<Peer>;
  /** A warden who stands on the host: that of the link which carries the command, or another. */
  readonly warden: (near?: Mark) => Warden | undefined;
  /** Whether the link with this far side is open. */
  readonly reaches: (peer: Peer) => boolean;
  /** The far sides of its open links. */
  readonly peers: () => readonly Peer[];
  /** Whether each of its links has a warden, so that what runs there ends when this process does. */
  readonly leased: () => boolean;
  /** Nothing of this command is left to be guarded. */
  readonly release: (mark: Mark) => void;
  /** Keeps it open though nothing runs, until what it gives back is called. */
  readonly hold: () => () => void;
  /** Lends one of its links, dialled if need be, for a tunnel. Rejects as `exec` does before anything is sent. */
  readonly lend: (signal?: AbortSignal) => Promise<Lent>;
  /** Whether links to other hosts run through it, or tunnels. */
  readonly carriesLinks: () => boolean;
  /**
   * What the login shell needs before it runs a command, in milliseconds without the round trip: from what was asked there
   * anyway, or from its warden, who is waited for; undefined when neither is known.
   */
  readonly startup: (signal?: AbortSignal) => Promise<number | undefined>;
  /** How many sessions its first link has room for, `most` at most: opens them, so for a person who asks and not beside commands. */
  readonly room: (most: number, signal?: AbortSignal) => Promise<Room | undefined>;
  /** Drops its sockets; open channels close without a status, and so do links to other hosts through it. The next use dials again. */
  readonly close: () => void;
  /** Channels that are open or being opened, over all of its links. */
  readonly channels: () => number;
  /** What is known of the host's key: what it met at the last dial, or what known_hosts and pins say now. */
  readonly key: () => Promise<Verdict>;
};

/** The connections of this process, one a host; that of a host which was configured anew is closed once nothing of it runs. */
export type Connections = {
  /** The connection to a configured host, dialled on its first use; throws `UNKNOWN_HOST` for any other name. */
  readonly get: (host: string) => Connection;
  /** Those that were asked for so far. */
  readonly all: () => readonly Connection[];
  /** A TCP connection from this machine: see `dialOut`. */
  readonly dialOut: (to: Destination, signal: AbortSignal) => Promise<Socket>;
  /** Whether `dialOut` may dial an address now. */
  readonly mayDialOut: (address: string) => boolean;
  /** Gives up those that lead to an address, or through a hop at one, that may not be dialled any more; their names. */
  readonly rejudge: () => readonly string[];
  /** Drops every socket, for good: what is asked afterwards is refused with `SHUTTING_DOWN`. */
  readonly closeAll: () => void;
};
