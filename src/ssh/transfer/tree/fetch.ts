import type { Attributes, Entry } from '../../sftp/sftp.ts';
import { isPlainPath, shownPath, splitPath, within } from '../path.ts';
import { disk } from './disk.ts';
import { linkLeft, noFile, STANDS, standsThere, systemCode, tooDeep, unfinished } from './faults.ts';
import { fetchFile } from './fetch-file.ts';
import { fetchLink } from './fetch-link.ts';
import type { Latch } from './latch.ts';
import { kindOf, type LocalFolder, openLocalFolder } from './local-folder.ts';
import { below, isPart, nameFault } from './names.ts';
import { openRemoteFolder } from './remote-folder.ts';
import type { Run } from './run.ts';
import { Taken } from './taken.ts';
import { begin, branch, type Visit, walk, walked } from './walk.ts';

/** A folder of the host that is being fetched, and where to. */
export type Fetching = {
  /** Below the tree's root, whose own is empty. */
  readonly path: string;
  /** Folders between it and the root. */
  readonly depth: number;
  /** The real path of it on the host. */
  readonly remote: string;
  readonly local: LocalFolder;
  /** What this copy has put into `local`. */
  readonly taken: Taken;
  /** The real paths of it and of those above it: a link to one of them never ends. */
  readonly chain: ReadonlySet<string>;
};

/** Fetches a whole tree; what stands in its way or goes wrong is in the tally. */
export const fetchTree = async (run: Run): Promise<void> => {
  const open = async (mode: number): Promise<Opened> => await openRoot(run.local.path, mode);
  const source = { path: '', depth: 0, remote: run.remotePath, chain: new Set<string>() };
  await walked(latch => walk(run, '', latch, () => visit(run, source, undefined, open)));
};

/** A folder here, and whether it was made now. */
type Opened = { readonly local: LocalFolder; readonly made: boolean };

const openRoot = async (path: string, mode: number): Promise<Opened> => {
  try {
    return { local: await openLocalFolder(path), made: false };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const { folder, name } = splitPath(path);
  const above = await openLocalFolder(folder);
  try {
    return { local: await above.make(name, mode), made: true };
  } finally {
    await above.close();
  }
};

type Source = Omit<Fetching, 'local' | 'taken'>;

/** Lists the folder there, and then makes or finds the one here. */
const visit = async (
  run: Run,
  source: Source,
  attributes: Attributes | undefined,
  open: (mode: number) => Promise<Opened | undefined>,
): Promise<Visit<Entry> | undefined> => {
  const { ground } = run.job;
  const { path, remote } = source;
  const refusal = ground.leave.refusal('list', remote);
  if (refusal !== undefined) return void run.leaveOut(path, refusal, 'meant');
  await run.charge(0);
  const about = attributes ?? (await ground.sftp.lstat(remote));
  if (about.kind !== 'directory') return void run.leaveOut(path, noFolder(about), 'failed');
  const parts = await openRemoteFolder(ground, remote);
  const mode = folderModeHere(about);
  const opened = await open(mode);
  if (opened === undefined) return undefined;
  const { local, made } = opened;
  if (made) run.tally.count('folders');
  const fetching = { ...source, local, taken: new Taken(), chain: new Set([...source.chain, remote]) };
  return {
    entries: entriesOf(parts),
    each: (entry, latch) => fetch(run, fetching, entry, latch),
    finish: async () => await local.change({ ...(made ? { mode } : {}), ...timesOf(about) }),
    close: local.close,
  };
};

const noFolder = ({ kind }: Attributes) => standsThere(STANDS[kind], 'Leave recursive out to copy one file.');

/** Ours to write to, and nobody else's. */
const folderModeHere = ({ mode = 0 }: Attributes): number => 0o700 | (mode & 0o755);

const timesOf = ({ modifiedAt }: Attributes) => (modifiedAt === undefined ? {} : { modifiedAt });

async function* entriesOf(parts: AsyncIterable<readonly Entry[]>): AsyncIterable<Entry> {
  for await (const part of parts) yield* part;
}

/** Does something about an entry of a folder of the host, or begins to. */
const fetch = async (run: Run, folder: Fetching, entry: Entry, latch: Latch): Promise<void> => {
  const { name } = entry;
  const path = below(folder.path, name);
  const fault = nameFault(name, path);
  if (fault !== undefined) return run.leaveOut(path, fault, 'failed');
  const remote = within(folder.remote, name);
  if (entry.attributes.kind === 'unknown')
    return await run.attempt(path, async () => {
      const attributes = await run.job.ground.sftp.lstat(remote);
      if (attributes.kind === 'unknown') run.leaveOut(path, noFile(), 'failed');
      else await fetch(run, folder, { name, attributes }, latch);
    });
  if (entry.attributes.kind !== 'link') return await fetchKnown(run, folder, { name, remote }, entry.attributes, latch);
  if (run.links === 'skip')
    return run.leaveOut(path, linkLeft('It is a link.', 'Choose links: "follow" or "copy".'), 'meant');
  if (run.links === 'copy') return await begin(run, path, latch, () => fetchLink(run, folder, name));
  await run.attempt(path, async () => await follow(run, folder, name, latch));
};

/** What a link leads to is judged, and found again, by its own real path. */
const follow = async (run: Run, folder: Fetching, name: string, latch: Latch): Promise<void> => {
  const { sftp } = run.job.ground;
  const path = below(folder.path, name);
  const remote = await sftp.realPath(within(folder.remote, name));
  if (!isPlainPath(remote)) return run.leaveOut(path, linkLeft('It leads nowhere.', 'Leave it out.'), 'failed');
  await fetchKnown(run, folder, { name, remote }, await sftp.lstat(remote), latch);
};

/** Where something of the host lies, and the name that it gets. */
type Named = { readonly name: string; readonly remote: string };

const fetchKnown = async (
  run: Run,
  folder: Fetching,
  named: Named,
  attributes: Attributes,
  latch: Latch,
): Promise<void> => {
  const path = below(folder.path, named.name);
  switch (attributes.kind) {
    case 'directory':
      return await fetchFolder(run, folder, named, attributes, latch);
    case 'file':
      if (isPart(named.name)) return run.leaveOut(path, unfinished(), 'meant');
      return await begin(run, path, latch, () => fetchFile(run, folder, { ...named, path, attributes }));
    case 'unknown':
    case 'link':
    case 'other':
      return run.leaveOut(path, noFile(), 'meant');
  }
};

const fetchFolder = async (
  run: Run,
  above: Fetching,
  { name, remote }: Named,
  attributes: Attributes,
  latch: Latch,
): Promise<void> => {
  const path = below(above.path, name);
  const depth = above.depth + 1;
  if (depth > run.limits.depth) return run.leaveOut(path, tooDeep(), 'failed');
  if (above.chain.has(remote))
    return run.leaveOut(
      path,
      linkLeft(`It leads to a folder that ${shownPath(path)} is in.`, 'Leave it out.'),
      'failed',
    );
  const open = async (mode: number): Promise<Opened | undefined> => await openFolder(run, above, name, mode);
  const source = { path, depth, remote, chain: above.chain };
  await branch(run, () => walk(run, path, latch, () => visit(run, source, attributes, open)));
};

/** Makes or finds a folder here; one that another name of the same folder has led to already is left out. */
const openFolder = async (run: Run, above: Fetching, name: string, mode: number): Promise<Opened | undefined> =>
  await above.taken.alone(name, async () => {
    const path = below(above.path, name);
    const there = await lookHere(above.local, name);
    await above.local.verify();
    if (there !== undefined && !there.isDirectory())
      return void run.leaveOut(path, standsThere(STANDS[kindOf(there)]), 'failed');
    const local = there === undefined ? await above.local.make(name, mode) : await above.local.enter(name);
    if (above.taken.take(local.stat)) return { local, made: there === undefined };
    await local.close();
    return void run.leaveOut(path, standsThere(SAME), 'failed');
  });

/** What a file system says that does not tell two names apart. */
export const SAME = 'what another name of the tree has become: this machine does not tell the two names apart';

/** What a name is here, links not followed; undefined when it is nothing. */
export const lookHere = (folder: LocalFolder, name: string) => disk.look(folder.at(name));
