import type { FileAccess } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { FileLeave } from '../../gate/file-leave.ts';
import { fileFailure } from '../sftp/failure.ts';
import type { Attributes, OpenMode, RemoteFile, Sftp } from '../sftp/sftp.ts';
import { SftpError } from '../sftp/sftp-error.ts';
import { isPlainPath, shownPath, splitPath, within } from './path.ts';

/** A host as a transfer works on it: a conversation, and the leave for what is done there. */
export type Ground = { readonly sftp: Sftp; readonly host: string; readonly leave: FileLeave };

/** As many as Linux follows on the way to one file. */
const MOST_LINKS = 40;

/**
 * Where a path leads on the host, without symbolic links: `path` is one that `checkRemotePath` took. What is not there yet keeps its name
 * behind the deepest folder that is; a link to nothing leads to what it names. Looks only: the place is still to be judged.
 */
export const realPlace = async (ground: Ground, path: string): Promise<string> => {
  if (path.startsWith('/')) return await resolve(ground, path, MOST_LINKS);
  const home = await look(ground, path, ground.sftp.realPath('.'));
  return await resolve(ground, path === '~' ? home : within(home, path.slice(2)), MOST_LINKS);
};

const resolve = async (ground: Ground, path: string, links: number): Promise<string> => {
  const real = await unlessMissing(ground, path, ground.sftp.realPath(path));
  if (real !== undefined) return plain(ground, real);
  if (path === '/') throw new Failure('FILE_FAILED', `${ground.host} says that it has no root folder.`);
  const { folder, name } = splitPath(path);
  const parent = await resolve(ground, folder, links);
  if (name === '' || name === '.') return parent;
  if (name === '..') return splitPath(parent).folder;
  const at = within(parent, name);
  const there = await unlessMissing(ground, at, ground.sftp.lstat(at));
  if (there?.kind !== 'link') return plain(ground, at);
  if (links === 0) throw new Failure('FILE_FAILED', `${shownPath(path)} on ${ground.host} is a link that never ends.`);
  const target = await look(ground, at, ground.sftp.readLink(at));
  return await resolve(ground, target.startsWith('/') ? target : within(parent, target), links - 1);
};

const plain = ({ host }: Ground, real: string): string => {
  if (isPlainPath(real)) return real;
  throw new Failure(
    'FILE_FAILED',
    `${host} says that the real path is ${shownPath(JSON.stringify(real))}, which it cannot be.`,
  );
};

/** Throws the refusal of what the policy in force now does not grant; nothing may be done there before `leave.charge` has resolved. */
export const mustGrant = ({ leave }: Ground, access: FileAccess, path: string): void => {
  const refusal = leave.refusal(access, path);
  if (refusal !== undefined) throw refusal;
};

/** Attributes of what is at a real path, links not followed; undefined when nothing is. */
export const lookAt = async (ground: Ground, path: string): Promise<Attributes | undefined> =>
  await unlessMissing(ground, path, ground.sftp.lstat(path));

/** Throws unless this is a plain file, for what else there is is never opened: a FIFO would never answer. */
export const mustBeFile = ({ host }: Ground, path: string, { kind }: Attributes): void => {
  if (kind === 'file') return;
  const what = {
    directory: 'a folder',
    link: 'a link',
    other: 'a device, a pipe or a socket',
    unknown: 'of no known kind',
  };
  const next = kind === 'directory' ? { next: 'Name a file in it, or set recursive for the whole folder.' } : {};
  throw new Failure('FILE_FAILED', `${shownPath(path)} on ${host} is ${what[kind]}, not a file.`, next);
};

/** An open file, and what its handle said of it. */
export type Opened = { readonly file: RemoteFile; readonly attributes: Attributes };

/**
 * Opens a granted real path to read it: FILE_MOVED when something else is behind the path right after, or what was opened is not
 * what lies there, and then nothing was read. `known` is what a listing said of it; without it, it is looked at before.
 */
export const openRead = async (ground: Ground, path: string, known?: Attributes): Promise<Opened> => {
  mustBeFile(ground, path, known ?? (await look(ground, path, ground.sftp.lstat(path))));
  return await openThere(ground, path, 'read');
};

/** Opens a part of ours to go on with it, as `openRead` does. */
export const reopenPart = async (ground: Ground, path: string): Promise<Opened> =>
  await openThere(ground, path, 'update');

/**
 * Makes a file (0600) of a name that nothing has, beside one that was granted: `path` is in a real folder. FILE_MOVED when the folder is
 * another one right after, and then it is taken away again.
 */
export const openPart = async (ground: Ground, path: string): Promise<Opened> => {
  try {
    return await openThere(ground, path, 'new');
  } catch (error) {
    if (error instanceof Failure && error.code === 'FILE_MOVED') await removeMoved(ground.sftp, path);
    throw error;
  }
};

const [BURSTS, TRIES] = [20, 16];

/** Takes away a file of ours whose folder is moved to and fro: it is where the path leads now and then. */
export const removeMoved = async (sftp: Sftp, path: string): Promise<void> => {
  for (let burst = 0; burst < BURSTS && sftp.isOpen(); burst++) {
    const tries = await Promise.allSettled(Array.from({ length: TRIES }, () => sftp.remove(path)));
    if (tries.some(({ status }) => status === 'fulfilled')) return;
  }
};

/**
 * Opens, and looks in the same bursts whether no link is on the way to it and what lies there is what was opened. A path has no other way to be
 * opened in this protocol, so who moves folders there while it is opened has to be caught: at the handle, before and after it.
 */
const openThere = async (ground: Ground, path: string, mode: OpenMode): Promise<Opened> => {
  const { sftp } = ground;
  const made = mode === 'new' ? { mode: 0o600 } : undefined;
  const [opened, first] = await Promise.allSettled([sftp.open(path, mode, made), glance(sftp, path)]);
  if (opened.status === 'rejected') throw failed(ground, path, mode === 'new' ? 'make' : 'open', opened.reason);
  const file = opened.value;
  try {
    const [held, second] = await Promise.allSettled([file.stat(), glance(sftp, path)]);
    if (held.status === 'rejected') throw failed(ground, path, 'look at', held.reason);
    const over = [first, second].find(one => one.status === 'rejected' && one.reason instanceof Failure);
    if (over?.status === 'rejected') throw over.reason;
    mustBeFile(ground, path, held.value);
    const glances = [first, second].flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
    const [before, after] = glances.map(one => (one.real === path && one.again === path ? one.lies : undefined));
    if (before === undefined || after === undefined || !isSame(before, held.value, after)) throw moved(ground, path);
    return { file, attributes: held.value };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
};

type Glance = { readonly real: string; readonly lies: Attributes; readonly again: string };

const glance = async (sftp: Sftp, path: string): Promise<Glance> => {
  const [real, lies, again] = await Promise.all([sftp.realPath(path), sftp.lstat(path), sftp.realPath(path)]);
  return { real, lies, again };
};

/** Whether a look at a handle, and looks at its path before and after it, can be of one file: which may only have grown meanwhile. */
const isSame = (before: Attributes, held: Attributes, after: Attributes): boolean =>
  isOf(before, held) && isOf(held, after);

const isOf = (one: Attributes, later: Attributes): boolean =>
  one.kind === later.kind &&
  one.uid === later.uid &&
  one.gid === later.gid &&
  one.mode === later.mode &&
  (one.size ?? 0) <= (later.size ?? 0) &&
  (one.modifiedAt ?? 0) <= (later.modifiedAt ?? 0);

/** Whether a real path still leads to itself. */
export const mustLieThere = async (ground: Ground, path: string): Promise<void> => {
  const real = await unlessMissing(ground, path, ground.sftp.realPath(path));
  // Where a missing name has no real path, there is no link of that name either.
  if (real !== undefined && real !== path) throw moved(ground, path);
};

/** What lies at a real path, which must still lead to itself, right before a part takes its place. */
export const lookLast = async (ground: Ground, path: string): Promise<Attributes | undefined> => {
  const [there] = await Promise.all([lookAt(ground, path), mustLieThere(ground, path)]);
  return there;
};

/**
 * Gives a finished part its final name in one step, which the policy must still grant; `there` is what `lookLast` gave. Where the host
 * cannot replace a file in one step and there is one: UNSUPPORTED, and both stay as they are.
 */
export const putInPlace = async (
  ground: Ground,
  part: string,
  path: string,
  there: Attributes | undefined,
): Promise<void> => {
  const { sftp, leave } = ground;
  mustGrant(ground, 'write', path);
  await leave.charge(0);
  if (there !== undefined) mustBeFile(ground, path, there);
  if (there !== undefined && !sftp.replaces) throw cannotReplace(ground, path);
  await look(ground, path, sftp.replaces ? sftp.rename(part, path) : sftp.renameNew(part, path), 'put in place');
};

/** What a client hears where no file can be replaced in one step. */
export const cannotReplace = ({ host }: Ground, path: string): Failure =>
  new Failure('UNSUPPORTED', `${host} cannot replace ${shownPath(path)} in one step (it has no posix-rename).`, {
    next: 'Upload it under another name and move it by a command, or delete the file that is there first.',
  });

/** What a client hears when something on the host moves what is being worked on. */
export const moved = ({ host }: Ground, path: string): Failure =>
  new Failure(
    'FILE_MOVED',
    `What ${shownPath(path)} on ${host} leads to changed while it was opened; nothing of it was used.`,
  );

/** What a request gives, or the `Failure` that says what could not be done. */
export const look = async <T>(ground: Ground, path: string, request: Promise<T>, doing = 'look at'): Promise<T> => {
  try {
    return await request;
  } catch (error) {
    throw failed(ground, path, doing, error);
  }
};

const failed = ({ host }: Ground, path: string, doing: string, error: unknown): Failure =>
  fileFailure(error, { host, path, doing });

const unlessMissing = async <T>(ground: Ground, path: string, request: Promise<T>): Promise<T | undefined> => {
  try {
    return await request;
  } catch (error) {
    if (error instanceof SftpError && error.status === 'missing') return undefined;
    throw failed(ground, path, 'look at', error);
  }
};
