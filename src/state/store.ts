import type { Charge } from '../policy/decision.ts';
import type { Approvals } from './approvals.ts';
import type { Handles } from './handles.ts';

/** Charged in full, or refused by `short` with nothing taken; `retryAfterMs` is exact for windows, absent for concurrency. */
export type ChargeResult =
  | { readonly ok: true; readonly ticket: Ticket }
  | { readonly ok: false; readonly short: Charge; readonly retryAfterMs?: number };

/** What was charged, for giving it back. */
export type Ticket = { readonly id: string };

/** How much of a limit is used now; `freeInMs` is how long until its amount would be admitted, when that needs only waiting. */
export type Level = { readonly used: number; readonly max: number; readonly freeInMs?: number };

/** Where the last line of one audit file stands, kept outside that file so that a cut tail shows. */
export type Head = { readonly file: string; readonly seq: number; readonly mac: string };

/**
 * Counters and handles that outlive the process, shared by every process of the machine. Every method settles within a second:
 * what cannot be counted is a `Failure` POLICY_UNAVAILABLE, never a guess.
 */
export type Store = Handles & {
  /** Takes all charges or none, with the clock read inside the transaction. */
  readonly charge: (charges: readonly Charge[]) => Promise<ChargeResult>;
  /** Gives back everything of a ticket: only for an effect that never began. */
  readonly refund: (ticket: Ticket) => Promise<void>;
  /** Frees the concurrent part of a ticket: what it stood for has ended. Window charges stay. */
  readonly release: (ticket: Ticket) => Promise<void>;
  /** Reads without charging. */
  readonly level: (charge: Charge) => Promise<Level>;
  readonly setHead: (head: Head) => Promise<void>;
  readonly heads: () => Promise<readonly Head[]>;
  readonly approvals: Approvals;
  /** Releases the file; after it, every call fails. */
  readonly close: () => void;
};
