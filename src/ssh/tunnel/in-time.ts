import { Failure } from '../../errors.ts';
import { unlessGivenUp } from '../given-up.ts';
import { givingUpWith } from '../giving-up.ts';
import type { After } from '../timer.ts';

/** How something is waited for; `undo` takes back what came when nobody waited any more, `late` says what did not come. */
type Wait<T> = {
  readonly after: After;
  readonly ms: number;
  readonly signal: AbortSignal;
  readonly undo: (done: T) => void;
  readonly late: string;
};

/** Does something that may take so long: rejects with UNREACHABLE when it takes longer, with CANCELLED when it is given up. */
export const inTime = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  { after, ms, signal, undo, late }: Wait<T>,
): Promise<T> => {
  const givingUp = givingUpWith(signal);
  let isLate = false;
  const callOff = after(ms, () => {
    isLate = true;
    givingUp.now();
  });
  const working = work(givingUp.signal);
  try {
    return await unlessGivenUp(working, givingUp.signal);
  } catch (error) {
    working.then(undo, () => undefined);
    throw isLate ? new Failure('UNREACHABLE', late) : error;
  } finally {
    callOff();
    givingUp.release();
  }
};
