import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { isCode } from '../../../state/private.ts';
import { diskThread } from './disk-thread.ts';
import type { Ask, Given } from './disk-work.ts';

/** What there is to see of something here: part of `fs.Stats`. */
export type Sight = Pick<
  fs.Stats,
  | ('dev' | 'ino' | 'mode' | 'nlink' | 'uid' | 'size' | 'atimeMs' | 'mtimeMs')
  | ('isFile' | 'isDirectory' | 'isSymbolicLink')
>;

const pool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify(fs.fstat),
  lstat: promisify(fs.lstat),
  fchmod: promisify(fs.fchmod),
  futimes: promisify(fs.futimes),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
} as const;

/** By the thread where it runs, otherwise by the pool. */
const either = async <T>(ask: Ask, read: (given: Given) => T, other: () => Promise<T>): Promise<T> => {
  const thread = diskThread();
  return thread === undefined ? await other() : read(await thread.ask(ask));
};

/**
 * The calls of this machine's file system that a tree makes thousands of, by descriptors. Those that each small file needs go to a thread of
 * their own (`holdDiskThread`) a few dozen at a time: handed to Node's pool one by one, each costs the event loop more than the call itself.
 */
export const disk = {
  open: (path: Buffer, flags: number, mode = 0o666) =>
    either({ what: 'open', path: latin(path), flags, mode }, numberOf, () => pool.open(path, flags, mode)),
  close: (fd: number) => either({ what: 'close', fd }, nothing, () => pool.close(fd)),
  fstat: (fd: number) => either<Sight>({ what: 'fstat', fd }, sightOf, () => pool.fstat(fd)),
  /** What is there, links not followed; undefined when nothing is. */
  look: (path: Buffer) =>
    either<Sight | undefined>(
      { what: 'look', path: latin(path) },
      given => (given === undefined ? undefined : sightOf(given)),
      () => lookBy(path),
    ),
  fchmod: (fd: number, mode: number) => either({ what: 'fchmod', fd, mode }, nothing, () => pool.fchmod(fd, mode)),
  futimes: (fd: number, accessedAt: number, modifiedAt: number) =>
    either({ what: 'futimes', fd, accessedAt, modifiedAt }, nothing, () => pool.futimes(fd, accessedAt, modifiedAt)),
  rename: (from: Buffer, to: Buffer) =>
    either({ what: 'rename', path: latin(from), to: latin(to) }, nothing, () => pool.rename(from, to)),
  unlink: (path: Buffer) => either({ what: 'unlink', path: latin(path) }, nothing, () => pool.unlink(path)),
  lstat: pool.lstat,
  stat: promisify(fs.stat),
  ftruncate: promisify(fs.ftruncate),
  fsync: promisify(fs.fsync),
  mkdir: promisify(fs.mkdir),
  symlink: promisify(fs.symlink),
} as const;

const lookBy = async (path: Buffer): Promise<Sight | undefined> => {
  try {
    return await pool.lstat(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

const latin = (path: Buffer): string => path.toString('latin1');

const nothing = (): void => undefined;

const numberOf = (given: Given): number => {
  if (typeof given === 'number') return given;
  throw new TypeError('the thread gave no number');
};

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK } = fs.constants;

const sightOf = (given: Given): Sight => {
  if (typeof given !== 'object' || given instanceof Uint8Array) throw new TypeError('the thread saw nothing');
  const [dev = 0, ino = 0, mode = 0, nlink = 0, uid = 0, size = 0, atimeMs = 0, mtimeMs = 0] = given;
  const is = (kind: number) => (): boolean => (mode & S_IFMT) === kind;
  return {
    ...{ dev, ino, mode, nlink, uid, size, atimeMs, mtimeMs },
    ...{ isFile: is(S_IFREG), isDirectory: is(S_IFDIR), isSymbolicLink: is(S_IFLNK) },
  };
};

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = fs.constants;

/** How things are opened here: never through a link in the last place, and never waiting for the other end of a pipe. */
export const OPENED = {
  folder: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  update: O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  make: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
} as const;

/** Reads until there are `enough` bytes in `buffer` or the file ends; gives how many there were. */
export const fill = async (fd: number, buffer: Buffer, position: number, enough = buffer.length): Promise<number> => {
  let filled = 0;
  while (filled < enough) {
    const bytes = await readAt(fd, buffer.subarray(filled), position + filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return filled;
};

/** Writes all of it. */
export const put = async (fd: number, bytes: Buffer, position: number): Promise<void> => {
  let done = 0;
  while (done < bytes.length) done += await writeAt(fd, bytes.subarray(done), position + done);
};

/** What one call takes along to the thread: a copy of more costs as much as it saves. */
const MOST_CARRIED = 65_536;

const readAt = async (fd: number, buffer: Buffer, at: number): Promise<number> => {
  const thread = buffer.length > MOST_CARRIED ? undefined : diskThread();
  if (thread === undefined) return await readBy(fd, buffer, at);
  const given = await thread.ask({ what: 'read', fd, bytes: new Uint8Array(buffer.length), at });
  if (!(given instanceof Uint8Array)) throw new TypeError('the thread read nothing');
  buffer.set(given);
  return given.length;
};

const writeAt = async (fd: number, bytes: Buffer, at: number): Promise<number> => {
  const thread = bytes.length > MOST_CARRIED ? undefined : diskThread();
  if (thread === undefined) return await writeBy(fd, bytes, at);
  return numberOf(await thread.ask({ what: 'write', fd, bytes: new Uint8Array(bytes), at }));
};

const readBy = (fd: number, buffer: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, buffer.length, position, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    ),
  );

const writeBy = (fd: number, bytes: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, bytes.length, position, (error, count) => (error === null ? resolve(count) : reject(error))),
  );
