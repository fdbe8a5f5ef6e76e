import type { After } from '../timer.ts';

/** What is looked for while an answer is owed. */
export type Silence = {
  /** An answer is owed from now on, unless one was already. */
  readonly owed: () => void;
  /** Something came, or was taken. */
  readonly heard: () => void;
  readonly stop: () => void;
};

/** `patience`: how many times `silentMs` what is owed now may take; 0 when nothing is. */
type Terms = { readonly after: After; readonly silentMs: number; readonly patience: () => number };

/** Looks are counted, not time, so that a process that was stopped for a while hears first what arrived meanwhile. */
const LOOKS = 6;

/** Calls `tooLong` once when nothing was heard for too long, a look more at most, while something was owed. */
export const watchSilence = ({ after, silentMs, patience }: Terms, tooLong: () => void): Silence => {
  let callOff: (() => void) | undefined;
  let looks = 0;
  const look = (): void => {
    callOff = undefined;
    const most = LOOKS * patience();
    if (most === 0) return;
    if (looks < most) callOff = after(silentMs / LOOKS, look);
    else tooLong();
    looks += 1;
  };
  return {
    owed: () => {
      if (callOff !== undefined) return;
      looks = 0;
      look();
    },
    heard: () => {
      looks = 0;
    },
    stop: () => {
      callOff?.();
      callOff = undefined;
    },
  };
};
