import { Failure } from '../../errors.ts';
import { fileFailure, writeFailure } from '../sftp/failure.ts';
import { heard } from '../sftp/heard.ts';
import { push } from '../sftp/push.ts';
import type { Attributes, Changes, RemoteFile, Sftp } from '../sftp/sftp.ts';
import { SftpError } from '../sftp/sftp-error.ts';
import { askingOn, type Job, mustGoOn } from './job.ts';
import { checkRemotePath, shownPath, splitPath } from './path.ts';
import { cannotReplace, type Ground, look, lookLast, mustBeFile, mustGrant, putInPlace, realPlace } from './place.ts';
import { beginPart, dropPart, type RemotePart } from './remote-part.ts';
import { openSource, type Source, type ToHost } from './source.ts';
import { type Survey, surveyAhead } from './survey.ts';
import { beginBeside, settle, widen } from './wide-part.ts';

/** What came of one file: see `Transferred`. */
export type FileSent = {
  readonly remotePath: string;
  readonly size: number;
  readonly sha256: string;
  readonly resumedFrom?: number;
};

/**
 * Sends one file or a text. The host has it under another name of the same folder until it is whole and on its disk; then it takes the place of
 * what is there in one step. Rejects with what went wrong, and the final name is untouched.
 */
export const uploadFile = async (job: Job, action: ToHost): Promise<FileSent> => {
  checkRemotePath(action.remotePath);
  if (action.remotePath.endsWith('/')) throw namesFolder(action.remotePath);
  const source = await openSource(job, action);
  try {
    const others = beginBeside(job, source.size);
    const real = realPlace(job.ground, action.remotePath);
    const seenOf = surveyAhead(job.ground, action.remotePath);
    const path = await real;
    mustGrant(job.ground, 'write', path);
    await job.ground.leave.charge(0);
    const seen = seenOf(path);
    const there = await seen.there;
    if (there !== undefined) mustBeReplaceable(job.ground, path, there);
    const writable = heard(mustBeWritable(job.ground, path, there));
    const mode = ('from' in action ? action.from.mode : source.file?.mode) ?? (await modeFor(there, seen));
    return await send(job, { source, path, there, mode, room: seen.room, writable, others, resume: action.resume });
  } finally {
    await source.close();
  }
};

type Sending = {
  readonly source: Source;
  /** The real path that it gets. */
  readonly path: string;
  readonly there: Attributes | undefined;
  readonly mode: number;
  /** Bytes that there is room for, where the host says that. */
  readonly room: Promise<number | undefined>;
  /** Rejects when what lies there may not be written to. */
  readonly writable: Promise<void>;
  /** Conversations that help with a large one. */
  readonly others: Promise<readonly Sftp[]>;
  readonly resume: boolean;
};

const send = async (job: Job, sending: Sending): Promise<FileSent> => {
  const { source, path } = sending;
  const part = await beginPart(job, sending).catch(async (error: unknown) => {
    // That the file itself may not be written to is said before what is wrong with its folder.
    await sending.writable;
    throw error;
  });
  const left = source.size - part.bytes;
  try {
    await sending.writable;
    job.expects(left);
    await job.ground.leave.charge(left);
    await mustHaveRoom(job.ground, sending, left);
    mustGoOn(job);
    await pushAll(job, part, sending);
    await source.mustBeTheSame();
    const last = await finish(job, part, sending);
    mustGoOn(job);
    await putInPlace(job.ground, part.path, path, last);
  } catch (error) {
    throw await dropPart(job, part, { error, keep: source.file !== undefined });
  }
  const resumed = part.bytes > 0 ? { resumedFrom: part.bytes } : {};
  return { remotePath: path, size: source.size, sha256: part.sum.hex, ...resumed };
};

const pushAll = async (job: Job, part: RemotePart, { source, others }: Sending): Promise<void> => {
  const { sftp, host } = job.ground;
  const { path, final, file, bytes, sum, reached } = part;
  const written = (offset: number): void => {
    reached.bytes = offset;
  };
  const askOn = askingOn(job.ground);
  const blocks = async function* () {
    for await (const block of source.blocks(bytes, source.size, file.maxWrite)) {
      await askOn(block.length);
      sum.add(block);
      job.moved(block.length);
      yield block;
    }
  };
  const lanes: RemoteFile[] = [];
  const beside = others.then(async conversations => {
    lanes.push(...(await widen(job.ground, part, conversations)));
    return lanes;
  });
  try {
    await push(file, { at: bytes, beside, written }, blocks(), job.signal);
  } catch (error) {
    await settle(lanes);
    mustGoOn(job);
    throw await writeFailure(sftp, error, { host, path: final, doing: 'write' }, splitPath(path).folder);
  }
};

/**
 * On the disk, of the size that was sent, with the mode and times that it brings, and belonging to whom the file did that it replaces. Gives
 * what lies at its final name behind all that.
 */
const finish = async (
  job: Job,
  part: RemotePart,
  { source, there, mode }: Sending,
): Promise<Attributes | undefined> => {
  const { file, final } = part;
  await keepOwner(part, there);
  const changes: Changes = { mode, ...(source.file === undefined ? {} : { times: source.file.times }) };
  const work = Promise.all([keepOnDisk(job.ground, part), file.change(changes), file.stat(), file.close()]);
  const last = heard(lookLast(job.ground, final));
  const [, , { size }] = await look(job.ground, final, work, 'finish');
  if (size === source.size) return await last;
  const message = `${job.ground.host} has ${size} bytes of ${shownPath(final)}, and ${source.size} were sent.`;
  throw new Failure('FILE_FAILED', message, { details: { changed: true } });
};

/** What a disk has failed to keep can look whole when it is read back, and be synced without a word (fsync(2)): nobody goes on with it. */
const keepOnDisk = async ({ host }: Ground, { file, final }: RemotePart): Promise<void> => {
  try {
    await file.sync();
  } catch (cause) {
    if (!(cause instanceof SftpError)) throw cause;
    const { code, message, details } = fileFailure(cause, { host, path: final, doing: 'finish' });
    throw new Failure(code, message, { details: { ...details, changed: true }, cause });
  }
};

/** Only root may give a file away, and others to a group of theirs: where neither goes, it is the account's. */
const keepOwner = async ({ file, own }: RemotePart, there: Attributes | undefined): Promise<void> => {
  if (there?.uid === undefined || there.gid === undefined || own.uid === undefined) return;
  if (there.uid === own.uid && there.gid === own.gid) return;
  const { uid, gid } = there;
  const group = own.uid;
  await file
    .change({ owner: { uid, gid } })
    .catch(() => file.change({ owner: { uid: group, gid } }).catch(() => undefined));
};

/** A disk is not filled with what will not fit, where the host says how much room there is. */
const mustHaveRoom = async (ground: Ground, { path, room }: Sending, bytes: number): Promise<void> => {
  if (bytes < WORTH_ASKING) return;
  const left = await room;
  if (left === undefined || left >= bytes) return;
  const message = `${ground.host} has room for ${left} bytes where ${shownPath(path)} is to be, and it needs ${bytes}.`;
  throw new Failure('FILE_FAILED', message, { next: 'Make room there first.', details: { free_bytes: left } });
};

/** Smaller ones fail soon enough. */
const WORTH_ASKING = 1_048_576;

const namesFolder = (path: string): Failure =>
  new Failure('INVALID_INPUT', `remote_path ${shownPath(path)} ends with a slash, so it names a folder.`, {
    next: 'Name the file itself, or set recursive for a whole folder.',
  });

const mustBeReplaceable = (ground: Ground, path: string, there: Attributes): void => {
  mustBeFile(ground, path, there);
  if (!ground.sftp.replaces) throw cannotReplace(ground, path);
};

/**
 * Taking a file's place needs only leave for its folder; so whether the account may write to the file itself is asked of the
 * host by opening it, which changes nothing.
 */
const mustBeWritable = async (ground: Ground, path: string, there: Attributes | undefined): Promise<void> => {
  if (there === undefined) return;
  const file = await look(ground, path, ground.sftp.open(path, 'update'), 'write to');
  void heard(file.close());
};

/** That of the file it replaces; a new one is as readable as its folder is, and writable by the account alone. */
const modeFor = async (there: Attributes | undefined, { folderMode }: Survey): Promise<number> =>
  there?.mode === undefined ? 0o600 | (((await folderMode) ?? 0o700) & 0o044) : there.mode & 0o777;
