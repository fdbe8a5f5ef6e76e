import type { After } from '../timer.ts';

/** A program has ended, and its output is quiet for so long, or has gone on for so long: what still holds it is not the program. */
const QUIET_MS = 250;
const DRAIN_MS = 10_000;

/** A wait for the output of a program that has ended to fall silent. */
export type Drain = {
  /** There was output: silence begins anew. */
  readonly heard: () => void;
  readonly callOff: () => void;
};

/** Calls `release` once something else holds the output of a program that has just ended. */
export const drain = (after: After, release: () => void): Drain => {
  const callOffDrain = after(DRAIN_MS, release);
  let callOffQuiet = after(QUIET_MS, release);
  return {
    heard: () => {
      callOffQuiet();
      callOffQuiet = after(QUIET_MS, release);
    },
    callOff: () => {
      callOffDrain();
      callOffQuiet();
    },
  };
};
