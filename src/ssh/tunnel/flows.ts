import type { Duplex } from 'node:stream';
import { Failure } from '../../errors.ts';
import type { Knock } from '../connection/link.ts';
import { type GivingUp, givingUpWith, once } from '../giving-up.ts';
import type { After } from '../timer.ts';
import { inTime } from './in-time.ts';
import { breakOff, join, type Moved } from './join.ts';

/** What connections through a tunnel need of it. */
type Means = {
  /** The other end; late ones are closed by whoever waits no longer. */
  readonly reach: (signal: AbortSignal) => Promise<Duplex>;
  readonly most: number;
  readonly after: After;
  readonly moved: Moved;
  /** One came or went. */
  readonly changed: () => void;
  /** One came to nothing. */
  readonly failed: (why: unknown) => void;
};

/** How long the other end may take to be there. */
const REACH_MS = 30_000;

/** The connections through one tunnel. */
export class Flows {
  readonly #means: Means;
  readonly #open = new Map<GivingUp, Promise<void>>();
  /** The other ends of those that are led on. */
  readonly #far = new Map<GivingUp, Duplex>();

  constructor(means: Means) {
    this.#means = means;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Leads a connection on, or refuses it when there are too many. */
  arrive(knock: Knock): void {
    const { most, changed, failed } = this.#means;
    if (this.#open.size >= most) {
      knock.refuse();
      failed(new Failure('BUSY', `${most} connections are open through it, and no more may be at a time.`));
      return;
    }
    const givingUp = givingUpWith();
    const over = this.#lead(knock, givingUp).finally(() => {
      this.#open.delete(givingUp);
      this.#far.delete(givingUp);
      changed();
    });
    this.#open.set(givingUp, over);
    changed();
  }

  /** Breaks all of them off; resolves when they are closed. */
  async end(): Promise<void> {
    const over = [...this.#open.values()];
    for (const givingUp of this.#open.keys()) givingUp.now();
    await Promise.all(over);
  }

  /** Breaks off those whose other end is one of these. */
  breakOff(isMeant: (far: Duplex) => boolean): void {
    for (const [givingUp, far] of this.#far) if (isMeant(far)) givingUp.now();
  }

  async #lead(knock: Knock, givingUp: GivingUp): Promise<void> {
    const { signal } = givingUp;
    const far = await this.#reach(signal).catch((why: unknown) => {
      knock.refuse();
      if (!signal.aborted) this.#means.failed(why);
    });
    if (far === undefined) return;
    this.#far.set(givingUp, far);
    const near = knock.accept();
    const release = once(signal, () => {
      breakOff(near);
      breakOff(far);
    });
    await join(near, far, this.#means.moved).finally(release);
  }

  async #reach(signal: AbortSignal): Promise<Duplex> {
    const { reach, after } = this.#means;
    const late = `The other end was not there within ${REACH_MS} ms.`;
    return await inTime(reach, { after, ms: REACH_MS, signal, undo: breakOff, late });
  }
}
