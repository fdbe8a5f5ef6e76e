import type { Failure } from '../errors.ts';

/** What a stop proved: `remaining` is what a look from the far side still found alive. */
export type StopReport = {
  readonly outcome: 'confirmed' | 'already_ended' | 'unconfirmed';
  readonly signals: readonly string[];
  readonly remaining: readonly { readonly pid: number; readonly command: string }[];
};

/** Why a command is stopped by us. */
export type StopCause = 'cancelled' | 'timed_out' | 'revoked';

/**
 * How a command ended, known only after its channel closed: a link that died without a status is `lost`, never a success.
 * `outputHeld`: the program ended, but processes that it left behind held its output open; nothing they write is read.
 */
export type End =
  | { readonly how: 'exited'; readonly code: number; readonly outputHeld?: true }
  | { readonly how: 'signalled'; readonly signal: string; readonly outputHeld?: true }
  | { readonly how: StopCause; readonly stop: StopReport }
  | { readonly how: 'lost'; readonly why: Failure };
