import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ALLOW_ALL, home, hostEntry, raw, structured } from '../support/home.ts';
import { relayTo } from '../support/relay.ts';
import type { Sshd } from '../support/sshd.ts';
import { tempFolder } from '../support/temp.ts';
import { type Figures, figuresOf, inTurn, timed } from './figures.ts';

const run = promisify(execFile);

/** Ours and scp's times for the same work. */
export type Pair = Readonly<Record<'ours' | 'scp', Figures>>;

/** What both sides copy, each over a connection that is open already, and by the same cipher. */
type Bench = AsyncDisposable & {
  readonly folder: string;
  readonly ours: (tool: 'ssh_upload' | 'ssh_download', args: Record<string, unknown>) => Promise<void>;
  readonly scp: (...args: readonly string[]) => Promise<void>;
};

const CIPHER = 'aes128-gcm@openssh.com';
const WAIT = ['0.05'];
const TRUSTING = 'StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR'
  .split(' ')
  .flatMap(option => ['-o', option]);

const benchOver = async (sshd: Sshd, port: number): Promise<Bench> => {
  const temp = await tempFolder('sallyport-files-');
  const place = await home(
    { web: { ...(await hostEntry(sshd)), port, hostKey: sshd.hostKeys[0]?.fingerprint } },
    ALLOW_ALL,
    { files: { root: temp.path } },
  );
  const server = raw(place);
  const control = join(temp.path, 'mux');
  const options = [
    ...['-F', '/dev/null', ...TRUSTING],
    ...['-o', `ControlPath=${control}`, '-c', CIPHER, '-o', 'IdentitiesOnly=yes', '-i', (await sshd.userKey()).path],
  ];
  const master = spawn('ssh', [...options, '-M', '-N', '-p', String(port), `${sshd.user}@127.0.0.1`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise(resolve => master.once('exit', resolve));
  while (!existsSync(control)) await run('sleep', WAIT);
  structured(await server.call('ssh_connect', { host: 'web' }));
  return {
    folder: temp.path,
    ours: async (tool, args) => {
      const { error } = structured(await server.call(tool, { host: 'web', ...args }));
      if (error !== undefined) throw new Error(JSON.stringify(error));
    },
    scp: async (...args) => void (await run('scp', ['-q', '-P', String(port), ...options, ...args])),
    [Symbol.asyncDispose]: async () => {
      master.kill('SIGTERM');
      await ended;
      await server[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
      await temp.remove();
    },
  };
};

type OneFile = { readonly bytes: number; readonly rounds: number; readonly delayMs?: number };

/** One file of random bytes up and down, beside scp, and beside scp whose copy is synced to the disk as ours is; `delayMs` is each way. */
export const oneFile = async (
  sshd: Sshd,
  { bytes, rounds, delayMs = 0 }: OneFile,
): Promise<Readonly<Record<'up' | 'down', Pair & { readonly synced: Figures }>>> => {
  using relay = await relayTo(sshd.port, { delayMs });
  await using bench = await benchOver(sshd, delayMs === 0 ? sshd.port : relay.port);
  const { folder, ours, scp } = bench;
  const [here, there] = [join(folder, 'here'), join(folder, 'there')];
  await writeFile(here, randomBytes(bytes));
  const back = join(folder, 'back');
  const works = (own: () => Promise<void>, theirs: () => Promise<void>, copy: string) => ({
    ours: own,
    scp: theirs,
    synced: async () => {
      await theirs();
      await run('sync', [copy]);
    },
  });
  const remote = `${sshd.user}@127.0.0.1:${there}`;
  const up = works(
    () => ours('ssh_upload', { local_path: here, remote_path: there }),
    () => scp(here, remote),
    there,
  );
  const down = works(
    () => ours('ssh_download', { remote_path: there, local_path: back }),
    () => scp(remote, back),
    back,
  );
  for (const work of [up.ours, up.scp, down.ours, down.scp]) await timed(work);
  return { up: threeOf(await inTurn(up, rounds)), down: threeOf(await inTurn(down, rounds)) };
};

/** So many small files up and down, each time into a new folder, beside `scp -r`. */
export const manyFiles = async (
  sshd: Sshd,
  { count, bytes, rounds }: { readonly count: number; readonly bytes: number; readonly rounds: number },
): Promise<Readonly<Record<'up' | 'down', Pair>>> => {
  await using bench = await benchOver(sshd, sshd.port);
  const { folder, ours, scp } = bench;
  const tree = join(folder, 'tree');
  for (let at = 0; at < count; at += 1) {
    const sub = join(tree, String(at % 100));
    if (at < 100) await mkdir(sub, { recursive: true });
    await writeFile(join(sub, `file-${at}`), randomBytes(bytes));
  }
  let last = 0;
  const fresh = (): string => join(folder, `copy-${++last}`);
  // Copies stay to the end: where thousands of files were deleted a moment ago, ext4 looks at each of them before it makes another.
  const whole = (work: (to: string) => Promise<void>): Promise<number> => timed(() => work(fresh()));
  const works: Record<'up' | 'down', Record<'ours' | 'scp', (to: string) => Promise<void>>> = {
    up: {
      ours: to => ours('ssh_upload', { local_path: tree, remote_path: to, recursive: true }),
      scp: to => scp('-r', tree, `${sshd.user}@127.0.0.1:${to}`),
    },
    down: {
      ours: to => ours('ssh_download', { remote_path: tree, local_path: to, recursive: true }),
      scp: to => scp('-r', `${sshd.user}@127.0.0.1:${tree}`, to),
    },
  };
  return { up: await inFolders(works.up, whole, rounds), down: await inFolders(works.down, whole, rounds) };
};

const inFolders = async (
  works: Record<'ours' | 'scp', (to: string) => Promise<void>>,
  whole: (work: (to: string) => Promise<void>) => Promise<number>,
  rounds: number,
): Promise<Pair> => {
  const ours: number[] = [];
  const scp: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await whole(works.ours));
    scp.push(await whole(works.scp));
  }
  return { ours: figuresOf(ours), scp: figuresOf(scp) };
};

const threeOf = ({ ours, scp, synced }: Readonly<Record<string, Figures>>): Pair & { readonly synced: Figures } => {
  if (ours === undefined || scp === undefined || synced === undefined) throw new Error('a contender is missing');
  return { ours, scp, synced };
};
