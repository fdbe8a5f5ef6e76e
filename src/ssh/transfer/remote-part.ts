import { MOST_LOOSE } from '../sftp/flights.ts';
import { pull } from '../sftp/pull.ts';
import type { Attributes, RemoteFile } from '../sftp/sftp.ts';
import { isKept, type Job, mustGoOn, resumable, Sum } from './job.ts';
import { isPartOf, keyOf, partName } from './part.ts';
import { splitPath, within } from './path.ts';
import { type Ground, look, openPart, removeMoved, reopenPart } from './place.ts';
import type { Source } from './source.ts';

/** A file of ours on the host that is to get the name `final`: open, with so many bytes of the source there, whose sum is `sum`. */
export type RemotePart = {
  readonly path: string;
  readonly final: string;
  readonly file: RemoteFile;
  /** What it was when it was opened. */
  readonly own: Attributes;
  readonly bytes: number;
  /** How much the host says is written, and how many bytes behind that there may be with gaps between them. */
  readonly reached: { bytes: number; loose: number };
  readonly sum: Sum;
};

type Wanted = { readonly source: Source; readonly path: string; readonly resume: boolean };

/** Names looked through for a part to go on with: a folder of more is not worth the time. */
const MOST_NAMES = 100_000;

/** Makes a part for a real path, or, to resume, takes over one of an earlier transfer of the same source once its sum is right. */
export const beginPart = async (job: Job, { source, path, resume }: Wanted): Promise<RemotePart> => {
  const { ground } = job;
  const { folder, name } = splitPath(path);
  const { file, size } = source;
  const key = file && keyOf({ grant: job.grant, to: path, size, modifiedMs: file.modifiedMs });
  const fresh = (): string => {
    const own = within(folder, partName(name, job.random, key));
    mustNotBar(ground, own);
    return own;
  };
  const made = fresh();
  const { file: opened, attributes } = await openPart(ground, made);
  const part = {
    path: made,
    final: path,
    file: opened,
    own: attributes,
    bytes: 0,
    reached: { bytes: 0, loose: 0 },
    sum: new Sum(),
  };
  if (!resume || key === undefined) return part;
  const found = await claim(ground, { path, key, as: attributes }, fresh).catch(async (error: unknown) => {
    await putAway(ground, part);
    throw error;
  });
  if (found === undefined) return part;
  // Sums take long, and a line that is cut meanwhile is to leave nothing empty behind.
  await putAway(ground, part);
  const older = await goOn(job, source, { path: found, final: path, as: attributes });
  return older ?? (await beginPart(job, { source, path, resume: false }));
};

const putAway = async ({ sftp }: Ground, { file, path }: Pick<RemotePart, 'file' | 'path'>): Promise<void> => {
  await file.close().catch(() => undefined);
  await removeMoved(sftp, path);
};

/** A deny rule for the name of a part is obeyed; a grant is not needed, as it is beside what was granted. */
const mustNotBar = ({ leave }: Ground, path: string): void => {
  const refusal = leave.barred('write', path);
  if (refusal !== undefined) throw refusal;
};

type Claimed = { readonly path: string; readonly key: string; readonly as: Attributes };

/** Gives the account's largest part of this key a name of our own: of several who want it, one gets it. */
const claim = async (
  { sftp }: Ground,
  { path, key, as }: Claimed,
  fresh: () => string,
): Promise<string | undefined> => {
  const { folder, name } = splitPath(path);
  const parts: { readonly name: string; readonly size: number }[] = [];
  let seen = 0;
  for await (const entries of sftp.list(folder)) {
    for (const { name: candidate, attributes } of entries)
      if (isPartOf(candidate, name, key) && attributes.kind === 'file' && attributes.uid === as.uid && attributes.size)
        parts.push({ name: candidate, size: attributes.size });
    seen += entries.length;
    if (seen > MOST_NAMES) break;
  }
  for (const part of parts.sort((a, b) => b.size - a.size)) {
    const own = fresh();
    const mine = await sftp.renameNew(within(folder, part.name), own).then(
      () => true,
      () => false,
    );
    if (mine) return own;
  }
  return undefined;
};

type Found = { readonly path: string; readonly final: string; readonly as: Attributes };

/** Goes on with a part whose bytes are those of the source, and that is the account's own: who owns a file can change it later. */
const goOn = async (job: Job, source: Source, { path, final, as }: Found): Promise<RemotePart | undefined> => {
  const { file, attributes: own } = await reopenPart(job.ground, path);
  const { size: bytes = 0 } = own;
  if (own.uid !== as.uid || bytes > source.size) {
    await file.close().catch(() => undefined);
    return undefined;
  }
  const sum = await sameSum(job, source, { path, file, bytes });
  if (sum !== undefined) {
    const reached = { bytes: sum.bytes, loose: 0 };
    if (sum.bytes < bytes) await look(job.ground, final, file.change({ size: sum.bytes }), 'write');
    return { path, final, file, own: { ...own, size: sum.bytes }, bytes: sum.bytes, reached, sum };
  }
  await putAway(job.ground, { file, path });
  return undefined;
};

type There = { readonly path: string; readonly file: RemoteFile; readonly bytes: number };

/**
 * The sum of all of a part where it is that of the source too, or else of the part without the last bytes, among which a line that was cut may
 * have left gaps; undefined when neither is.
 */
const sameSum = async (job: Job, source: Source, { path, file, bytes }: There): Promise<Sum | undefined> => {
  const marks = [Math.max(0, bytes - MOST_LOOSE), bytes];
  const [ours, told] = await Promise.all([sumsHere(job, source, marks), job.remoteDigest(path, bytes)]);
  const [short, whole] = ours;
  if (told !== undefined && told === whole?.hex) return whole;
  if (told === undefined) {
    const theirs = await sumsThere(job, { path, file }, marks);
    return ours.findLast((sum, index) => sum.bytes > 0 && sum.hex === theirs[index]?.hex);
  }
  if (short === undefined || short.bytes === 0) return undefined;
  return (await job.remoteDigest(path, short.bytes)) === short.hex ? short : undefined;
};

/** Of the bytes before each of these offsets of the source. */
const sumsHere = async (job: Job, source: Source, marks: readonly number[]): Promise<readonly Sum[]> =>
  await sumsTo(marks, async (sum, to) => {
    for await (const block of source.blocks(sum.bytes, to, 262_144)) {
      mustGoOn(job);
      sum.add(block);
    }
  });

/** The same of the part, which is read back for it. */
const sumsThere = async (
  { ground, signal }: Job,
  { path, file }: Pick<There, 'path' | 'file'>,
  marks: readonly number[],
): Promise<readonly Sum[]> =>
  await sumsTo(marks, async (sum, to) => {
    const add = (pieces: readonly Buffer[]): void => {
      for (const piece of pieces) sum.add(piece);
    };
    await look(ground, path, pull(file, { from: sum.bytes, to }, add, signal), 'read');
  });

const sumsTo = async (
  marks: readonly number[],
  addTo: (sum: Sum, to: number) => Promise<void>,
): Promise<readonly Sum[]> => {
  const sum = new Sum();
  const sums: Sum[] = [];
  for (const mark of marks) {
    await addTo(sum, mark);
    sums.push(sum.copy());
  }
  return sums;
};

/**
 * What became of a transfer that failed, for whoever asked: a part that a later one can go on with is kept and said, any other is taken away.
 */
export const dropPart = async (
  job: Job,
  part: RemotePart,
  { error, keep }: { readonly error: unknown; readonly keep: boolean },
): Promise<unknown> => {
  const { sftp } = job.ground;
  const { bytes: written, loose } = part.reached;
  // What is behind a gap is no beginning of anything.
  if (loose > 0) await part.file.change({ size: written }).catch(() => undefined);
  const there = await part.file
    .close()
    .then(undefined, () => undefined)
    .then(async () => await sftp.lstat(part.path))
    .catch(() => undefined);
  // Where the line is gone, what the host has said before is what is known.
  const bytes = sftp.isOpen() ? (there?.size ?? 0) : Math.max(0, written - loose);
  if (keep && !job.revoked() && isKept(error, bytes)) return resumable(error, bytes);
  await removeMoved(sftp, part.path);
  return error;
};
