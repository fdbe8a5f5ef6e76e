import PQueue from 'p-queue';
import type { Clock, Random } from '../../call.ts';
import { unlessGivenUp, unsent } from '../given-up.ts';
import { once } from '../giving-up.ts';
import type { Host } from '../host.ts';
import { type After, within } from '../timer.ts';
import type { Link } from './link.ts';
import { isEarlyDrop, isRefusedLogin, placeOf, type Refusals } from './patience.ts';

/** Dials of this process at once, over all hosts: sshd drops some from the tenth on that has not logged in (MaxStartups 10:30:100). */
const AT_ONCE = 10;
/** A host that takes longer keeps nobody waiting. */
const PLACE_MS = 3_000;
const MOST_RETRIES = 4;
const FIRST_BACKOFF_MS = 100;

type Means = {
  readonly clock: Clock;
  readonly random: Random;
  readonly pause: (ms: number) => Promise<void>;
  readonly after: After;
  readonly refusals: Refusals;
};

/** How to dial once, and how long all tries together may take to begin. */
type Dial = { readonly dial: () => Promise<Link>; readonly signal: AbortSignal; readonly timeoutMs: number };

/**
 * Takes turns in dialling: a few hosts at once, and one dial at a time to where none was let in yet, so that one refused login
 * is all that several names of a server cost, and to where a connection was dropped before the handshake.
 * Such a drop is tried again a few times: nothing was authenticated. Not after a refused login there, because it may be a penalty.
 */
export type DialQueue = (host: Host, dial: Dial) => Promise<Link>;

/** A queue for all dials of this process. */
export const createDialQueue = (means: Means): DialQueue => {
  // A host behind others waits for their dials: each depth has a queue of its own, so that none waits for itself.
  const byDepth = new Map<number, PQueue>();
  const narrow = new Map<string, PQueue>();
  // Whether somebody was let in there, or a connection was ever dropped early.
  const standing = new Map<string, 'open' | 'dropping'>();
  const inTurn = async (queue: PQueue, signal: AbortSignal, dial: () => Promise<Link>): Promise<Link> => {
    const { link } = await turnIn(queue, { after: means.after, signal, dial });
    return await link;
  };
  const backoffMs = (retries: number): number =>
    FIRST_BACKOFF_MS * 2 ** retries * (0.5 + (means.random(1)[0] ?? 0) / 256);
  return async (host, { dial: dialOnce, signal, timeoutMs }) => {
    const dial = noting(host, dialOnce, means.refusals);
    const place = placeOf(host);
    const wide = queueOf(byDepth, depthOf(host), AT_ONCE);
    const latest = means.clock.monoMs() + timeoutMs;
    for (let retries = 0; ; retries++) {
      try {
        if (standing.get(place) === 'open') return await inTurn(wide, signal, dial);
        const link = await inTurn(queueOf(narrow, place, 1), signal, () => inTurn(wide, signal, dial));
        if (!standing.has(place)) standing.set(place, 'open');
        return link;
      } catch (error) {
        if (!isEarlyDrop(error)) throw error;
        standing.set(place, 'dropping');
        const waitMs = backoffMs(retries);
        const late = retries >= MOST_RETRIES || means.clock.monoMs() + waitMs > latest;
        if (late || means.refusals.maybePunished(host)) throw error;
        await unlessGivenUp(means.pause(waitMs), signal);
      }
    }
  };
};

/** Notes a refused login before the next one there has its turn. */
const noting = (host: Host, dial: () => Promise<Link>, refusals: Refusals) => (): Promise<Link> =>
  dial().catch((error: unknown) => {
    if (isRefusedLogin(error)) refusals.note(host);
    throw error;
  });

type Turn = { readonly after: After; readonly signal: AbortSignal; readonly dial: () => Promise<Link> };

/** Begins when it is its turn, and keeps the place until it has ended, or for a while; what is given up before never begins. */
const turnIn = (queue: PQueue, { after, signal, dial }: Turn): Promise<{ readonly link: Promise<Link> }> =>
  new Promise((resolve, reject) => {
    const release = once(signal, () => reject(unsent()));
    const begin = async (): Promise<void> => {
      release();
      if (signal.aborted) return;
      const link = dial();
      resolve({ link });
      await within(after, PLACE_MS, link);
    };
    queue.add(begin).catch(reject);
  });

const queueOf = <Key>(queues: Map<Key, PQueue>, key: Key, concurrency: number): PQueue => {
  const queue = queues.get(key) ?? new PQueue({ concurrency });
  queues.set(key, queue);
  return queue;
};

const depthOf = ({ via }: Host): number => (via === undefined ? 0 : 1 + depthOf(via));
