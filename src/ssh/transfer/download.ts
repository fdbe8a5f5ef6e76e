import type { Transfer } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { heard } from '../sftp/heard.ts';
import { pull } from '../sftp/pull.ts';
import { flushing } from './flushing.ts';
import { askingOn, changedMeanwhile, type Job, mustGoOn, Sum } from './job.ts';
import {
  beginLocalPart,
  dropLocalPart,
  type LocalPart,
  mustBeReplaceableHere,
  mustHaveRoomHere,
  putInPlaceHere,
} from './local-part.ts';
import { localPlace, tried } from './local-place.ts';
import { checkRemotePath, shownPath } from './path.ts';
import { type Ground, look, mustGrant, type Opened, openRead, realPlace } from './place.ts';
import { lookAhead } from './survey.ts';

/** What came of one file: see `Transferred`. */
export type FileGot = {
  readonly remotePath: string;
  readonly size: number;
  readonly sha256: string;
  readonly resumedFrom?: number;
};

/** What came of a text: see `Transferred`. */
export type TextGot = {
  readonly remotePath: string;
  readonly size: number;
  readonly offset: number;
  readonly content: Buffer;
  readonly sha256: string;
};

type ToFile = Extract<Transfer, { readonly localPath: string }>;
type ToText = Extract<Transfer, { readonly to: 'text' }>;

/**
 * Fetches one file. It has another name of the same folder until it is whole and on the disk; then it takes the place of what is there in one
 * step. Of a file that is appended to meanwhile it is the beginning, as long as that was when it was opened.
 */
export const downloadFile = async (job: Job, action: ToFile): Promise<FileGot> => {
  checkRemotePath(action.remotePath);
  const final = await localPlace(job.files, action.localPath);
  await mustBeReplaceableHere(final);
  const opened = await openGranted(job.ground, action.remotePath);
  try {
    const { path, attributes } = opened;
    const { size = 0, modifiedAt = 0 } = attributes;
    const part = await beginLocalPart(job, {
      ...{ final, size, modifiedMs: modifiedAt * 1_000, resume: action.resume },
      sumThere: async bytes => await job.remoteDigest(path, bytes),
    });
    try {
      const got = await fetch(job, opened, part);
      // Asked while the bytes here go to the disk.
      const whole = heard(mustBeWhole(job.ground, opened, got));
      const mayStay = async (): Promise<void> => {
        await whole;
        await mustStillGrant(job, path);
      };
      await putInPlaceHere(part, { mode: modeHere(attributes.mode), modifiedAt: attributes.modifiedAt, mayStay });
      const resumed = part.bytes > 0 ? { resumedFrom: part.bytes } : {};
      return { remotePath: path, size: got, sha256: part.sum.hex, ...resumed };
    } catch (error) {
      throw await dropLocalPart(job, part, error);
    }
  } finally {
    void heard(opened.file.close());
  }
};

/** What was given up, or is not granted any more, gets no final name. */
const mustStillGrant = async (job: Job, path: string): Promise<void> => {
  mustGoOn(job);
  mustGrant(job.ground, 'read', path);
  await job.ground.leave.charge(0);
};

/** The permission bits that a file of a host has here: nobody else may write to it. */
export const modeHere = (mode: number | undefined): number => 0o600 | ((mode ?? 0) & 0o755);

type Granted = Opened & { readonly path: string };

const openGranted = async (ground: Ground, asked: string): Promise<Granted> => {
  const real = realPlace(ground, asked);
  const lookAtReal = lookAhead(ground, asked);
  const path = await real;
  mustGrant(ground, 'read', path);
  await ground.leave.charge(0);
  return { path, ...(await openRead(ground, path, await lookAtReal(path))) };
};

const fetch = async (job: Job, opened: Granted, part: LocalPart): Promise<number> => {
  const { ground, signal } = job;
  const { path, file, attributes } = opened;
  const { size = 0 } = attributes;
  job.expects(size - part.bytes);
  await ground.leave.charge(size - part.bytes);
  await mustHaveRoomHere(part.final, size - part.bytes);
  mustGoOn(job);
  let at = part.bytes;
  const askOn = askingOn(ground);
  const flush = flushing(part.handle);
  const sink = async (pieces: readonly Buffer[]): Promise<void> => {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size === 0) await chargeUnsaid(ground, path, at, bytes);
    else await askOn(bytes);
    const written = writeAll(part, pieces, at);
    for (const piece of pieces) part.sum.add(piece);
    await tried(part.final, written);
    flush.wrote(bytes);
    at += bytes;
    job.moved(bytes);
  };
  const span = { from: part.bytes, ...(size === 0 ? {} : { to: size }) };
  try {
    await look(ground, path, pull(file, span, sink, signal), 'read');
  } catch (error) {
    // Whatever else went wrong: what the disk has lost is no beginning to go on with.
    await tried(part.final, flush.settled());
    mustGoOn(job);
    throw error;
  }
  await tried(part.final, flush.settled());
  return at;
};

const writeAll = async ({ handle }: LocalPart, pieces: readonly Buffer[], at: number): Promise<void> => {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev([...pieces], at);
  if (bytesWritten === bytes) return;
  // A disk that is nearly full takes a beginning; the rest says why.
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  for (let cut = 0; cut < rest.length; )
    cut += (await handle.write(rest, cut, rest.length - cut, at + bytesWritten + cut)).bytesWritten;
};

/** Files that the kernel makes up as they are read (/proc) have no size; one that never ends is given up here. */
const MOST_UNSAID = 67_108_864;

/** Bytes of a file without a size are charged as they come, before anything is done with them. */
const chargeUnsaid = async ({ leave, host }: Ground, path: string, before: number, bytes: number): Promise<void> => {
  if (before + bytes > MOST_UNSAID)
    throw new Failure('FILE_FAILED', `${shownPath(path)} on ${host} has no size, and more than ${MOST_UNSAID} bytes.`, {
      next: 'Read a part of it by ssh_exec, with head or tail.',
      details: { changed: true },
    });
  await leave.charge(bytes);
};

/** Files that the kernel makes up (/sys) say a page, whatever they hold. */
const PAGE_BYTES = 65_536;

/** Throws unless the end was where the host had said, and what was read was not written anew meanwhile. */
const mustBeWhole = async (ground: Ground, { path, file, attributes }: Granted, at: number): Promise<void> => {
  const now = await look(ground, path, file.stat());
  const size = attributes.size ?? 0;
  const ended = at === size || size === 0 || (size <= PAGE_BYTES && now.size === size);
  const grew = (now.size ?? 0) > size;
  if (ended && (grew || now.modifiedAt === attributes.modifiedAt || size === 0)) return;
  throw changedMeanwhile(`${shownPath(path)} on ${ground.host}`);
};

/** Fetches a piece of a file as bytes: at most `maxBytes` from `offset` on, none behind the end. */
export const downloadText = async (job: Job, action: ToText): Promise<TextGot> => {
  checkRemotePath(action.remotePath);
  const { ground, signal } = job;
  const { offset, maxBytes } = action;
  const { path, file, attributes } = await openGranted(ground, action.remotePath);
  try {
    const said = attributes.size ?? 0;
    // One byte more tells whether a file without a size goes on.
    const to = said === 0 ? offset + maxBytes + 1 : Math.min(said, offset + maxBytes);
    const pieces: Buffer[] = [];
    if (said > 0) await ground.leave.charge(Math.max(0, to - offset));
    job.expects(Math.max(0, to - offset));
    mustGoOn(job);
    const take = (some: readonly Buffer[]): void => {
      pieces.push(...some);
      job.moved(some.reduce((sum, { length }) => sum + length, 0));
    };
    if (to > offset) await look(ground, path, pull(file, { from: offset, to }, take, signal), 'read');
    mustGoOn(job);
    const all = Buffer.concat(pieces);
    const content = all.subarray(0, maxBytes);
    if (said === 0) await ground.leave.charge(content.length);
    const sum = new Sum();
    sum.add(content);
    return {
      remotePath: path,
      size: Math.max(said, all.length === 0 ? 0 : offset + all.length),
      offset,
      content,
      sha256: sum.hex,
    };
  } finally {
    void heard(file.close());
  }
};
