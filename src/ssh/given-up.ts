import { Failure } from '../errors.ts';

/** What a caller hears who gave up before anything was sent. */
export const unsent = (): Failure =>
  new Failure('CANCELLED', 'It was given up before it began; nothing was sent to the host.');

/** Stops waiting as soon as `signal` comes; what was waited for goes on for others. */
export const unlessGivenUp = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(unsent());
    const done = (): void => signal.removeEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).then(done, done);
  });
};
