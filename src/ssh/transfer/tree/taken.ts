import type { Sight } from './disk.ts';

/**
 * What a copy has put into one folder of this machine, and what it is putting there: a file system that folds case or forms of letters gives
 * two names one file.
 */
export class Taken {
  readonly #made = new Set<number>();
  readonly #busy = new Map<string, Promise<unknown>>();

  /** Remembers a file or a folder of it; false when this copy has put it there before. Of a file with several names nothing is known. */
  take(stat: Sight): boolean {
    if (!stat.isDirectory() && stat.nlink > 1) return true;
    if (this.#made.has(stat.ino)) return false;
    this.#made.add(stat.ino);
    return true;
  }

  /** Whether this copy has put it there. */
  has(stat: Sight): boolean {
    return this.#made.has(stat.ino);
  }

  /** Does something under a name while nothing is done under one that may be the same. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = name.normalize('NFC').toLowerCase();
    for (let other = this.#busy.get(key); other !== undefined; other = this.#busy.get(key)) await other;
    const done = work();
    this.#busy.set(
      key,
      done.then(
        () => undefined,
        () => undefined,
      ),
    );
    try {
      return await done;
    } finally {
      this.#busy.delete(key);
    }
  }
}
