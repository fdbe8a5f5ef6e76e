import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../state/private.ts';

/** The few things that a file of the record needs of the disk; a test may put one in its place that fails or forgets. */
export type Disk = {
  /** Makes a file (0600) that was not there, and its name durable. */
  readonly create: (path: string) => number;
  /** Writes at a place, and says how many bytes the disk took: fewer than given, when it is full. */
  readonly write: (fd: number, bytes: Buffer, at: number) => Promise<number>;
  readonly writeNow: (fd: number, bytes: Buffer, at: number) => number;
  /** Resolves when the bytes survive a power cut. */
  readonly sync: (fd: number) => Promise<void>;
  readonly syncNow: (fd: number) => void;
  readonly truncate: (fd: number, length: number) => void;
  /** Whether this name still leads to this file. */
  readonly isAt: (fd: number, path: string) => boolean;
  readonly close: (fd: number) => void;
  /** Takes a file away again that nothing could be written to. */
  readonly remove: (path: string) => void;
};

/** The disk of this machine. Writes name their place, so that one repeated, or one after another that failed, does no harm. */
export const realDisk: Disk = {
  create: path => {
    const fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
    syncFolder(dirname(path));
    return fd;
  },
  write: (fd, bytes, at) =>
    new Promise((resolve, reject) =>
      write(fd, bytes, 0, bytes.length, at, (error, written) => (error === null ? resolve(written) : reject(error))),
    ),
  writeNow: (fd, bytes, at) => writeSync(fd, bytes, 0, bytes.length, at),
  sync: fd => new Promise((resolve, reject) => fdatasync(fd, error => (error === null ? resolve() : reject(error)))),
  syncNow: fdatasyncSync,
  truncate: ftruncateSync,
  isAt: (fd, path) => {
    const there = statSync(path, { throwIfNoEntry: false });
    const here = fstatSync(fd);
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  },
  close: closeSync,
  remove: path => rmSync(path, { force: true }),
};
