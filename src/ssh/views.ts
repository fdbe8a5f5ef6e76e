import type { CommandId, SessionId } from '../call.ts';
import type { Session } from './fleet.ts';
import type { Terminal } from './terminal/terminal.ts';
import type { TransferView } from './transfer/transfer.ts';
import type { TunnelView } from './tunnel/tunnel.ts';

/** A configured host as an agent may see it. */
export type HostView = {
  readonly name: string;
  readonly user: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  /** The host that carries the connection to this one. */
  readonly via?: string;
  /** Who speaks SSH to it, where that is not ssh2. */
  readonly transport?: 'openssh';
  readonly state: 'idle' | 'connecting' | 'ready' | 'closed';
  readonly key: 'pinned' | 'known' | 'unknown' | 'changed' | 'revoked';
};

/** An open connection: the server's own version text (made safe), its key's SHA-256, the round trip, and what the login shell takes to start. */
export type ConnectionView = {
  readonly host: string;
  readonly state: HostView['state'];
  readonly server: string;
  readonly fingerprint: string;
  readonly roundTripMs: number;
  readonly shellStartupMs?: number;
};

/** Everything of one grant that is open. */
export type Status = {
  readonly connections: readonly {
    readonly host: string;
    readonly state: HostView['state'];
    readonly channels: number;
    /** Whether a warden stands there: remote work ends by itself when this process is gone. */
    readonly leased: boolean;
  }[];
  readonly commands: readonly {
    readonly command_id: CommandId;
    readonly host: string;
    readonly status: string;
    readonly duration_ms: number;
    /** It waits for a lane, with so many channels of its host in use. */
    readonly queued?: number;
    /** It outlives this process. */
    readonly detached?: true;
    /** Why nothing was sent. */
    readonly unsent?: string;
    /** Something that it left behind holds its output, and a lane. */
    readonly output_held?: true;
  }[];
  readonly sessions: readonly {
    readonly session_id: SessionId;
    readonly host: string;
    readonly mode: (Session | Terminal)['mode'];
    /** Of a managed one. */
    readonly cwd?: string;
    readonly running?: CommandId;
    /** Since it was last used; after its end, since that. */
    readonly idle_ms: number;
    /** How long it may still live, if it is used; a session that is not is over before. */
    readonly ends_in_ms: number;
  }[];
  readonly transfers: readonly TransferView[];
  readonly tunnels: readonly TunnelView[];
  /** Commands that have ended and can still be read, and the memory that the output of all takes. */
  readonly kept: { readonly commands: number; readonly bytes: number; readonly max_bytes: number };
};
