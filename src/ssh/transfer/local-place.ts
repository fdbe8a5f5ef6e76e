import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, rm, stat } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { isCode } from '../../state/private.ts';
import { bytesOf, nameOf } from '../../text/byte-name.ts';
import type { Files } from './files.ts';
import { checkPath, shownPath, splitPath, within } from './path.ts';

const MOST_LINKS = 40;
const WRITABLE_BY_OTHERS = 0o022;

/** A place of this machine that transfers may use: its real path, the real folder that it lies in, and how it was asked for. */
export type LocalPlace = { readonly path: string; readonly root: string; readonly asked: string };

/**
 * Where a path of this machine leads, which must be inside one of the folders that are configured, or one of them; a relative one counts
 * from the first. What is not there yet keeps its name. LOCAL_DENIED says nothing of what there is elsewhere.
 */
export const localPlace = async (files: Files | undefined, asked: string): Promise<LocalPlace> => {
  checkPath(asked, 'local_path');
  if (asked === '~' || asked.startsWith('~/'))
    throw new Failure('INVALID_INPUT', 'local_path begins with ~.', {
      next: 'Give it absolute, or relative to the folder for files.',
    });
  if (files === undefined) throw noFiles();
  const roots = await Promise.all(files.roots.map(async root => await lookAtRoot(root, files)));
  const path = trimmed(asked.startsWith('/') ? asked : within(trimmed(files.roots[0]), asked));
  if (!roots.some(({ as, real }) => lies(path, trimmed(as)) || (real !== undefined && lies(path, real))))
    throw outside(asked);
  const real = await resolve(path, MOST_LINKS).catch((error: unknown) => {
    throw outside(asked, String(error));
  });
  const root = roots.find(one => one.real !== undefined && lies(real, one.real));
  if (root?.real === undefined) throw outside(asked, roots.map(({ fault }) => fault ?? '').join(' '));
  if (root.fault !== undefined) throw outside(asked, root.fault);
  return { path: real, root: root.real, asked };
};

/** Why a folder cannot hold files of transfers, with its mend; undefined when it can. Follows links, as a person does who names one. */
export const faultOfRoot = async (root: string, files: Omit<Files, 'roots'>): Promise<string | undefined> =>
  (await lookAtRoot(root, files)).fault;

type Root = { readonly as: string; readonly real?: string; readonly fault?: string };

const lookAtRoot = async (as: string, { uid, kept = [] }: Omit<Files, 'roots'>): Promise<Root> => {
  try {
    const real = await realpath(as);
    const stats = await stat(real);
    if (!stats.isDirectory()) return { as, fault: `${as} is no folder.` };
    if (uid !== undefined && stats.uid !== uid)
      return { as, real, fault: `${as} belongs to user ${stats.uid}, not to user ${uid}.` };
    if (uid !== undefined && (stats.mode & WRITABLE_BY_OTHERS) !== 0)
      return { as, real, fault: `${as} can be written by others: run chmod go-w ${as}.` };
    const shared = await sharedWith(real, kept);
    if (shared === undefined) return { as, real };
    return { as, real, fault: `${as} is too near to ${shared}, which no transfer may touch: name a folder beside it.` };
  } catch (error) {
    return { as, fault: isCode(error, 'ENOENT') ? `${as} does not exist.` : String(error) };
  }
};

/** The first of these paths that leads into a folder or around it; what is not there yet would lie where its folder does. */
const sharedWith = async (folder: string, kept: readonly string[]): Promise<string | undefined> => {
  const reals = await Promise.all(kept.map(async path => await resolve(path, MOST_LINKS).catch(() => path)));
  return kept.find((_, index) => lies(reals[index] ?? '', folder) || lies(folder, reals[index] ?? ''));
};

const trimmed = (path: string): string => path.replace(/\/+$/, '') || '/';

const lies = (path: string, root: string): boolean => root === '/' || path === root || path.startsWith(`${root}/`);

const resolve = async (path: string, links: number): Promise<string> => {
  try {
    return await realOf(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT') || path === '/') throw error;
  }
  const { folder, name } = splitPath(path);
  const parent = await resolve(folder, links);
  if (name === '' || name === '.') return parent;
  if (name === '..') return splitPath(parent).folder;
  const at = within(parent, name);
  const there = await localStat(at);
  if (there?.isSymbolicLink() !== true) return at;
  if (links === 0) throw new Error('too many links');
  const target = nameOf(await readlink(bytesOf(at), 'buffer'));
  return await resolve(target.startsWith('/') ? target : within(parent, target), links - 1);
};

const realOf = async (path: string): Promise<string> => nameOf(await realpath(bytesOf(path), 'buffer'));

/** What lies at a path, links not followed; undefined when nothing does. */
export const localStat = async (path: string): Promise<BigIntStats | undefined> => {
  try {
    return await lstat(bytesOf(path), { bigint: true });
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/** An open file of this machine, and what it was when it was opened. */
export type LocalFile = { readonly handle: FileHandle; readonly stats: BigIntStats };

/** Opens a plain file of a place to read it: never a device, a pipe or what a link leads to, and the one that lies there. */
export const openLocal = async (place: LocalPlace): Promise<LocalFile> => {
  const before = await tried(place, localStat(place.path));
  if (before === undefined) throw noSuchFile(place);
  mustBeLocalFile(place, before);
  return await opened(place, constants.O_RDONLY);
};

/** Makes a file (0600) of a name that nothing has, in the folder of a place; one that came to lie elsewhere is taken away. */
export const makeLocal = async (place: LocalPlace): Promise<LocalFile> =>
  await opened(place, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);

/** Opens a part of ours to go on with it. */
export const reopenLocal = async (place: LocalPlace): Promise<LocalFile> => await opened(place, constants.O_RDWR);

const opened = async (place: LocalPlace, flags: number): Promise<LocalFile> => {
  const how = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await tried(place, open(bytesOf(place.path), how, 0o600));
  try {
    const stats = await handle.stat({ bigint: true });
    mustBeLocalFile(place, stats);
    if (((await pathOf(handle)) ?? place.path) !== place.path) throw movedHere(place);
    await mustLieHere(place, stats);
    return { handle, stats };
  } catch (error) {
    if ((flags & constants.O_EXCL) !== 0) await takeAway(handle, place);
    await handle.close();
    throw error;
  }
};

/** Takes away a file of a name that is nobody else's, wherever it lies by now. What cannot be taken away stays: that hides no other failure. */
export const takeAway = async (handle: FileHandle, { path }: LocalPlace): Promise<void> => {
  const there = await pathOf(handle);
  if (there !== undefined && splitPath(there).name !== splitPath(path).name) return;
  await rm(bytesOf(there ?? path), { force: true }).catch(() => undefined);
};

/** Throws unless the place is still where it was, with this very file at it, or, without one, whatever or nothing at it. */
export const mustLieHere = async (place: LocalPlace, stats?: BigIntStats): Promise<void> => {
  const real = await tried(place, resolve(place.path, MOST_LINKS));
  const there = stats === undefined ? undefined : await localStat(place.path);
  const same = stats === undefined || (there?.dev === stats.dev && there.ino === stats.ino);
  if (real !== place.path || !same) throw movedHere(place);
};

const movedHere = ({ asked }: LocalPlace): Failure =>
  new Failure('FILE_MOVED', `What ${shownPath(asked)} leads to here changed while it was opened.`, {
    next: 'Something on this machine changes this path: look, then call again.',
  });

/** Where an open file lies, as the kernel knows it, which no link or moved folder can gainsay; undefined where it does not tell (proc(5)). */
const pathOf = async ({ fd }: FileHandle): Promise<string | undefined> => {
  try {
    return nameOf(await readlink(`/proc/self/fd/${fd}`, 'buffer'));
  } catch {
    // Without /proc, looks at the path before and after have to do.
    return undefined;
  }
};

/** Throws unless it is a plain file. */
export const mustBeLocalFile = ({ asked }: LocalPlace, stats: BigIntStats): void => {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? 'a folder' : 'no plain file';
  const next = stats.isDirectory() ? { next: 'Name a file in it, or set recursive for the whole folder.' } : {};
  throw new Failure('FILE_FAILED', `local_path ${shownPath(asked)} is ${what}.`, next);
};

/** What work on this machine's files gives, or the `Failure` that says what could not be done, without the paths of this machine. */
export const tried = async <T>(place: LocalPlace, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw localFailure(place, error);
  }
};

const NO_ROOM: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What a client hears of an error of this machine's file system; a `Failure` is passed on, and what has no code is thrown. */
export const localFailure = (place: LocalPlace, error: unknown): Failure => {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error) || !('code' in error)) throw error;
  if (error.code === 'ENOENT') return noSuchFile(place);
  const why = NO_ROOM.includes(String(error.code)) ? 'there is no room for it' : String(error.code);
  const details = NO_ROOM.includes(String(error.code)) ? { no_room: true } : {};
  const message = `local_path ${shownPath(place.asked)} could not be used here (${why}).`;
  return new Failure('LOCAL_FAILED', message, { operator: error.message, details, cause: error });
};

const noSuchFile = ({ asked }: LocalPlace): Failure =>
  new Failure('NO_SUCH_FILE', `There is no local_path ${shownPath(asked)} on this machine, or its folder is missing.`);

const outside = (asked: string, operator?: string): Failure =>
  new Failure('LOCAL_DENIED', `local_path ${shownPath(asked)} is not inside a folder that transfers may use.`, {
    operator: operator === undefined ? undefined : `local_path ${shownPath(asked)}: ${operator}`,
  });

const noFiles = (): Failure =>
  new Failure('LOCAL_DENIED', 'No folder of this machine is configured for transfers.', {
    next: 'Give content, or read without local_path; for files, the operator sets "files": { "root": "FOLDER" } in config.json.',
  });
