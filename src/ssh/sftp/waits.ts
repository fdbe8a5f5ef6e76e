import { once } from '../giving-up.ts';
import { stopped } from './over.ts';

/** Waiting for one thing after the other until a signal comes: CANCELLED then, whatever is waited for. */
export type Waits = {
  readonly wait: <T>(work: T | Promise<T>) => Promise<T>;
  /** Lets go of a signal that lives longer. */
  readonly release: () => void;
};

/** One listener for all of them: a race against one long promise would keep each of its waits in memory. */
export const waitsUntil = (signal: AbortSignal | undefined): Waits => {
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
