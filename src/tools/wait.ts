import type { Command } from '../ssh/fleet.ts';
import type { Moment } from './tool.ts';

/** A wait that has ended: something came, the time passed, or nobody wants the answer any more. */
export type Waited = 'came' | 'passed' | 'aborted';

/** Waits for `coming`, at most `ms`, and no longer than the caller does. */
export const wait = async (coming: Promise<unknown>, ms: number, signal: AbortSignal): Promise<Waited> => {
  if (signal.aborted) return 'aborted';
  const { promise, resolve } = settler<Waited>();
  const timer = setTimeout(() => resolve('passed'), ms);
  const abort = (): void => resolve('aborted');
  signal.addEventListener('abort', abort, { once: true });
  coming.then(
    () => resolve('came'),
    () => resolve('came'),
  );
  const outcome = await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', abort);
  return outcome;
};

/** A little more than the second that has to lie between two messages of progress, so that none is left out by a hair. */
export const TELL_MS = 1_020;

/** Waits for a command's end, saying once a second how far it is; a caller that gives up stops the command. */
export const waitForEnd = async (command: Command, ms: number, moment: Moment): Promise<void> => {
  const ticker = setInterval(() => moment.progress(progressOf(command)), TELL_MS);
  try {
    const outcome = await wait(command.ended, ms, moment.signal);
    if (outcome === 'aborted') await command.stop('cancelled');
  } finally {
    clearInterval(ticker);
  }
};

const progressOf = (command: Command): string => {
  const { durationMs, queued } = command.state();
  const seconds = Math.round(durationMs / 1000);
  if (queued !== undefined) return `${command.host}: waiting for a lane for ${seconds} s, nothing was sent yet`;
  return `${command.host}: running for ${seconds} s, ${command.stdout.length + command.stderr.length} bytes of output`;
};

const settler = <T>(): { promise: Promise<T>; resolve: (value: T) => void } => {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>(done => {
    resolve = done;
  });
  return { promise, resolve };
};
