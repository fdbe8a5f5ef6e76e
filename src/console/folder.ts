import { chmodSync, closeSync, constants, existsSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensurePrivateFolder, isCode, NotPrivate, type Uid } from '../state/private.ts';

/** A control socket of a server process that lives, or of one that was killed. */
export type SocketName = { readonly name: string; readonly pid: number };

const NAME = /^(\d{1,10})-[0-9a-f]{16}\.sock$/;
const NEW = /^\d{1,10}-[0-9a-f]{16}\.sock\.new$/;
const OPEN_TO_OTHERS = 0o077;

/** The name of a process's socket; `hex` is eight random bytes. */
export const socketName = (pid: number, hex: string): string => `${pid}-${hex}.sock`;

/** Makes the folder (0700) when it is absent, and closes it to others; throws `NotPrivate` when somebody else could put sockets there. */
export const openFolder = (folder: string, uid: Uid): void => {
  ensurePrivateFolder(dirname(folder), uid);
  ensurePrivateFolder(folder, uid);
  if (uid !== undefined) chmodSync(folder, 0o700);
};

/** The sockets in the folder; none when there is no folder. Throws `NotPrivate` when others could have put one there. */
export const socketsIn = (folder: string, uid: Uid): readonly SocketName[] => {
  if (!existsSync(folder)) return [];
  ensurePrivateFolder(dirname(folder), uid);
  ensurePrivateFolder(folder, uid);
  const { mode } = lstatSync(folder);
  if (uid !== undefined && (mode & OPEN_TO_OTHERS) !== 0)
    throw new NotPrivate(`${folder} is open to other users: run chmod 700 ${folder}.`);
  return readdirSync(folder).flatMap(name => {
    const pid = NAME.exec(name)?.[1];
    return pid === undefined || !isOurSocket(join(folder, name), uid) ? [] : [{ name, pid: Number(pid) }];
  });
};

/** Removes what a process left that was killed while it opened its socket, once that is so long ago that none still does. */
export const sweepUnfinished = (folder: string, now: number): void => {
  for (const name of readdirSync(folder).filter(one => NEW.test(one))) {
    const path = join(folder, name);
    if (now - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > UNFINISHED_MS)
      rmSync(path, { force: true });
  }
};

const UNFINISHED_MS = 60_000;

const isOurSocket = (path: string, uid: Uid): boolean => {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSocket() !== true) return false;
  return uid === undefined || stats.uid === uid || stats.uid === 0;
};

/** The longest path that fits into `sun_path` wherever this runs: 104 bytes on BSD and macOS, 108 on Linux, one for the end. */
const LONGEST_BYTES = 103;

/**
 * Does something with a path to a name in the folder that is short enough for a socket: through an open descriptor where
 * the path itself is too long. Throws where neither is possible.
 */
export const withShortPath = async <Out>(
  folder: string,
  name: string,
  use: (path: string) => Promise<Out>,
): Promise<Out> => {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= LONGEST_BYTES) return await use(path);
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const short = `/proc/self/fd/${fd}`;
    if (!existsSync(short)) throw new Error(`${path} is longer than the ${LONGEST_BYTES} bytes that a socket may have`);
    return await use(`${short}/${name}`);
  } finally {
    closeSync(fd);
  }
};

/** Removes a socket's name; that it is gone already is as good. */
export const removeSocket = (folder: string, name: string): void => {
  try {
    rmSync(join(folder, name));
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
};
