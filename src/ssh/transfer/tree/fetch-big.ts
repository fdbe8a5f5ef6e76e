import { createHash } from 'node:crypto';
import { pull } from '../../sftp/pull.ts';
import type { RemoteFile } from '../../sftp/sftp.ts';
import { changedMeanwhile, isKept, resumable } from '../job.ts';
import { isPartOf, keyOf, partName } from '../part.ts';
import { shownPath, within } from '../path.ts';
import { type Opened, openRead } from '../place.ts';
import { disk, fill, OPENED, put, type Sight } from './disk.ts';
import type { Fetching } from './fetch.ts';
import type { Incoming } from './fetch-file.ts';
import { FETCHED_AT_ONCE, READ_AT_ONCE } from './limits.ts';
import { type PartHere, putHere } from './put-here.ts';
import type { Run } from './run.ts';
import { isZero } from './zeros.ts';

/** Fetches a big file with many requests on their way, synced to the disk, and without its long runs of zeros; goes on with a part where that was asked for. */
export const fetchBig = async (run: Run, folder: Fetching, incoming: Incoming): Promise<Sight> => {
  const release = await run.big.take();
  try {
    run.goOn();
    await run.charge(0);
    const opened = await openRead(run.job.ground, incoming.remote, incoming.attributes);
    try {
      return await fetchOpened(run, folder, incoming, opened);
    } finally {
      opened.file.close().catch(() => undefined);
    }
  } finally {
    release();
  }
};

const fetchOpened = async (run: Run, folder: Fetching, incoming: Incoming, opened: Opened): Promise<Sight> => {
  const { local } = folder;
  const { size = 0 } = opened.attributes;
  const part = await beginPart(run, folder, incoming, opened);
  try {
    await pullData(run, opened.file, part, size);
    const now = await opened.file.stat();
    if (now.modifiedAt !== opened.attributes.modifiedAt || now.size !== size)
      throw changedMeanwhile(shownPath(incoming.path));
    await disk.ftruncate(part.fd, size);
    await disk.fsync(part.fd);
    return await putHere(run, folder, { ...incoming, attributes: opened.attributes }, part);
  } catch (error) {
    const { size: kept } = await disk.fstat(part.fd);
    if (!run.job.revoked() && isKept(error, kept)) throw resumable(error, kept);
    await disk.unlink(local.at(part.part)).catch(() => undefined);
    throw error;
  } finally {
    await disk.close(part.fd);
  }
};

type Begun = PartHere & { readonly from: number };

const beginPart = async (run: Run, folder: Fetching, incoming: Incoming, { attributes }: Opened): Promise<Begun> => {
  const { job } = run;
  const { name, remote } = incoming;
  const { size = 0, modifiedAt = 0 } = attributes;
  const to = within(run.local.path, incoming.path);
  const key = keyOf({ grant: job.grant, to, size, modifiedMs: modifiedAt * 1_000 });
  const part = partName(name, job.random, key);
  const found = run.resume ? await claim(folder, { name, key, part, uid: job.files?.uid }) : undefined;
  if (found !== undefined) {
    const from = await verified(run, found, { remote, size }).catch(async (error: unknown) => {
      await disk.close(found);
      throw error;
    });
    return { fd: found, part, from };
  }
  const fd = await disk.open(folder.local.at(part), OPENED.make, 0o600);
  try {
    await folder.local.verify();
  } catch (error) {
    await disk.unlink(folder.local.at(part)).catch(() => undefined);
    await disk.close(fd);
    throw error;
  }
  return { fd, part, from: 0 };
};

type Claimed = { readonly name: string; readonly key: string; readonly part: string; readonly uid: number | undefined };

/** Gives a part of this key a name of our own: of several who want it, one gets it. */
const claim = async ({ local }: Fetching, { name, key, part, uid }: Claimed): Promise<number | undefined> => {
  let claimed = false;
  for await (const entry of local.entries()) {
    if (entry.kind !== 'file' || entry.name === part || !isPartOf(entry.name, name, key)) continue;
    // Who owns a file can change it later.
    if (uid !== undefined && (await disk.lstat(local.at(entry.name))).uid !== uid) continue;
    // One is enough; what else was left of this file nobody can need.
    if (claimed) await disk.unlink(local.at(entry.name)).catch(() => undefined);
    else
      claimed = await disk.rename(local.at(entry.name), local.at(part)).then(
        () => true,
        () => false,
      );
  }
  return claimed ? await disk.open(local.at(part), OPENED.update) : undefined;
};

/** How many bytes of a part are those of the file there; none when their sums differ, or the host gives none. */
const verified = async (
  { job }: Run,
  fd: number,
  { remote, size }: { readonly remote: string; readonly size: number },
): Promise<number> => {
  const { size: here } = await disk.fstat(fd);
  if (here <= size && (await job.remoteDigest(remote, here)) === (await sumOf(fd, here))) return here;
  await disk.ftruncate(fd, 0);
  return 0;
};

const sumOf = async (fd: number, bytes: number): Promise<string> => {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_AT_ONCE);
  for (let at = 0; at < bytes; ) {
    const length = await fill(fd, buffer.subarray(0, Math.min(READ_AT_ONCE, bytes - at)), at);
    if (length === 0) break;
    hash.update(buffer.subarray(0, length));
    at += length;
  }
  return hash.digest('hex');
};

/** Writes what is not zeros, a piece after the other; each span is charged before it is asked for. When it is over, nothing is written any more. */
const pullData = async (run: Run, file: RemoteFile, { fd, from }: Begun, size: number): Promise<void> => {
  let at = from;
  let writing = Promise.resolve();
  const write = async (pieces: readonly Buffer[]): Promise<void> => {
    for (const piece of pieces) {
      run.goOn();
      if (!isZero(piece)) await put(fd, piece, at);
      at += piece.length;
      run.tally.moved(piece.length);
    }
  };
  const sink = async (pieces: readonly Buffer[]): Promise<void> => {
    writing = write(pieces);
    await writing;
  };
  while (at < size) {
    const to = Math.min(size, at + FETCHED_AT_ONCE);
    await run.charge(to - at);
    try {
      if ((await pull(file, { from: at, to }, sink, run.job.signal)) < to) return;
    } finally {
      // Given up, it does not wait for what is being written; but the number of a descriptor that is closed is soon another file's.
      await writing.catch(() => undefined);
    }
    run.goOn();
  }
};
