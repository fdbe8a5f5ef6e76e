import { once } from '../giving-up.ts';
import { stopped } from './over.ts';

/** Waiting for one thing after the other until a signal comes: CANCELLED then, whatever is waited for. */
export type Turns = {
  readonly wait: <T>(work: T | Promise<T>) => Promise<T>;
  /** Lets go of a signal that lives longer. */
  readonly release: () => void;
};

/** One listener for all of them: a race against one long promise would keep each of its turns in memory. */
export const turnsUntil = (signal: AbortSignal | undefined): Turns => {
  let stop: (why: unknown) => void = () => undefined;
  const release = once(signal, () => stop(stopped()));
  const wait = <T>(work: T | Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      stop = reject;
      if (signal?.aborted === true) reject(stopped());
      if (work instanceof Promise) work.then(resolve, reject);
      else resolve(work);
    });
  return { wait, release };
};
