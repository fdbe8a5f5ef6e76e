import type { RemoteFile } from '../../sftp/sftp.ts';
import { SftpError } from '../../sftp/sftp-error.ts';
import { changedMeanwhile } from '../job.ts';
import { partName } from '../part.ts';
import { shownPath, within } from '../path.ts';
import { moved, removeMoved } from '../place.ts';
import { fill } from './disk.ts';
import { putThere, takeAway, writing } from './put-there.ts';
import type { Run } from './run.ts';
import type { Outgoing } from './send-file.ts';

/** Sends a small file: three round trips, and as much memory as it is long. */
export const sendWhole = async (run: Run, outgoing: Outgoing): Promise<void> => {
  const { name, folder, stat } = outgoing;
  const release = await run.bytes.take(stat.size);
  try {
    run.goOn();
    const content = await contentOf(outgoing);
    await run.charge(stat.size);
    await sendAs(run, outgoing, outgoing.part, content).catch(async (error: unknown) => {
      // Somebody who copies the same tree may have taken our part for one that was left behind.
      if (!(error instanceof SftpError && error.status === 'missing')) throw error;
      await sendAs(run, outgoing, within(folder, partName(name, run.random, run.key)), content);
    });
    run.tally.moved(content.length);
  } finally {
    release();
  }
};

const contentOf = async ({ path, fd, stat }: Outgoing): Promise<Buffer> => {
  // One byte more tells whether it has grown.
  const buffer = Buffer.allocUnsafe(stat.size + 1);
  const length = await fill(fd, buffer, 0, stat.size);
  if (length !== stat.size) throw changedMeanwhile(shownPath(path));
  return buffer.subarray(0, length);
};

const sendAs = async (run: Run, outgoing: Outgoing, part: string, content: Buffer): Promise<void> => {
  try {
    const file = await make(run, outgoing, part);
    await writing(
      run,
      outgoing,
      putThere(run, outgoing, { file, part }, () => writeAll(file, content)),
    );
  } catch (error) {
    await takeAway(run, part);
    throw error;
  }
};

/** Nothing is written to it before it is seen where it was to be made, and no link on the way there. */
const make = async ({ job }: Run, { target }: Outgoing, part: string): Promise<RemoteFile> => {
  const { ground } = job;
  const { sftp } = ground;
  const [made, ...looks] = await Promise.allSettled([
    sftp.open(part, 'new', { mode: 0o600 }),
    sftp.realPath(part),
    sftp.lstat(part).then(({ kind }) => kind),
    sftp.realPath(part),
  ]);
  if (made.status === 'rejected') throw made.reason;
  const seen = looks.map(look => (look.status === 'fulfilled' ? look.value : undefined));
  if (seen[0] === part && seen[1] === 'file' && seen[2] === part) return made.value;
  await made.value.close().catch(() => undefined);
  await removeMoved(sftp, part);
  throw moved(ground, target);
};

const writeAll = async (file: RemoteFile, content: Buffer): Promise<void> => {
  const pieces = Array.from({ length: Math.ceil(content.length / file.maxWrite) }, (_, index) => index * file.maxWrite);
  await Promise.all(pieces.map(at => file.write(at, content.subarray(at, at + file.maxWrite))));
};
