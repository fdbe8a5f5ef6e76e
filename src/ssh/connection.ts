import type { Channel } from './channel.ts';
import type { Host } from './host.ts';
import type { Mark } from './mark.ts';
import type { Pty } from './terminal-line.ts';
import type { Verdict } from './trust.ts';
import type { Warden } from './warden.ts';

/** What the far side said of itself when the connection became ready; `roundTripMs` is measured by the TCP handshake. */
export type Peer = { readonly server: string; readonly fingerprint: string; readonly roundTripMs: number };

/** How to wait for a lane, and how to take the channel. */
export type ExecOptions = {
  /** Gives up waiting, as long as the request is not sent. */
  readonly signal?: AbortSignal;
  /** Takes the one lane kept for stopping and probing: it never queues behind commands. */
  readonly reserved?: boolean;
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

/** The one connection to a host: dialled on the first use, shared by everybody, dialled again on the next use after it dropped. */
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
  /** Who stands on the host for this connection, if anybody does. */
  readonly warden: () => Warden | undefined;
  /** Drops the socket; open channels close without a status. The next use dials again. */
  readonly close: () => void;
  /** Channels that are open or being opened. */
  readonly channels: () => number;
  /** What is known of the host's key: what it met at the last dial, or what known_hosts and pins say now. */
  readonly key: () => Promise<Verdict>;
};

/** The connections of this process, at most one a host. */
export type Connections = {
  /** The connection to a configured host, dialled on its first use; throws `UNKNOWN_HOST` for any other name. */
  readonly get: (host: string) => Connection;
  /** Those that were asked for so far. */
  readonly all: () => readonly Connection[];
  /** Drops every socket, for good: what is asked afterwards is refused with `SHUTTING_DOWN`. */
  readonly closeAll: () => void;
};
