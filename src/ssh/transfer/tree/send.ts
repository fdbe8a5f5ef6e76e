import type { Attributes } from '../../sftp/sftp.ts';
import { tried } from '../local-place.ts';
import { shownPath, splitPath, within } from '../path.ts';
import { lookAt, moved } from '../place.ts';
import { linkLeft, noFile, STANDS, standsThere, tooDeep, unfinished } from './faults.ts';
import type { Latch } from './latch.ts';
import { askedOne, type Listing, listed, NOTHING } from './listing.ts';
import { type LocalEntry, type LocalFolder, openLocalFolder } from './local-folder.ts';
import { below, isPart, nameFault } from './names.ts';
import type { Run } from './run.ts';
import { sendFile } from './send-file.ts';
import { followLink, sendLink } from './send-link.ts';
import { secondsOf } from './times.ts';
import { begin, branch, type Visit, walk, walked } from './walk.ts';

/** A folder of this machine that is being sent, and where to. */
export type Sending = {
  /** Below the tree's root, whose own is empty. */
  readonly path: string;
  /** Folders between it and the root. */
  readonly depth: number;
  readonly local: LocalFolder;
  /** The real path of it on the host. */
  readonly remote: string;
  readonly there: Listing;
  /** It and those above it, as devices and inodes: a link to one of them never ends. */
  readonly chain: ReadonlySet<string>;
};

/** Sends a whole tree; what stands in its way or goes wrong is in the tally. */
export const sendTree = async (run: Run): Promise<void> => {
  const { folder, name } = splitPath(run.remotePath);
  const root = {
    path: '',
    depth: 0,
    remote: run.remotePath,
    name,
    there: askedOne(run, folder),
    chain: new Set<string>(),
  };
  await walked(latch =>
    walk(run, '', latch, async () =>
      visit(run, { ...root, local: await tried(run.local, openLocalFolder(run.local.path)) }),
    ),
  );
};

type Begun = Omit<Sending, 'there'> & { readonly name: string; readonly there: Listing };

/** Makes or finds the folder on the host; `local` is closed with the visit, and when there is none. */
const visit = async (run: Run, { name, there, ...begun }: Begun): Promise<Visit<LocalEntry> | undefined> => {
  const { path, local, remote } = begun;
  const state = await prepare(run, path, remote, await there.get(name), local).catch(async (error: unknown) => {
    await local.close();
    throw error;
  });
  if (state === undefined) {
    await local.close();
    return undefined;
  }
  const chain = new Set([...begun.chain, idOf(local)]);
  const sending: Sending = { ...begun, there: state.there, chain };
  return {
    entries: local.entries(),
    each: (entry, latch) => send(run, sending, entry, latch),
    finish: async () => {
      if (state.ours) await finish(run, sending, state.made);
    },
    close: async () => {
      state.there.release();
      await local.close();
    },
  };
};

/** Whether it was made now, whether it is ours to set times of, and what is in it. */
type Prepared = { readonly made: boolean; readonly ours: boolean; readonly there: Listing };

const prepare = async (
  run: Run,
  path: string,
  remote: string,
  found: Attributes | undefined,
  local: LocalFolder,
): Promise<Prepared | undefined> => {
  const { ground } = run.job;
  const refusal = ground.leave.refusal('write', remote);
  if (found === undefined) {
    if (refusal !== undefined) return void run.leaveOut(path, refusal, 'meant');
    await run.charge(0);
    await makeFolder(run, remote, local.stat.mode);
    run.tally.count('folders');
    return { made: true, ours: true, there: NOTHING };
  }
  if (found.kind !== 'directory')
    return void run.leaveOut(
      path,
      refusal ?? standsThere(STANDS[found.kind]),
      refusal === undefined ? 'failed' : 'meant',
    );
  const lists = ground.leave.refusal('list', remote) === undefined;
  await run.charge(0);
  // Of a folder that may not be listed each name is asked for when it is granted itself.
  const there = await (lists ? listed(run, remote) : askedOne(run, remote));
  return { made: false, ours: refusal === undefined, there };
};

const makeFolder = async ({ job: { ground } }: Run, path: string, mode: number): Promise<void> => {
  // Its own mode comes when everything is in it.
  const [made, real] = await Promise.allSettled([
    ground.sftp.makeFolder(path, (mode & 0o777) | 0o700),
    ground.sftp.realPath(path),
  ]);
  const there = made.status === 'rejected' ? await lookAt(ground, path) : undefined;
  if (made.status === 'rejected' && there?.kind !== 'directory') throw made.reason;
  if (real.status === 'rejected') throw real.reason;
  if (real.value !== path) throw moved(ground, path);
};

const finish = async ({ job: { ground } }: Run, { local, remote }: Sending, made: boolean): Promise<void> => {
  if ((await ground.sftp.realPath(remote)) !== remote) throw moved(ground, remote);
  const { mode, mtimeMs, atimeMs } = local.stat;
  const times = { accessedAt: secondsOf(atimeMs), modifiedAt: secondsOf(mtimeMs) };
  await ground.sftp.change(remote, made ? { mode: mode & 0o777, times } : { times });
};

/** Does something about an entry of a folder of this machine, or begins to. */
const send = async (run: Run, folder: Sending, { name, kind }: LocalEntry, latch: Latch): Promise<void> => {
  const path = below(folder.path, name);
  const fault = nameFault(name, path);
  if (fault !== undefined) return run.leaveOut(path, fault, 'failed');
  if (kind === 'directory') return await sendFolder(run, folder, name, latch, () => folder.local.enter(name));
  if (kind === 'link' && run.links === 'skip')
    return run.leaveOut(path, linkLeft('It is a link.', 'Choose links: "follow" or "copy".'), 'meant');
  if (kind === 'link' && run.links === 'copy') return await begin(run, path, latch, () => sendLink(run, folder, name));
  if (kind === 'link')
    return await run.attempt(path, async () => {
      const led = await followLink(run, folder, name);
      if (led === undefined) return;
      if ('folder' in led) await sendFolder(run, folder, name, latch, led.folder);
      else await begin(run, path, latch, () => sendFile(run, folder, name, led.place));
    });
  if (kind !== 'file') return run.leaveOut(path, noFile(), 'meant');
  if (isPart(name)) return run.leaveOut(path, unfinished(), 'meant');
  await begin(run, path, latch, () => sendFile(run, folder, name));
};

const sendFolder = async (
  run: Run,
  above: Sending,
  name: string,
  latch: Latch,
  open: () => Promise<LocalFolder>,
): Promise<void> => {
  const path = below(above.path, name);
  const depth = above.depth + 1;
  if (depth > run.limits.depth) return run.leaveOut(path, tooDeep(), 'failed');
  const remote = within(above.remote, name);
  await branch(run, () =>
    walk(run, path, latch, async () => {
      const local = await open();
      if (above.chain.has(idOf(local))) {
        await local.close();
        return void run.leaveOut(
          path,
          linkLeft(`It leads to a folder that ${shownPath(path)} is in.`, 'Leave it out.'),
          'failed',
        );
      }
      return await visit(run, { path, depth, local, remote, name, there: above.there, chain: above.chain });
    }),
  );
};

const idOf = ({ stat }: LocalFolder): string => `${stat.dev}:${stat.ino}`;
