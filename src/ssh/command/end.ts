import type { CommandId } from '../../call.ts';
import type { Failure } from '../../errors.ts';

/** What a stop proved: `remaining` is what a look from the far side still found alive, `unlisted` how many more there are. */
export type StopReport = {
  readonly outcome: 'confirmed' | 'already_ended' | 'unconfirmed';
  readonly signals: readonly string[];
  readonly remaining: readonly { readonly pid: number; readonly command: string }[];
  readonly unlisted?: number;
};

/** A command that was stopped together with others, and what that proved. */
export type Stopped = StopReport & { readonly command_id: CommandId };

/** Why a command is stopped by us. */
export type StopCause = 'cancelled' | 'timed_out' | 'revoked';

/**
 * How a command ended, known only after its channel closed: a link that died without a status is `lost`, never a success.
 * `outputHeld`: the program ended, but processes that it left behind held its output open; what they write is not kept.
 * `unsent`: the host never got the command; with `lost`, `why` is what kept it from being sent.
 */
export type End =
  | { readonly how: 'exited'; readonly code: number; readonly outputHeld?: true }
  | { readonly how: 'signalled'; readonly signal: string; readonly outputHeld?: true }
  | { readonly how: StopCause; readonly stop: StopReport; readonly unsent?: true }
  | { readonly how: 'lost'; readonly why: Failure; readonly unsent?: true };

/** A command wrote more than `maxBytes` to both streams together, and was stopped for it; so many bytes are not kept. */
export type OutputLimit = { readonly maxBytes: number; readonly discarded: number };

/** How a command stands; `durationMs` is by the monotonic clock. */
export type Standing = {
  readonly end: End | undefined;
  readonly durationMs: number;
  /** Nothing was sent: it waits for a lane, and so many channels of its host are open or being opened. */
  readonly queued?: number;
  /** What the program left behind: whether it still holds the output and with it a lane, and how many bytes it wrote in vain. */
  readonly leavings?: { readonly open: boolean; readonly discarded: number };
  readonly outputLimit?: OutputLimit;
};
