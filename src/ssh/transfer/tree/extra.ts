import { Failure } from '../../../errors.ts';
import type { Entry } from '../../sftp/sftp.ts';
import { within } from '../path.ts';
import { moved } from '../place.ts';
import { lookHere } from './fetch.ts';
import { FILES_AT_ONCE, KEPT_ENTRIES } from './limits.ts';
import { type LocalFolder, openLocalFolder } from './local-folder.ts';
import { below, nameFault } from './names.ts';
import { openRemoteFolder } from './remote-folder.ts';
import type { Run } from './run.ts';
import { secondsOf } from './times.ts';

/**
 * Deletes what is in the tree on the host and not in the one here, each if the policy grants it, links as links; nothing at all when something
 * could not be copied. What a link that was followed led to is not looked into.
 */
export const deleteExtra = async (run: Run): Promise<void> => {
  const failed = run.tally.failed();
  if (failed > 0) return run.tally.leaveOut('', notDeleted(failed), 'failed');
  const local = await openLocalFolder(run.local.path);
  try {
    await prune(run, { path: '', remote: run.remotePath, local });
  } finally {
    await local.close();
  }
};

const notDeleted = (failed: number): Failure =>
  new Failure('FILE_FAILED', `Nothing was deleted, as ${failed} entries could not be copied.`, {
    next: 'Mend what they say, and call again.',
  });

/** A folder of the host, and the one here that it is compared with; without one, all of it is extra. */
type Folder = { readonly path: string; readonly remote: string; readonly local?: LocalFolder };

/** Deletes what is extra in a folder and below; says whether nothing is left in it. */
const prune = async (run: Run, folder: Folder): Promise<boolean> => {
  const { ground } = run.job;
  const { path, remote, local } = folder;
  const refusal = ground.leave.refusal('list', remote);
  if (refusal !== undefined) {
    run.tally.leaveOut(path, refusal, 'meant');
    return false;
  }
  await run.charge(0);
  let empty = true;
  let gone = 0;
  for await (const entries of batches(run, remote)) {
    const extra: Entry[] = [];
    for (const entry of entries) {
      run.goOn();
      const there = local === undefined ? undefined : await lookHere(local, entry.name);
      if (there === undefined) extra.push(entry);
      else empty = false;
      if (local !== undefined && there?.isDirectory() === true && entry.attributes.kind === 'directory')
        await pruneBelow(run, folder, local, entry.name);
    }
    // In a folder that is not there any more everything is missing.
    if (extra.length > 0) await local?.verify();
    const deleted = await deleteAll(run, folder, extra);
    gone += deleted;
    if (deleted < extra.length) empty = false;
  }
  if (local !== undefined && gone > 0) await restoreTimes(run, remote, local);
  return empty;
};

const pruneBelow = async (run: Run, above: Folder, local: LocalFolder, name: string): Promise<void> => {
  const inner = await local.enter(name);
  try {
    await prune(run, { path: below(above.path, name), remote: within(above.remote, name), local: inner });
  } finally {
    await inner.close();
  }
};

/** The entries of a folder, so many that they can be kept at a time; each is met once, as nothing is deleted while the folder is read. */
async function* batches(run: Run, remote: string): AsyncIterable<readonly Entry[]> {
  let kept: Entry[] = [];
  // No more folders are open at a time than while they are copied; what is deleted between two batches needs room itself.
  let release = await run.folders.take();
  try {
    run.goOn();
    for await (const part of await openRemoteFolder(run.job.ground, remote)) {
      for (const _ of part) run.meet();
      run.goOn();
      kept.push(...part);
      if (kept.length < KEPT_ENTRIES) continue;
      release();
      yield kept;
      kept = [];
      release = await run.folders.take();
    }
  } finally {
    release();
  }
  yield kept;
}

/** Deletes entries of one folder, several at a time, as long as it lies where it lay; gives how many are gone. */
const deleteAll = async (run: Run, { path, remote }: Folder, entries: readonly Entry[]): Promise<number> => {
  const { ground } = run.job;
  let gone = 0;
  for (let at = 0; at < entries.length; at += FILES_AT_ONCE) {
    run.goOn();
    if ((await ground.sftp.realPath(remote)) !== remote) throw moved(ground, remote);
    const some = entries.slice(at, at + FILES_AT_ONCE);
    const done = await Promise.all(some.map(entry => deleteOne(run, { path, remote }, entry)));
    gone += done.filter(yes => yes).length;
  }
  return gone;
};

const deleteOne = async (run: Run, folder: Folder, { name, attributes }: Entry): Promise<boolean> => {
  const { ground } = run.job;
  const path = below(folder.path, name);
  const remote = within(folder.remote, name);
  const fault = nameFault(name, path) ?? ground.leave.refusal('delete', remote);
  if (fault !== undefined) {
    run.tally.leaveOut(path, fault, 'meant');
    return false;
  }
  let gone = false;
  await run.attempt(path, async () => {
    const kind = attributes.kind === 'unknown' ? (await ground.sftp.lstat(remote)).kind : attributes.kind;
    if (kind === 'directory' && !(await prune(run, { path, remote }))) return;
    await run.charge(0);
    run.goOn();
    await (kind === 'directory' ? ground.sftp.removeFolder(remote) : ground.sftp.remove(remote));
    run.tally.count('deleted');
    gone = true;
  });
  return gone;
};

const restoreTimes = async ({ job: { ground } }: Run, remote: string, { stat }: LocalFolder): Promise<void> => {
  const times = { accessedAt: secondsOf(stat.atimeMs), modifiedAt: secondsOf(stat.mtimeMs) };
  // Of a folder that belongs to somebody else the time stays as the deletion made it.
  await ground.sftp.change(remote, { times }).catch(() => undefined);
};
