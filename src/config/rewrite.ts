import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../call.ts';
import { Failure } from '../errors.ts';
import { isCode, NotPrivate, syncFolder, type Uid } from '../state/private.ts';
import { type Change, hashOf, keepChange, lastChange, type Place } from './history.ts';
import { type Lock, takeLock, type Waiting } from './lock.ts';
import { readTrusted } from './trusted-file.ts';

/** A file that is rewritten, and the folder in which what stood there before is kept. */
export type Rewriting = Omit<Waiting, 'clock'> & {
  readonly path: string;
  readonly history: string;
  readonly uid: Uid;
  readonly clock: Pick<Clock, 'monoMs' | 'wallMs'>;
};

/** Another process kept changing the file, or an editor did; so often it is tried again. */
const MOST_TRIES = 5;

/**
 * Puts what `edit` makes of the text into the file's place (undefined is no file), whole or not at all, and keeps what stood
 * there: nobody else's change is lost, links are followed, the mode stays, and a crash leaves the old text or the new. What
 * `edit` throws leaves everything as it is. `what` says in words what was done.
 */
export const rewrite = async (
  file: Rewriting,
  what: string,
  edit: (text: string | undefined) => string | undefined,
): Promise<void> => {
  await inTurn(file, (real, text) => {
    const after = edit(text);
    const change = { file: real, at: file.clock.wallMs(), what, before: text ?? null, after: hashOf(after) };
    return { after, keep: () => keepChange(placeOf(file), change), done: () => undefined };
  });
};

/** Puts back what stood there before the last change, if the file is still as that change left it; undefined when it is not. */
export const undo = async (file: Rewriting): Promise<Change | undefined> => {
  let undone: Change | undefined;
  await inTurn(file, (real, text) => {
    const last = lastChange(placeOf(file), real, text);
    undone = last?.change;
    if (last === undefined) return undefined;
    return { after: last.change.before ?? undefined, keep: () => () => undefined, done: last.forget };
  });
  return undone;
};

const placeOf = ({ history, uid, unique }: Rewriting): Place => ({ folder: history, uid, unique });

/** `keep` says how what it kept is let go of again. */
type Plan = { readonly after: string | undefined; readonly keep: () => () => void; readonly done: () => void };

/** Does one change under the lock of the file; everything from the first look to the rename is synchronous. */
const inTurn = async (
  file: Rewriting,
  plan: (real: string, text: string | undefined) => Plan | undefined,
): Promise<void> => {
  mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 });
  const real = realOf(file.path);
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const lock = await takeLock(`${real}.lock`, file);
    if (lock === undefined) break;
    try {
      if (attempt(file, real, lock, plan)) return;
    } finally {
      lock.release();
    }
  }
  throw new Failure('CONFIG_UNAVAILABLE', 'Others keep changing the list of hosts.', {
    operator: `${real} is being changed by others, or ${real}.lock is held.`,
  });
};

const attempt = (
  file: Rewriting,
  real: string,
  lock: Lock,
  plan: (real: string, text: string | undefined) => Plan | undefined,
): boolean => {
  removeLeavings(real);
  const text = textIn(file);
  const planned = plan(real, text);
  if (planned === undefined || planned.after === text) return true;
  const temporary = `${real}.${file.unique()}.edit`;
  try {
    if (planned.after !== undefined) writeWhole(temporary, planned.after, modeOf(real, file.uid));
    const forget = planned.keep();
    if (!lock.isHeld() || textIn(file) !== text) {
      forget();
      return false;
    }
    if (planned.after === undefined) rmSync(real);
    else renameSync(temporary, real);
    syncFolder(dirname(real));
    planned.done();
    return true;
  } finally {
    rmSync(temporary, { force: true });
  }
};

/** Bytes that are no text would not survive being read and written as one. */
const textIn = ({ path, uid }: Rewriting): string | undefined => {
  const text = readTrusted(path, uid)?.text;
  if (text?.includes('\uFFFD') === true) throw new NotPrivate(`${path} is not UTF-8 throughout: mend it in an editor.`);
  return text;
};

/** Where a link leads; one that leads nowhere is for its owner to mend. */
const realOf = (path: string): string => {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new NotPrivate(`${path} is a link to nothing: remove it, or make what it leads to.`);
  return join(realpathSync(dirname(path)), basename(path));
};

/** A new file would be ours: one of root's stays root's to change. */
const modeOf = (real: string, uid: Uid): number => {
  const stats = statSync(real, { throwIfNoEntry: false });
  if (stats === undefined) return 0o600;
  if (uid !== undefined && stats.uid !== uid)
    throw new NotPrivate(`${real} belongs to user ${stats.uid}: let that user change it.`);
  return stats.mode & 0o777;
};

const writeWhole = (path: string, text: string, mode: number): void => {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(fd, text);
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** What a process that was killed has left behind: whoever holds the lock is alone. */
const removeLeavings = (real: string): void => {
  const name = basename(real);
  for (const entry of readdirSync(dirname(real)))
    if (entry.startsWith(`${name}.`) && entry.endsWith('.edit')) rmSync(join(dirname(real), entry), { force: true });
};
