import { realpath } from 'node:fs/promises';
import { Failure } from '../../../errors.ts';
import { bytesOf, nameOf } from '../../../text/byte-name.ts';
import { type LocalPlace, localPlace } from '../local-place.ts';
import { partName } from '../part.ts';
import { within } from '../path.ts';
import { cannotReplace, moved } from '../place.ts';
import { disk } from './disk.ts';
import { leadsOut, linkLeft, noFile, STANDS, standsThere } from './faults.ts';
import { kindOf, type LocalFolder, openLocalFolder } from './local-folder.ts';
import { below, staysInside } from './names.ts';
import { takeAway } from './put-there.ts';
import type { Run } from './run.ts';
import type { Sending } from './send.ts';

/** Sends a link as a link, when it leads to something inside the tree. */
export const sendLink = async (run: Run, sending: Sending, name: string): Promise<void> => {
  const { ground } = run.job;
  const { sftp, leave } = ground;
  const path = below(sending.path, name);
  const target = within(sending.remote, name);
  const part = within(sending.remote, partName(name, run.random, run.key));
  const refusal = leave.refusal('write', target) ?? leave.barred('write', part);
  if (refusal !== undefined) return run.leaveOut(path, refusal, 'meant');
  const text = await sending.local.readLink(name);
  if (!staysInside(text, sending.depth)) return run.leaveOut(path, leadsOut(), 'meant');
  const there = await sending.there.get(name);
  if (there !== undefined && there.kind !== 'link')
    return run.leaveOut(path, standsThere(STANDS[there.kind]), 'failed');
  await run.charge(0);
  if (there !== undefined && (await sftp.readLink(target)) === text) return run.tally.count('unchanged');
  if (there !== undefined && !sftp.replaces) throw cannotReplace(ground, target);
  const [made, real] = await Promise.allSettled([sftp.makeLink(part, text), sftp.realPath(sending.remote)]);
  if (made.status === 'rejected') throw made.reason;
  try {
    run.goOn();
    if (real.status === 'rejected' || real.value !== sending.remote) throw moved(ground, target);
    await sftp.rename(part, target);
  } catch (error) {
    await takeAway(run, part);
    throw error;
  }
  run.tally.count('links');
};

/** What a link leads to that may be sent in its place: a file of a folder that transfers may use, or such a folder. */
export type Led = { readonly place: LocalPlace } | { readonly folder: () => Promise<LocalFolder> };

/** Follows a link; undefined when it is left out, which is said. */
export const followLink = async (run: Run, sending: Sending, name: string): Promise<Led | undefined> => {
  const path = below(sending.path, name);
  const leads = await realOf(sending.local, name);
  if (leads === undefined)
    return void run.leaveOut(path, linkLeft('It is a link to nothing.', 'Mend it, or leave it out.'), 'meant');
  const place = await localPlace(run.job.files, leads).catch(() => undefined);
  if (place === undefined) return void run.leaveOut(path, leadsElsewhere(), 'meant');
  const kind = kindOf(await disk.lstat(bytesOf(place.path)));
  if (kind === 'file') return { place };
  if (kind === 'directory') return { folder: () => openLocalFolder(place.path) };
  return void run.leaveOut(path, noFile(), 'meant');
};

/** Says nothing of where. */
const leadsElsewhere = (): Failure =>
  new Failure('LOCAL_DENIED', 'It is a link that leads out of the folders that transfers may use.');

const realOf = async (folder: LocalFolder, name: string): Promise<string | undefined> => {
  try {
    return nameOf(await realpath(folder.at(name), 'buffer'));
  } catch {
    // To nothing, to itself, or to what may not be seen: it leads nowhere for us.
    return undefined;
  }
};
