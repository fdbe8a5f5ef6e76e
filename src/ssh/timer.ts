/** Runs something once, after so many milliseconds; calling the result calls it off. */
export type After = (ms: number, run: () => void) => () => void;

/** Longer delays overflow in Node, and would run at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The timers of this process. */
export const after: After = (ms, run) => {
  const timer = setTimeout(run, Math.min(ms, LONGEST_MS));
  return () => clearTimeout(timer);
};

/** Whether `promise` settles within `ms`. */
export const within = (after: After, ms: number, promise: Promise<unknown>): Promise<boolean> =>
  new Promise(resolve => {
    const callOff = after(ms, () => resolve(false));
    const settle = (): void => {
      callOff();
      resolve(true);
    };
    promise.then(settle, settle);
  });
