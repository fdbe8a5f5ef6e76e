import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, statfs } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { isCode } from '../../state/private.ts';
import { bytesOf, nameOf } from '../../text/byte-name.ts';
import { isKept, type Job, mustGoOn, resumable, Sum } from './job.ts';
import {
  type LocalPlace,
  localStat,
  makeLocal,
  mustBeLocalFile,
  mustLieHere,
  reopenLocal,
  takeAway,
  tried,
} from './local-place.ts';
import { isPartOf, keyOf, partName } from './part.ts';
import { splitPath, within } from './path.ts';

/** A file of ours on this machine that is to get the name of `final`: open, with so many bytes of the source there, whose sum is `sum`. */
export type LocalPart = {
  readonly place: LocalPlace;
  readonly final: LocalPlace;
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly sum: Sum;
};

type Wanted = {
  readonly final: LocalPlace;
  readonly size: number;
  readonly modifiedMs: number;
  readonly resume: boolean;
  /** SHA-256 in hex of the first bytes of the source; undefined where that is not to be had without moving them. */
  readonly sumThere: (bytes: number) => Promise<string | undefined>;
};

const READ_BYTES = 1_048_576;

/** Makes a part for a place, or, to resume, takes over one of an earlier transfer of the same source once its sum is right. */
export const beginLocalPart = async (job: Job, wanted: Wanted): Promise<LocalPart> => {
  const { final, size, modifiedMs, resume } = wanted;
  const { folder, name } = splitPath(final.path);
  const key = keyOf({ grant: job.grant, to: final.path, size, modifiedMs });
  const fresh = (): LocalPlace => ({ ...final, path: within(folder, partName(name, job.random, key)) });
  const found = resume ? await claim(job, final, key, fresh) : undefined;
  if (found !== undefined) return await goOn(job, found, wanted);
  const place = fresh();
  const { handle } = await makeLocal(place);
  return { place, final, handle, bytes: 0, sum: new Sum() };
};

/** Gives the largest part of this key a name of our own: of several who want it, one gets it. */
const claim = async (
  { files }: Job,
  final: LocalPlace,
  key: string,
  fresh: () => LocalPlace,
): Promise<LocalPlace | undefined> => {
  const { folder, name } = splitPath(final.path);
  const parts: { readonly path: string; readonly size: bigint }[] = [];
  for (const bytes of await tried(final, readdir(bytesOf(folder), { encoding: 'buffer' }))) {
    const candidate = nameOf(bytes);
    if (!isPartOf(candidate, name, key)) continue;
    const path = within(folder, candidate);
    const stats = await localStat(path);
    // Who owns a file can change it later.
    const own = files?.uid === undefined || stats?.uid === BigInt(files.uid);
    if (own && stats?.isFile() === true) parts.push({ path, size: stats.size });
  }
  for (const { path } of parts.sort((a, b) => Number(b.size - a.size))) {
    const own = fresh();
    const mine = await rename(bytesOf(path), bytesOf(own.path)).then(
      () => true,
      () => false,
    );
    if (mine) return own;
  }
  return undefined;
};

const goOn = async (job: Job, place: LocalPlace, { final, size, sumThere }: Wanted): Promise<LocalPart> => {
  const { handle, stats } = await reopenLocal(place);
  const bytes = Math.min(Number(stats.size), size);
  const sum = new Sum();
  try {
    const [theirs] = await Promise.all([sumThere(bytes), sumHere(job, { handle, place }, bytes, sum)]);
    if (theirs === sum.hex && bytes === Number(stats.size)) return { place, final, handle, bytes, sum };
    await tried(final, handle.truncate(0));
    return { place, final, handle, bytes: 0, sum: new Sum() };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

const sumHere = async (
  job: Job,
  { handle, place }: Pick<LocalPart, 'handle' | 'place'>,
  bytes: number,
  sum: Sum,
): Promise<void> => {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; at < bytes; ) {
    mustGoOn(job);
    const { bytesRead } = await tried(place, handle.read(buffer, 0, Math.min(READ_BYTES, bytes - at), at));
    if (bytesRead === 0) return;
    sum.add(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
};

/** Throws LOCAL_FAILED when the disk of the place has less room than that: none is filled with what will not fit. */
export const mustHaveRoomHere = async (final: LocalPlace, bytes: number): Promise<void> => {
  const { bavail, bsize } = await tried(final, statfs(bytesOf(splitPath(final.path).folder)));
  if (bavail * bsize >= bytes) return;
  const message = `There is room for ${bavail * bsize} bytes on this machine where the file is to be, and it needs ${bytes}.`;
  throw new Failure('LOCAL_FAILED', message, { details: { no_room: true } });
};

/** Throws unless what lies at a place, if anything does, is a plain file: nothing else is replaced. */
export const mustBeReplaceableHere = async (final: LocalPlace): Promise<void> => {
  const there = await tried(final, localStat(final.path));
  if (there === undefined) return;
  mustBeLocalFile(final, there);
  // Taking a file's place needs only leave for its folder: whether it may be written itself is another question.
  const handle = await tried(
    final,
    open(bytesOf(final.path), constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  );
  await handle.close();
};

type Last = {
  readonly mode: number;
  readonly modifiedAt: number | undefined;
  /** Asked when all of it is on the disk: rejects when it may not stay. */
  readonly mayStay: () => Promise<void>;
};

/** On the disk, with this mode and time, and then, when it may still stay, under its final name in one step. */
export const putInPlaceHere = async (
  { place, final, handle }: LocalPart,
  { mode, modifiedAt, mayStay }: Last,
): Promise<void> => {
  await tried(final, handle.chmod(mode));
  if (modifiedAt !== undefined) await tried(final, handle.utimes(modifiedAt, modifiedAt));
  await tried(final, handle.sync());
  await mayStay();
  await mustLieHere(place, await handle.stat({ bigint: true }));
  await handle.close();
  await mustLieHere(final);
  await mustBeReplaceableHere(final);
  await tried(final, rename(bytesOf(place.path), bytesOf(final.path)));
  await syncFolder(splitPath(final.path).folder);
};

/** Makes the name survive a power cut, where a folder can be opened for that at all. */
const syncFolder = async (folder: string): Promise<void> => {
  try {
    const handle = await open(bytesOf(folder), constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EISDIR', 'EINVAL'].some(code => isCode(error, code))) throw error;
  }
};

/** What became of a download that failed, for whoever asked: a part that a later one can go on with is kept and said, any other is taken away. */
export const dropLocalPart = async (job: Job, { place, handle }: LocalPart, error: unknown): Promise<unknown> => {
  // One whose folder was moved away is found by nobody who goes on.
  const there = await localStat(place.path).catch(() => undefined);
  const size = Number(there?.size ?? 0n);
  const kept = !job.revoked() && isKept(error, size);
  if (!kept) await takeAway(handle, place);
  await handle.close();
  return kept ? resumable(error, size) : error;
};
