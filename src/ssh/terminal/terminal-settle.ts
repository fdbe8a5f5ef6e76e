import { givingUpWith } from '../giving-up.ts';
import { type After, within } from '../timer.ts';
import type { Terminal, TerminalLook } from './terminal.ts';
import type { TtyState } from './tty-state.ts';

/** From where on the output is awaited, for how long at most, and who no longer wants to know. */
export type Waiting = { readonly from: number; readonly ms: number; readonly signal: AbortSignal };

/** What was typed shows at once, as a rule; what shows nothing is looked at after so long. */
const FIRST_MS = 300;
/** Silence that is worth a look, at first and at most. */
const QUIET_MS = 60;
const MOST_QUIET_MS = 500;
/** Where the host cannot tell, this much silence is rest. */
const UNKNOWN_MS = 240;
/** More than one answer shows. */
const ENOUGH_BYTES = 24_000;
/** States in which nothing more comes until somebody types. */
const RESTING: ReadonlySet<TtyState> = new Set(['prompt', 'waiting_input', 'password', 'fullscreen']);

/**
 * Waits until the terminal is quiet and waits for somebody, has ended, or has written more than one answer shows; where the host
 * cannot tell, until it is quiet. Gives back the last look.
 */
export const settled = async (
  terminal: Pick<Terminal, 'transcript' | 'look' | 'command'>,
  { from, ms, signal }: Waiting,
  after: After,
): Promise<TerminalLook> => {
  const { transcript, command } = terminal;
  const givingUp = givingUpWith(signal);
  const callOff = after(ms, givingUp.now);
  const over = Promise.race([command.ended, abortOf(givingUp.signal)]);
  const isOver = (): boolean => givingUp.signal.aborted || command.state().end !== undefined;
  try {
    await within(after, FIRST_MS, Promise.race([transcript.grown(from), over]));
    for (let quietMs = QUIET_MS; ; ) {
      const seen = transcript.length;
      await within(after, quietMs, Promise.race([transcript.grown(seen), over]));
      if (isOver() || transcript.length - from >= ENOUGH_BYTES) return await terminal.look();
      if (transcript.length > seen) continue;
      const look = await terminal.look();
      const rests = (RESTING.has(look.state) && !look.busy) || (look.state === 'unknown' && quietMs >= UNKNOWN_MS);
      if (rests && transcript.length === seen) return look;
      quietMs = Math.min(2 * quietMs, MOST_QUIET_MS);
    }
  } finally {
    callOff();
    givingUp.release();
  }
};

const abortOf = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
