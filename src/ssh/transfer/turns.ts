import { Failure } from '../../errors.ts';
import { once } from '../giving-up.ts';
import { givenUp } from './job.ts';

/** How many may wait for a grant's turn before the next is sent away. */
const MOST_WAITING = 64;

type Queue = { running: number; readonly waiting: Set<() => void> };

/** So many transfers of a grant at a time; the others wait for their turn, first come, first served. */
export class Turns {
  readonly #most: number;
  readonly #queues = new Map<string, Queue>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Resolves when it is this one's turn, with what ends it; calls `queued` when it has to wait. `BUSY` when too many wait, `CANCELLED` when
   * `signal` comes first.
   */
  async take(grant: string, signal: AbortSignal, queued: (most: number) => void): Promise<() => void> {
    const queue = this.#queues.get(grant) ?? { running: 0, waiting: new Set() };
    this.#queues.set(grant, queue);
    if (queue.running >= this.#most) await this.#wait(queue, signal, queued);
    else queue.running += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const [next] = queue.waiting;
      if (next !== undefined) return next();
      queue.running -= 1;
      if (queue.running === 0) this.#queues.delete(grant);
    };
  }

  async #wait({ waiting }: Queue, signal: AbortSignal, queued: (most: number) => void): Promise<void> {
    if (waiting.size >= MOST_WAITING)
      throw new Failure('BUSY', `${this.#most} transfers are under way, and ${MOST_WAITING} wait already.`);
    queued(this.#most);
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        waiting.delete(turn);
        release();
        resolve();
      };
      const release = once(signal, () => {
        waiting.delete(turn);
        reject(givenUp());
      });
      if (!signal.aborted) waiting.add(turn);
    });
  }
}
