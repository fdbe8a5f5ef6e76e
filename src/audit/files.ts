import { createHash, type KeyObject } from 'node:crypto';
import type { Clock, Random } from '../call.ts';
import { ensurePrivateFolder, type Uid } from '../state/private.ts';
import type { Head } from '../state/store.ts';
import { Chain } from './chain.ts';
import type { Disk } from './disk.ts';
import type { Dated } from './line.ts';
import type { Json } from './record.ts';

/** What a new file of the record needs. */
export type FilesOptions = {
  readonly folder: string;
  readonly key: KeyObject;
  readonly clock: Clock;
  readonly random: Random;
  readonly uid?: Uid | undefined;
  readonly disk: Disk;
  /** What the first record of each file says of this process. */
  readonly about: { readonly [key: string]: Json };
  /** Told where a file ends that is followed by another. */
  readonly left: (head: Head) => void;
};

/** A file that has grown to this is followed by another. */
const LONGEST_FILE = 64 * 1024 * 1024;

/** The files of this process, one after the other: a new one when the last has grown large, or has lost its name. */
export class Files {
  readonly #options: FilesOptions;
  #chain: Chain | undefined;
  #opening: readonly Dated[] = [];

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** Begins the first file; what could not be begun leaves nothing behind. */
  async open(): Promise<void> {
    const chain = this.#current();
    try {
      await this.append([]);
    } catch (error) {
      chain.discard();
      throw error;
    }
  }

  /** Puts all of these on disk, or none; a new file begins with the record that says whose it is. */
  async append(records: readonly Dated[]): Promise<void> {
    const chain = this.#current();
    await chain.append([...this.#opening, ...records]);
    this.#opening = [];
  }

  /** The same, as the last act of a process. */
  finish(records: readonly Dated[]): void {
    const chain = this.#current();
    try {
      chain.appendNow([...this.#opening, ...records]);
    } finally {
      chain.close();
    }
  }

  /** Where the file ends that is being written, once there is something in it. */
  get head(): Head | undefined {
    const head = this.#chain?.head;
    return head?.seq === 0 ? undefined : head;
  }

  /** The name of that file. */
  get name(): string | undefined {
    return this.#chain?.name;
  }

  #current(): Chain {
    const last = this.#chain;
    if (last?.inPlace === true && last.length < LONGEST_FILE) return last;
    const { folder, key, uid, disk, clock, about, left } = this.#options;
    ensurePrivateFolder(folder, uid);
    const next = new Chain(disk, folder, this.#newName(), key);
    this.#chain = next;
    const detail = { ...about, key: fingerprint(key), ...(last === undefined ? {} : { after: { ...last.head } }) };
    this.#opening = [{ record: { event: 'started', detail }, at: clock.wallMs() }];
    if (last !== undefined) {
      if (last.head.seq > 0) left(last.head);
      last.close();
    }
    return next;
  }

  /** Names sort by time; the rest of the name keeps processes apart. */
  #newName(): string {
    const { clock, random } = this.#options;
    const time = new Date(clock.wallMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    return `${time}-${random(6).toString('hex')}.jsonl`;
  }
}

/** Which key a file was written with, for telling a lost key from an edit. */
export const fingerprint = (key: KeyObject): string =>
  createHash('sha256').update(key.export()).digest('hex').slice(0, 16);
