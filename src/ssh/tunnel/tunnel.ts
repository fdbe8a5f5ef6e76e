import type { TunnelId } from '../../call.ts';

/** A tunnel as its grant may see it; bytes are counted from the side that listens. */
export type TunnelView = {
  readonly id: TunnelId;
  readonly host: string;
  readonly direction: 'local' | 'remote';
  /** `127.0.0.1` of the side that listens. */
  readonly listenPort: number;
  readonly to: { readonly host: string; readonly port: number };
  /** `waiting` while the connection that carries it is being opened anew. */
  readonly state: 'open' | 'waiting' | 'ended';
  /** Why it is not open, or why the last connection through it came to nothing. */
  readonly why?: string;
  /** How often the connection that carries it was opened anew. */
  readonly reconnects: number;
  /** Open now, or being led on. */
  readonly connections: number;
  /** Since it began, with those that failed. */
  readonly total: number;
  /** Those that were refused or could not be led on. */
  readonly failed: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Since something moved, came or went. */
  readonly idleMs: number;
  /** How long it may still live. */
  readonly endsInMs: number;
};
