import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Our own user, or undefined where files have no owner that could be compared. */
export type Uid = number | undefined;

/** A file or folder that others could have changed, or read when it is secret; the message says which, and what mends it. */
export class NotPrivate extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotPrivate';
  }
}

const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;

/** Makes the folder (0700) when it is absent; throws `NotPrivate` unless it is a real folder of ours that nobody else may write to. */
export const ensurePrivateFolder = (folder: string, uid: Uid): void => {
  makeFolder(folder);
  const stats = lstatSync(folder);
  if (!stats.isDirectory()) throw new NotPrivate(`${folder} is not a folder, or only a link to one.`);
  mustBeOurs(folder, stats, uid, WRITABLE_BY_OTHERS, 'chmod 700');
  if (uid === undefined) return;
  for (let parent = dirname(realpathSync(folder)); ; parent = dirname(parent)) {
    const { mode } = statSync(parent);
    if ((mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0)
      throw new NotPrivate(
        `Anybody may replace what is in ${parent}: run chmod o-w ${parent}, or choose another folder.`,
      );
    if (parent === dirname(parent)) return;
  }
};

/** Node calls a read-only place ENOENT when it makes a whole path; asked for the last part alone, it says what is wrong. */
const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    mkdirSync(folder, { mode: 0o700 });
  }
};

/**
 * Throws `NotPrivate` unless the path is a plain file of ours (or root's) that nobody else may write to. It looks at the
 * name only: opening and closing a database file would drop the locks that this process holds on it (POSIX).
 */
export const checkPrivateFile = (path: string, uid: Uid): void => {
  const stats = lstatSync(path);
  if (!stats.isFile()) throw new NotPrivate(`${path} is not a plain file.`);
  mustBeOurs(path, stats, uid, WRITABLE_BY_OTHERS, 'chmod 600');
};

/** Reads a file of ours through one descriptor, judged before the first byte; a `secret` one must not be readable by others. */
export const readPrivateFile = (path: string, uid: Uid, { secret = false } = {}): Buffer => {
  const fd = openNoFollow(path);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new NotPrivate(`${path} is not a plain file.`);
    mustBeOurs(path, stats, uid, secret ? OPEN_TO_OTHERS : WRITABLE_BY_OTHERS, 'chmod 600');
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
};

/**
 * Puts a whole file (0600) where none is, durably: it appears complete or not at all, and of several processes exactly
 * one is told `true`. `make` fills the temporary file, which is then linked into place.
 */
export const createPrivateFile = (path: string, unique: string, make: (temporary: string) => void): boolean => {
  const temporary = `${path}.${unique}.new`;
  try {
    closeSync(openSync(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
    make(temporary);
    syncPath(temporary);
    linkSync(temporary, path);
    syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${temporary}${suffix}`, { force: true });
  }
};

/** A small file with these bytes, put into place as `createPrivateFile` does. */
export const createPrivateBytes = (path: string, unique: string, bytes: Uint8Array): boolean =>
  createPrivateFile(path, unique, temporary => writeFileSync(temporary, bytes, { flush: true }));

/** Makes the names in a folder survive a power cut, where a folder can be opened for that at all. */
export const syncFolder = (folder: string): void => {
  try {
    syncPath(folder);
  } catch (error) {
    if (!isCode(error, 'EPERM') && !isCode(error, 'EISDIR')) throw error;
  }
};

const syncPath = (path: string): void => {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Whether an error of the file system has this code (`ENOENT` and its like). */
export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const openNoFollow = (path: string): number => {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isCode(error, 'ELOOP')) throw new NotPrivate(`${path} is a symbolic link: name the file itself.`);
    throw error;
  }
};

const mustBeOurs = (path: string, stats: Stats, uid: Uid, forbidden: number, mend: string): void => {
  if (uid !== undefined && stats.uid !== uid && stats.uid !== 0)
    throw new NotPrivate(`${path} belongs to user ${stats.uid}, not to user ${uid}.`);
  const open = stats.mode & forbidden;
  if (uid !== undefined && open !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new NotPrivate(`${path} is open to other users (mode ${mode}): run ${mend} ${path}.`);
  }
};
