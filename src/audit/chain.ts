import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Head } from '../state/store.ts';
import type { Disk } from './disk.ts';
import { beginning, type Dated, encode, type Position } from './line.ts';

type End = Position & { readonly length: number };

/** One file of the record, written by this process alone; each line answers for the one before it. */
export class Chain {
  readonly name: string;
  readonly #disk: Disk;
  readonly #key: KeyObject;
  readonly #path: string;
  readonly #fd: number;
  /** Everything before it is on disk. */
  #end: End;
  #unfinished: readonly Dated[] = [];
  /** There may be bytes after the end. */
  #soiled = false;
  #running = false;
  #open = true;

  /** Begins a new file; throws when there is one of that name. */
  constructor(disk: Disk, folder: string, name: string, key: KeyObject) {
    this.name = name;
    this.#disk = disk;
    this.#key = key;
    this.#path = join(folder, name);
    this.#fd = disk.create(this.#path);
    this.#end = { ...beginning(key, name), length: 0 };
  }

  /** Puts all of these on disk, or none: after a failure the file is as it was. One at a time. */
  async append(records: readonly Dated[]): Promise<void> {
    const { bytes, next } = this.#begin(records);
    this.#running = true;
    const failure = await put(this.#disk, this.#fd, bytes, this.#end.length);
    this.#running = false;
    if (!this.#open) return this.#disk.close(this.#fd);
    if (failure === undefined) return this.#finish(next);
    this.#abandon();
    throw failure;
  }

  /** The same at once, and before them what an `append` that has not ended was given: the same bytes at the same place. */
  appendNow(records: readonly Dated[]): void {
    const { bytes, next } = this.#begin([...this.#unfinished, ...records]);
    try {
      mustBeWhole(this.#disk.writeNow(this.#fd, bytes, this.#end.length), bytes);
      this.#disk.syncNow(this.#fd);
    } catch (error) {
      this.#abandon();
      throw error;
    }
    this.#finish(next);
  }

  get head(): Head {
    return { file: this.name, seq: this.#end.seq, mac: this.#end.mac };
  }

  get length(): number {
    return this.#end.length;
  }

  /** Whether the file still has its name: what is written to a file without one is lost. */
  get inPlace(): boolean {
    return this.#disk.isAt(this.#fd, this.#path);
  }

  /** Gives the file up; an `append` that has not ended changes nothing any more. */
  close(): void {
    this.#open = false;
    if (!this.#running) this.#disk.close(this.#fd);
  }

  /** Gives up a file in which no record is whole, and takes it away. */
  discard(): void {
    this.close();
    if (this.#end.seq === 0) this.#disk.remove(this.#path);
  }

  #begin(records: readonly Dated[]): { bytes: Buffer; next: End } {
    if (this.#soiled) this.#disk.truncate(this.#fd, this.#end.length);
    this.#soiled = true;
    this.#unfinished = records;
    return encodeAll(this.#key, this.#end, records);
  }

  #finish(end: End): void {
    this.#end = end;
    this.#unfinished = [];
    this.#soiled = false;
  }

  #abandon(): void {
    this.#unfinished = [];
    this.#soiled = !worked(() => this.#disk.truncate(this.#fd, this.#end.length));
  }
}

/** Resolves with what went wrong. */
const put = async (disk: Disk, fd: number, bytes: Buffer, at: number): Promise<Error | undefined> => {
  try {
    mustBeWhole(await disk.write(fd, bytes, at), bytes);
    await disk.sync(fd);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};

const encodeAll = (key: KeyObject, end: End, records: readonly Dated[]): { bytes: Buffer; next: End } => {
  let position: Position = end;
  const lines = records.map(record => {
    const encoded = encode(key, position, record);
    position = encoded.position;
    return encoded.line;
  });
  const bytes = Buffer.from(lines.join(''));
  return { bytes, next: { ...position, length: end.length + bytes.length } };
};

/** A full disk takes a part and reports no error. */
const mustBeWhole = (written: number, bytes: Buffer): void => {
  if (written !== bytes.length) throw new Error(`the disk is full: it took ${written} of ${bytes.length} bytes`);
};

const worked = (act: () => void): boolean => {
  try {
    act();
    return true;
  } catch {
    return false;
  }
};
