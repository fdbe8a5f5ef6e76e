import { bytesOf } from '../../../text/byte-name.ts';
import { partName } from '../part.ts';
import { within } from '../path.ts';
import { disk } from './disk.ts';
import { leadsOut, STANDS, standsThere } from './faults.ts';
import { type Fetching, lookHere } from './fetch.ts';
import { kindOf } from './local-folder.ts';
import { below, staysInside } from './names.ts';
import type { Run } from './run.ts';

/** Fetches a link as a link, when it leads to something inside the tree. */
export const fetchLink = async (run: Run, folder: Fetching, name: string): Promise<void> => {
  const { ground } = run.job;
  const { local } = folder;
  const path = below(folder.path, name);
  const remote = within(folder.remote, name);
  const refusal = ground.leave.refusal('read', remote);
  if (refusal !== undefined) return run.leaveOut(path, refusal, 'meant');
  await run.charge(0);
  const target = await ground.sftp.readLink(remote);
  if (!staysInside(target, folder.depth)) return run.leaveOut(path, leadsOut(), 'meant');
  await folder.taken.alone(name, async () => {
    const there = await lookHere(local, name);
    if (there !== undefined && !there.isSymbolicLink())
      return run.leaveOut(path, standsThere(STANDS[kindOf(there)]), 'failed');
    if (there !== undefined && (await local.readLink(name)) === target) return run.tally.count('unchanged');
    const part = partName(name, run.random);
    await local.verify();
    await disk.symlink(bytesOf(target), local.at(part));
    try {
      await local.verify();
      await disk.rename(local.at(part), local.at(name));
    } catch (error) {
      await disk.unlink(local.at(part)).catch(() => undefined);
      throw error;
    }
    run.tally.count('links');
  });
};
