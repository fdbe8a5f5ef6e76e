/** Tries something that somebody else may be in the way of; `undefined` means: not yet. */
export type Attempt<Out> = () => { readonly out: Out } | undefined;

/** Waits without holding up anything else. */
export type Pause = (ms: number) => Promise<void>;

const PAUSE_MS = 15;
const PATIENCE_MS = 850;
/** For a clock that stands still: about as long, with a busy timeout of 10 ms a try. */
const TRIES = 30;

type Waiting = {
  readonly attempt: () => boolean;
  readonly giveUp: () => void;
  readonly since: number;
  left: number;
};

/**
 * Attempts in the order in which they came, the first at once and synchronously. Whoever is still in the way after less
 * than a second makes an attempt fail with `late`; only the first in the line touches what they all wait for.
 */
export const makeLine = (
  nowMs: () => number,
  pause: Pause,
  late: () => Error,
): (<Out>(attempt: Attempt<Out>) => Promise<Out>) => {
  const waiting: Waiting[] = [];
  let moving = false;
  const move = async (): Promise<void> => {
    moving = true;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first.attempt()) waiting.shift();
      else {
        dropLate(waiting, nowMs());
        await pause(PAUSE_MS);
      }
    }
    moving = false;
  };
  return <Out>(attempt: Attempt<Out>): Promise<Out> =>
    new Promise<Out>((resolve, reject) => {
      const giveUp = (): void => reject(late());
      waiting.push({ attempt: () => tried(attempt, resolve, reject), giveUp, since: nowMs(), left: TRIES });
      if (!moving) void move();
    });
};

const tried = <Out>(attempt: Attempt<Out>, resolve: (out: Out) => void, reject: (error: unknown) => void): boolean => {
  try {
    const done = attempt();
    if (done === undefined) return false;
    resolve(done.out);
  } catch (error) {
    reject(error);
  }
  return true;
};

const dropLate = (waiting: Waiting[], now: number): void => {
  for (const each of waiting) each.left -= 1;
  for (const each of waiting.filter(({ left, since }) => left <= 0 || now - since >= PATIENCE_MS)) {
    waiting.splice(waiting.indexOf(each), 1);
    each.giveUp();
  }
};
