import type { Attributes } from '../../sftp/sftp.ts';
import { modeHere } from '../download.ts';
import { disk, OPENED, type Sight } from './disk.ts';
import { STANDS, standsThere } from './faults.ts';
import { type Fetching, lookHere, SAME } from './fetch.ts';
import { fetchBig } from './fetch-big.ts';
import { fetchWhole } from './fetch-whole.ts';
import { SMALL_BYTES } from './limits.ts';
import { isSame, kindOf } from './local-folder.ts';
import type { Run } from './run.ts';

/** A file on its way from the host. */
export type Incoming = {
  /** Below the tree's root. */
  readonly path: string;
  readonly name: string;
  /** The real path of it. */
  readonly remote: string;
  /** As it was listed. */
  readonly attributes: Attributes;
};

/** Fetches one file unless it is here already, or may not be read. */
export const fetchFile = async (run: Run, folder: Fetching, file: Incoming): Promise<void> => {
  const { path, name, remote, attributes } = file;
  const refusal = run.job.ground.leave.refusal('read', remote);
  if (refusal !== undefined) return run.leaveOut(path, refusal, 'meant');
  await folder.taken.alone(name, async () => {
    const there = await lookHere(folder.local, name);
    if (there !== undefined && !there.isFile()) return run.leaveOut(path, standsThere(STANDS[kindOf(there)]), 'failed');
    if (there !== undefined && folder.taken.has(there)) return run.leaveOut(path, standsThere(SAME), 'failed');
    if (there !== undefined && isUnchanged(attributes, there)) return await leaveHere(run, folder, file, there);
    const { size = 0 } = attributes;
    folder.taken.take(await (size < SMALL_BYTES ? fetchWhole(run, folder, file) : fetchBig(run, folder, file)));
    run.tally.count('files');
  });
};

const isUnchanged = ({ size, modifiedAt }: Attributes, there: Sight): boolean =>
  size === there.size && modifiedAt === Math.floor(there.mtimeMs / 1_000);

/** Its bytes stay; its permission bits are brought up to date. */
const leaveHere = async (run: Run, folder: Fetching, { name, attributes }: Incoming, there: Sight): Promise<void> => {
  run.tally.count('unchanged');
  folder.taken.take(there);
  if (attributes.mode === undefined || (there.mode & 0o777) === modeHere(attributes.mode)) return;
  await run.charge(0);
  const fd = await disk.open(folder.local.at(name), OPENED.read);
  try {
    await folder.local.verify();
    if (isSame(await disk.fstat(fd), there)) await disk.fchmod(fd, modeHere(attributes.mode));
  } finally {
    await disk.close(fd);
  }
};
