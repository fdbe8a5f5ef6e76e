import { bytesOf } from '../../../text/byte-name.ts';
import type { Attributes } from '../../sftp/sftp.ts';
import { type LocalPlace, mustLieHere } from '../local-place.ts';
import { keyOf, partName } from '../part.ts';
import { within } from '../path.ts';
import { cannotReplace, openRead } from '../place.ts';
import { disk, OPENED, type Sight } from './disk.ts';
import { noFile, STANDS, standsThere } from './faults.ts';
import { SMALL_BYTES } from './limits.ts';
import { below } from './names.ts';
import { takeAway } from './put-there.ts';
import type { Run } from './run.ts';
import type { Sending } from './send.ts';
import { sendBig } from './send-big.ts';
import { sendWhole } from './send-whole.ts';
import { secondsOf } from './times.ts';

/** A file on its way to the host. */
export type Outgoing = {
  /** Below the tree's root. */
  readonly path: string;
  readonly name: string;
  /** The real path of the folder that it goes to, and the one that it gets. */
  readonly folder: string;
  readonly target: string;
  /** A path beside it that nothing has. */
  readonly part: string;
  readonly there: Attributes | undefined;
  /** The open file here, and what it was when it was opened. */
  readonly fd: number;
  readonly stat: Sight;
};

/** Sends one file unless the host has it already, or it may not be sent; `from` is where it lies when not in the folder itself. */
export const sendFile = async (run: Run, sending: Sending, name: string, from?: LocalPlace): Promise<void> => {
  const { job, tally } = run;
  const path = below(sending.path, name);
  const target = within(sending.remote, name);
  const part = within(sending.remote, partName(name, run.random, run.key));
  const refusal = job.ground.leave.refusal('write', target) ?? job.ground.leave.barred('write', part);
  if (refusal !== undefined) return run.leaveOut(path, refusal, 'meant');
  const there = await sending.there.get(name);
  if (there !== undefined && there.kind !== 'file')
    return run.leaveOut(path, standsThere(STANDS[there.kind]), 'failed');
  const at = from === undefined ? sending.local.at(name) : bytesOf(from.path);
  if (there !== undefined) {
    const stat = await disk.look(at);
    if (stat?.isFile() === true && isUnchanged(there, stat)) {
      await dropParts(run, sending, target, stat);
      return await leaveThere(run, target, there, stat.mode);
    }
    if (!job.ground.sftp.replaces) throw cannotReplace(job.ground, target);
  }
  const fd = await disk.open(at, OPENED.read);
  try {
    await (from === undefined ? sending.local.verify() : mustLieHere(from));
    const stat = await disk.fstat(fd);
    if (!stat.isFile()) return run.leaveOut(path, noFile(), 'meant');
    const outgoing = { path, name, folder: sending.remote, target, part, there, fd, stat };
    await (stat.size < SMALL_BYTES ? sendWhole(run, outgoing) : sendBig(run, outgoing));
    await dropParts(run, sending, target, stat);
    tally.count('files');
  } finally {
    await disk.close(fd);
  }
};

const isUnchanged = ({ size, modifiedAt }: Attributes, stat: Sight): boolean =>
  size === stat.size && modifiedAt === secondsOf(stat.mtimeMs);

/** Takes away what was left unfinished of a file that is whole there now: nobody can need it. */
const dropParts = async (run: Run, { remote, there }: Sending, to: string, stat: Sight): Promise<void> => {
  if (stat.size < SMALL_BYTES) return;
  const names = there.parts(keyOf({ grant: run.job.grant, to, size: stat.size, modifiedMs: stat.mtimeMs }));
  await Promise.all(names.map(name => takeAway(run, within(remote, name))));
};

/** Its bytes stay; its permission bits are brought up to date where they can be. */
const leaveThere = async (run: Run, target: string, there: Attributes, mode: number): Promise<void> => {
  run.tally.count('unchanged');
  if (there.mode === undefined || (there.mode & 0o777) === (mode & 0o777)) return;
  await run.charge(0);
  const { file } = await openRead(run.job.ground, target, there);
  try {
    await file.change({ mode: mode & 0o777 });
  } finally {
    await file.close();
  }
};
