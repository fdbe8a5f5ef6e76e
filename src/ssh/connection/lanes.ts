import { Failure } from '../../errors.ts';
import type { Mark } from '../command/mark.ts';
import { unsent } from '../given-up.ts';
import { once } from '../giving-up.ts';
import type { Carrier, Lane } from './carrier.ts';
import type { Party, Peer } from './connection.ts';

/** How many may wait for a lane before the next is sent away: each holds its command's text. */
const MAX_WAITING = 1_000;

/** How to wait: `near` says whose link is wanted if its reserved lane is free, `over` which one alone will do; `again` that it had a lane and lost it. */
export type Wanted = {
  readonly by?: Party | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly reserved?: boolean;
  readonly near?: Mark | undefined;
  readonly over?: Peer | undefined;
  readonly queued?: (() => void) | undefined;
  readonly again?: boolean;
};

type Waiter = Wanted & { readonly arrival: number; readonly grant: string; readonly settle: (lane: Lane) => void };

/** What the lanes stand on: the links that are open, whether there may be more, and who is told that somebody waits. */
type Ground = {
  readonly carriers: () => readonly Carrier[];
  readonly most: number;
  readonly short: () => void;
};

/**
 * Who waits for a lane to one host, over all links to it. A free lane goes to the grant that holds the fewest, within it to
 * the session that does, and to who was not served for longest; of several links the oldest is filled first.
 */
export class Lanes {
  readonly #ground: Ground;
  readonly #commands = new Map<Waiter, (why: unknown) => void>();
  readonly #reserved = new Map<Waiter, (why: unknown) => void>();
  readonly #turns = new Map<string, number>();
  #count = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Waits for a lane, and calls `queued` when none is free; `BUSY` when too many wait, `CANCELLED` when `signal` comes first. */
  take(wanted: Wanted): Promise<Lane> {
    const waiting = wanted.reserved === true ? this.#reserved : this.#commands;
    return new Promise((resolve, reject) => {
      if (wanted.signal?.aborted === true) return reject(unsent());
      if (waiting.size >= MAX_WAITING)
        return reject(new Failure('BUSY', `${MAX_WAITING} commands wait for this host already.`));
      const count = this.#count++;
      const waiter: Waiter = {
        ...wanted,
        arrival: wanted.again === true ? count - MAX_WAITING : count,
        grant: wanted.by?.grant ?? '',
        settle: lane => {
          release();
          resolve(lane);
        },
      };
      const refuse = (why: unknown): void => {
        release();
        waiting.delete(waiter);
        reject(why);
      };
      const release = once(wanted.signal, () => refuse(unsent()));
      waiting.set(waiter, refuse);
      this.give();
      if (waiting.has(waiter)) wanted.queued?.();
    });
  }

  /** Gives out what is free: to be called when a lane was freed, or a link opened or ended. */
  give(): void {
    for (const [{ over }, refuse] of this.#reserved)
      if (over !== undefined && !this.#ground.carriers().some(({ link }) => link.peer === over)) refuse(unsent());
    for (const waiter of this.#reserved.keys()) this.#settle(waiter, this.#reserved, this.#reserveFor(waiter));
    for (let free = this.#free(); free !== undefined; free = this.#free()) {
      const next = this.#next();
      if (next === undefined) break;
      this.#settle(next, this.#commands, free);
    }
    if (this.waiting) this.#ground.short();
  }

  /** Sends everybody away who waits. */
  refuse(why: unknown): void {
    for (const refuse of [...this.#commands.values(), ...this.#reserved.values()]) refuse(why);
  }

  get waiting(): boolean {
    return this.#commands.size > 0 || (this.#reserved.size > 0 && this.#ground.carriers().length === 0);
  }

  #settle(waiter: Waiter, waiting: Map<Waiter, unknown>, carrier: Carrier | undefined): void {
    if (carrier === undefined) return;
    waiting.delete(waiter);
    this.#turns.set(waiter.grant, this.#count++);
    waiter.settle(carrier.hold({ by: waiter.by, reserved: waiter.reserved === true }));
  }

  #free(): Carrier | undefined {
    return this.#ground.carriers().find(carrier => carrier.free(false));
  }

  #reserveFor({ near, over }: Waiter): Carrier | undefined {
    const suits = ({ link }: Carrier): boolean => over === undefined || link.peer === over;
    const free = this.#ground.carriers().filter(carrier => carrier.free(true) && suits(carrier));
    return free.find(carrier => near !== undefined && carrier.carries(near)) ?? free[0];
  }

  #next(): Waiter | undefined {
    const held = this.#ground.carriers().flatMap(carrier => carrier.held());
    const rank = ({ grant, by, arrival }: Waiter): readonly number[] => {
      const mine = held.filter(lane => (lane.by?.grant ?? '') === grant);
      const same = mine.filter(lane => lane.by?.session === by?.session);
      return [mine.length, same.length, this.#turns.get(grant) ?? -1, arrival];
    };
    let best: { readonly waiter: Waiter; readonly rank: readonly number[] } | undefined;
    for (const waiter of this.#commands.keys()) {
      if (this.#isLastFor(waiter, held)) continue;
      const own = rank(waiter);
      if (best === undefined || before(own, best.rank)) best = { waiter, rank: own };
    }
    return best?.waiter;
  }

  /** Where there are as many links as there may be, the last lane is not for a grant that holds all the others. */
  #isLastFor({ grant }: Waiter, held: readonly Lane[]): boolean {
    const carriers = this.#ground.carriers();
    if (carriers.length < this.#ground.most || carriers.length < 2) return false;
    const width = carriers.reduce((sum, carrier) => sum + carrier.width, 0);
    return held.length >= width - 1 && held.every(lane => (lane.by?.grant ?? '') === grant);
  }
}

const before = (one: readonly number[], other: readonly number[]): boolean => {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at !== -1 && (one[at] ?? 0) < (other[at] ?? 0);
};
