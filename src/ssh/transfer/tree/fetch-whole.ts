import type { Attributes, RemoteFile } from '../../sftp/sftp.ts';
import { changedMeanwhile } from '../job.ts';
import { partName } from '../part.ts';
import { shownPath } from '../path.ts';
import { moved } from '../place.ts';
import { disk, OPENED, put, type Sight } from './disk.ts';
import type { Fetching } from './fetch.ts';
import type { Incoming } from './fetch-file.ts';
import { SMALL_BYTES } from './limits.ts';
import { putHere } from './put-here.ts';
import { isSameFile, leadsTo } from './remote-folder.ts';
import type { Run } from './run.ts';

/** Fetches a small file, with as much memory as it is long; gives what it is here. */
export const fetchWhole = async (run: Run, folder: Fetching, incoming: Incoming): Promise<Sight> => {
  const { size = 0 } = incoming.attributes;
  const release = await run.bytes.take(size);
  try {
    run.goOn();
    await run.charge(size);
    const { content, attributes } = await contentOf(run, incoming);
    run.tally.moved(content.length);
    return await writeHere(run, folder, { ...incoming, attributes }, content);
  } finally {
    release();
  }
};

/** What was read of a file, and what it was before that. */
type Content = { readonly content: Buffer; readonly attributes: Attributes };

const contentOf = async (run: Run, incoming: Incoming): Promise<Content> => {
  const { ground } = run.job;
  const { remote } = incoming;
  const { sftp } = ground;
  const [before, opened, after] = await Promise.allSettled([
    sftp.realPath(remote),
    sftp.open(remote, 'read'),
    sftp.realPath(remote),
  ]);
  if (opened.status === 'rejected') throw opened.reason;
  try {
    if (!leadsTo(remote, before, after)) throw moved(ground, remote);
    return await readOpen(run, incoming, opened.value);
  } finally {
    // Nobody waits for its answer; a line that is lost is felt by the next request.
    opened.value.close().catch(() => undefined);
  }
};

/**
 * Reads what was listed, and looks in the same burst whether no link is on the way to it, and whether the handle is of what was listed and of what
 * lies there: what was read is thrown away when it is not. What was added since the listing is read after that.
 */
const readOpen = async (run: Run, { remote, path, attributes }: Incoming, file: RemoteFile): Promise<Content> => {
  const { ground } = run.job;
  const { size = 0 } = attributes;
  const { sftp } = ground;
  const [held, before, lies, listed, after] = await Promise.allSettled([
    ...([file.stat(), sftp.realPath(remote), sftp.lstat(remote)] as const),
    readAll(file, size),
    sftp.realPath(remote),
  ]);
  if (held.status === 'rejected') throw held.reason;
  const same = lies.status === 'fulfilled' && isSameFile(attributes, held.value) && isSameFile(held.value, lies.value);
  if (!same || !leadsTo(remote, before, after)) throw moved(ground, remote);
  if (listed.status === 'rejected') throw listed.reason;
  const { size: now = 0 } = held.value;
  if (now >= SMALL_BYTES || listed.value.length < size) throw changedMeanwhile(shownPath(path));
  if (now === size) return { content: listed.value, attributes: held.value };
  await run.charge(now - size);
  const content = Buffer.concat([listed.value, await readSpan(file, size, now)]);
  if (content.length < now) throw changedMeanwhile(shownPath(path));
  return { content, attributes: held.value };
};

const NOTHING = Buffer.alloc(0);

/** All requests for it go out at once, and again for what a server gives in smaller pieces than it was asked for. */
const readAll = async (file: RemoteFile, size: number): Promise<Buffer> => {
  const starts = Array.from({ length: Math.ceil(size / file.maxRead) }, (_, index) => index * file.maxRead);
  const pieces = await Promise.all(starts.map(at => readSpan(file, at, Math.min(size, at + file.maxRead))));
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
};

const readSpan = async (file: RemoteFile, from: number, to: number): Promise<Buffer> => {
  const first = (await file.read(from, to - from)) ?? NOTHING;
  if (first.length === to - from) return first;
  const pieces = [first];
  for (let at = from + first.length; at < to; ) {
    const piece = await file.read(at, to - at);
    if (piece === undefined) break;
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
};

const writeHere = async (run: Run, folder: Fetching, incoming: Incoming, content: Buffer): Promise<Sight> => {
  const { local } = folder;
  const part = partName(incoming.name, run.random, run.key);
  const fd = await disk.open(local.at(part), OPENED.make, 0o600);
  try {
    await local.verify();
    await put(fd, content, 0);
    return await putHere(run, folder, incoming, { fd, part });
  } catch (error) {
    await disk.unlink(local.at(part)).catch(() => undefined);
    throw error;
  } finally {
    await disk.close(fd);
  }
};
