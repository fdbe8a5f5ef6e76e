import { modeHere } from '../download.ts';
import { disk, type Sight } from './disk.ts';
import type { Fetching } from './fetch.ts';
import type { Incoming } from './fetch-file.ts';
import type { Run } from './run.ts';

/** An unfinished file of ours here, open, by its name in the folder. */
export type PartHere = { readonly fd: number; readonly part: string };

/** Gives a part the mode and the time of the file there, and then its final name, when the policy still grants it; gives what it is. */
export const putHere = async (
  run: Run,
  { local }: Fetching,
  { name, remote, attributes }: Incoming,
  { fd, part }: PartHere,
): Promise<Sight> => {
  const { modifiedAt } = attributes;
  await disk.fchmod(fd, modeHere(attributes.mode));
  if (modifiedAt !== undefined) await disk.futimes(fd, modifiedAt, modifiedAt);
  const stat = await disk.fstat(fd);
  run.goOn();
  const refusal = run.job.ground.leave.refusal('read', remote);
  if (refusal !== undefined) throw refusal;
  await run.charge(0);
  await local.verify();
  await disk.rename(local.at(part), local.at(name));
  return stat;
};
