import { push } from '../../sftp/push.ts';
import type { RemoteFile } from '../../sftp/sftp.ts';
import { changedMeanwhile } from '../job.ts';
import { shownPath } from '../path.ts';
import { beginPart, dropPart } from '../remote-part.ts';
import type { Source } from '../source.ts';
import { disk, fill } from './disk.ts';
import { CHARGED_AT_ONCE, READ_AT_ONCE } from './limits.ts';
import { putThere, writing } from './put-there.ts';
import type { Run } from './run.ts';
import type { Outgoing } from './send-file.ts';
import { secondsOf } from './times.ts';
import { isZero } from './zeros.ts';

/** Sends a big file with many requests on their way, synced to the host's disk, and without its long runs of zeros; goes on with a part where that was asked for. */
export const sendBig = async (run: Run, outgoing: Outgoing): Promise<void> => {
  const { job } = run;
  const release = await run.big.take();
  try {
    run.goOn();
    const source = sourceOf(outgoing);
    const part = await beginPart(job, { source, path: outgoing.target, resume: run.resume });
    try {
      await writing(run, outgoing, pushData(run, part.file, source, part.bytes));
      await source.mustBeTheSame();
      const { file } = part;
      const finish = async (): Promise<void> => {
        await Promise.all([file.change({ size: source.size }), file.sync()]);
      };
      await writing(run, outgoing, putThere(run, outgoing, { file, part: part.path }, finish));
    } catch (error) {
      throw await dropPart(job, part, { error, keep: true });
    }
  } finally {
    release();
  }
};

/** Writes what is not zeros; each few MiB are charged before they move. */
const pushData = async (run: Run, file: RemoteFile, source: Source, from: number): Promise<void> => {
  const blocks = source.blocks(from, source.size, file.maxWrite)[Symbol.asyncIterator]();
  let charged = from;
  let at = from;
  let next = await blocks.next();
  const skip = async (): Promise<void> => {
    at += next.done === true ? 0 : next.value.length;
    next = await blocks.next();
  };
  const data = async function* (): AsyncGenerator<Buffer> {
    for (; next.done !== true && !isZero(next.value); await skip()) {
      run.goOn();
      const due = at + next.value.length - charged;
      if (due > 0) {
        const step = Math.min(Math.max(due, CHARGED_AT_ONCE), source.size - charged);
        await run.charge(step);
        charged += step;
      }
      yield next.value;
      run.tally.moved(next.value.length);
    }
  };
  while (next.done !== true) {
    if (isZero(next.value)) {
      // What does not move is not charged.
      charged = Math.max(charged, at + next.value.length);
      await skip();
    } else await push(file, { at }, data(), run.job.signal);
  }
};

const sourceOf = ({ path, fd, stat }: Outgoing): Source => ({
  size: stat.size,
  file: {
    path,
    mode: stat.mode & 0o777,
    times: { accessedAt: secondsOf(stat.atimeMs), modifiedAt: secondsOf(stat.mtimeMs) },
    modifiedMs: stat.mtimeMs,
  },
  blocks: async function* (from, to, length) {
    const room = length * Math.max(1, Math.floor(READ_AT_ONCE / length));
    for (let at = from; at < to; at += room) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(room, to - at));
      if ((await fill(fd, buffer, at)) < buffer.length) throw changedMeanwhile(shownPath(path));
      for (let cut = 0; cut < buffer.length; cut += length) yield buffer.subarray(cut, cut + length);
    }
  },
  mustBeTheSame: async () => {
    const now = await disk.fstat(fd);
    if (now.size !== stat.size || now.mtimeMs !== stat.mtimeMs) throw changedMeanwhile(shownPath(path));
  },
  close: async () => undefined,
});
