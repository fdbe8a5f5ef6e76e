import PQueue from 'p-queue';
import { Failure } from '../errors.ts';
import { unsent } from './given-up.ts';

/**
 * Channels that may run at once on one connection. sshd allows 10 sessions by default (MaxSessions) and frees one later
 * than it says so: with 5 in flight no open is refused for that, with 10 nearly half are.
 */
const WIDTH = 5;
/** How many may wait for a lane before the next is sent away: each holds its command's text. */
const MAX_WAITING = 1_000;

/** Leave to open one channel, held until the channel has closed. */
export type Lane = {
  readonly reserved: boolean;
  /** The channel is open. */
  readonly opened: () => void;
  /** The channel is closed, or was never opened; a second time does nothing. */
  readonly release: () => void;
};

type Wanted = { readonly signal?: AbortSignal; readonly reserved?: boolean; readonly queued?: () => void };

/** The lanes of one host: five for commands in the order of asking, and one that stopping and probing never queue for. */
export type Lanes = {
  /** Waits for a lane, and calls `queued` when none is free; `BUSY` when too many wait, `CANCELLED` when `signal` comes first. */
  readonly take: (options: Wanted) => Promise<Lane>;
  /**
   * The host refuses more channels than are open now: fewer are opened from here on, with room for the reserved one.
   * Resolves when one has closed; undefined when none is open, so that nothing would be waited for.
   */
  readonly narrow: () => Promise<void> | undefined;
  /** The connection is over: no channel of it is open any more, and what it allowed no longer counts. */
  readonly reset: () => void;
  /** Lanes that are taken. */
  readonly taken: () => number;
};

/** Lanes for one host, all free. */
export const createLanes = (): Lanes => {
  const commands = new PQueue({ concurrency: WIDTH });
  const reserve = new PQueue({ concurrency: 1 });
  const places = createPlaces();
  return {
    take: async ({ signal, reserved = false, queued: tell }) => {
      const queue = reserved ? reserve : commands;
      if (queue.size >= MAX_WAITING) throw new Failure('BUSY', `${MAX_WAITING} commands wait for this host already.`);
      if (queue.size > 0 || queue.pending >= queue.concurrency) tell?.();
      return places.hold(reserved, await queued(queue, signal));
    },
    narrow: () => {
      if (places.open.size === 0) return undefined;
      commands.concurrency = Math.max(1, Math.min(WIDTH, places.open.size - 1));
      return places.freed();
    },
    reset: () => {
      commands.concurrency = WIDTH;
      for (const lane of places.open) lane.release();
    },
    taken: () => places.taken.size,
  };
};

/** Who holds a lane, and whose channel is open. */
const createPlaces = () => {
  const taken = new Set<Lane>();
  const open = new Set<Lane>();
  const waiting = new Set<() => void>();
  const hold = (reserved: boolean, free: () => void): Lane => {
    const lane: Lane = {
      reserved,
      opened: () => open.add(lane),
      release: () => {
        taken.delete(lane);
        free();
        if (!open.delete(lane)) return;
        for (const wake of waiting) wake();
        waiting.clear();
      },
    };
    taken.add(lane);
    return lane;
  };
  const freed = (): Promise<void> => new Promise(resolve => waiting.add(resolve));
  return { hold, freed, taken, open };
};

/** Resolves with how to free the place; `signal` counts while waiting, and never ends what already runs. */
const queued = (queue: PQueue, signal: AbortSignal | undefined): Promise<() => void> =>
  new Promise((resolve, reject) => {
    const waiting = new AbortController();
    const leave = (): void => waiting.abort();
    if (signal?.aborted === true) leave();
    signal?.addEventListener('abort', leave, { once: true });
    const run = (): Promise<void> =>
      new Promise(free => {
        signal?.removeEventListener('abort', leave);
        resolve(free);
      });
    queue.add(run, { signal: waiting.signal }).catch(() => reject(unsent()));
  });
