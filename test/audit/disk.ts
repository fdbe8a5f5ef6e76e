import type { Disk } from '../../src/audit/disk.ts';

/** One thing that was done to the disk, or something that was promised meanwhile. */
export type Event =
  | { readonly kind: 'write'; readonly path: string; readonly bytes: Buffer; readonly at: number }
  | { readonly kind: 'truncate'; readonly path: string; readonly length: number }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'promise'; readonly id: string };

/** How the next operations of one kind go wrong: an error, or a write that takes only so many bytes. */
export type Trouble = { readonly write?: Error | number; readonly sync?: Error; readonly truncate?: Error };

/** A disk in memory that remembers everything in order, fails when told to, and waits when told to. */
export class MemoryDisk implements Disk {
  readonly events: Event[] = [];
  readonly files = new Map<string, Buffer>();
  readonly gone = new Set<string>();
  trouble: Trouble = {};
  /** Resolved before each sync: a test that replaces it decides when a sync ends. */
  syncing: () => Promise<void> = () => Promise.resolve();
  readonly #paths: string[] = [];
  readonly closed = new Set<number>();
  /** What was done to a file after it was closed. */
  readonly misuses: string[] = [];

  create = (path: string): number => {
    if (this.files.has(path)) throw new Error('EEXIST');
    this.files.set(path, Buffer.alloc(0));
    return this.#paths.push(path) - 1;
  };
  writeNow = (fd: number, bytes: Buffer, at: number): number => {
    const { write } = this.trouble;
    if (write instanceof Error) throw write;
    const taken = bytes.subarray(0, write ?? bytes.length);
    const path = this.#path(fd);
    this.files.set(path, patched(this.files.get(path) ?? Buffer.alloc(0), taken, at));
    this.events.push({ kind: 'write', path, bytes: Buffer.from(taken), at });
    return taken.length;
  };
  write = async (fd: number, bytes: Buffer, at: number): Promise<number> => {
    await Promise.resolve();
    return this.writeNow(fd, bytes, at);
  };
  syncNow = (fd: number): void => {
    if (this.trouble.sync !== undefined) throw this.trouble.sync;
    this.events.push({ kind: 'sync', path: this.#path(fd) });
  };
  sync = async (fd: number): Promise<void> => {
    await this.syncing();
    this.syncNow(fd);
  };
  truncate = (fd: number, length: number): void => {
    if (this.trouble.truncate !== undefined) throw this.trouble.truncate;
    const path = this.#path(fd);
    this.files.set(path, (this.files.get(path) ?? Buffer.alloc(0)).subarray(0, length));
    this.events.push({ kind: 'truncate', path, length });
  };
  isAt = (fd: number, path: string): boolean => !this.gone.has(path) && this.#path(fd) === path;
  close = (fd: number): void => {
    if (this.closed.has(fd)) this.misuses.push('closed twice');
    this.closed.add(fd);
  };

  remove = (path: string): void => void this.files.delete(path);

  get syncs(): number {
    return this.events.filter(({ kind }) => kind === 'sync').length;
  }

  #path(fd: number): string {
    const path = this.#paths[fd];
    if (this.closed.has(fd)) this.misuses.push('used after it was closed');
    if (path === undefined) throw new Error('EBADF');
    return path;
  }
}

/** The bytes of a file after a write, with zeros where nobody has written. */
export const patched = (before: Buffer, bytes: Buffer, at: number): Buffer => {
  const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
  before.copy(after);
  bytes.copy(after, at);
  return after;
};
