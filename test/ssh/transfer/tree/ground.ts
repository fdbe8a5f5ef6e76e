import { randomBytes } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLeave } from '../../../../src/gate/file-leave.ts';
import type { Connection } from '../../../../src/ssh/connection/connection.ts';
import type { Host } from '../../../../src/ssh/host.ts';
import { openSftp } from '../../../../src/ssh/sftp/open.ts';
import { after } from '../../../../src/ssh/timer.ts';
import type { Job } from '../../../../src/ssh/transfer/job.ts';
import { digestOnHost } from '../../../../src/ssh/transfer/remote-digest.ts';
import type { Tree } from '../../../../src/ssh/transfer/tree/run.ts';
import type { TreeCounts } from '../../../../src/ssh/transfer/tree/tally.ts';
import { copyTree } from '../../../../src/ssh/transfer/tree/tree.ts';
import { testConnections } from '../../../support/connections.ts';
import { leaveOf } from '../../../support/leave.ts';
import { type Sshd, startSshd } from '../../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../../support/temp.ts';

/** How a tree is copied in a test. */
export type How = Partial<Pick<Tree, 'links' | 'resume' | 'deleteExtra' | 'limits'>> & {
  readonly leave?: FileLeave;
  readonly signal?: AbortSignal;
  readonly filed?: (count: number) => void;
  readonly moved?: (total: number) => void;
};

/** What of an sshd is needed to log in to it. */
type Server = Pick<Sshd, 'host' | 'knownHosts' | 'port'>;

/** An sshd, and folders for both sides, all under one root that transfers may use. */
export type TreeGround = AsyncDisposable & {
  readonly sshd: Server;
  readonly temp: TempFolder;
  /** A new empty folder under the root; its real path. */
  readonly folder: (name?: string) => Promise<string>;
  /** A path under the root that is nothing yet. */
  readonly nothing: () => string;
  readonly upload: (local: string, remote: string, how?: How) => Promise<TreeCounts>;
  readonly download: (remote: string, local: string, how?: How) => Promise<TreeCounts>;
};

/** Lays it out, with one connection that every copy has a conversation of its own over. */
export const layTreeGround = async (
  options: { readonly host?: Partial<Host>; readonly sshd?: Server } = {},
): Promise<TreeGround> => {
  const own = options.sshd === undefined ? await startSshd() : undefined;
  const sshd = options.sshd ?? own;
  if (sshd === undefined) throw new Error('there is no server');
  const temp = await tempFolder('sallyport-tree-');
  const root = await realpath(temp.path);
  const connections = testConnections([await sshd.host(options.host)], { knownHosts: [sshd.knownHosts] });
  const copy = (direction: 'upload' | 'download') => async (from: string, to: string, how: How) => {
    const [localPath, remotePath] = direction === 'upload' ? [from, to] : [to, from];
    return await copyOver(connections.get('web'), { direction, localPath, remotePath, root, how });
  };
  let made = 0;
  const nothing = (): string => {
    made += 1;
    return join(root, `at-${made}`);
  };
  return {
    sshd,
    temp,
    nothing,
    folder: async () => {
      const path = nothing();
      await mkdir(path);
      return path;
    },
    upload: async (local, remote, how = {}) => await copy('upload')(local, remote, how),
    download: async (remote, local, how = {}) => await copy('download')(remote, local, how),
    [Symbol.asyncDispose]: async () => {
      connections.closeAll();
      await own?.close();
      await temp.remove();
    },
  };
};

type Copy = {
  readonly direction: 'upload' | 'download';
  readonly localPath: string;
  readonly remotePath: string;
  readonly root: string;
  readonly how: How;
};

const copyOver = async (connection: Connection, { direction, localPath, remotePath, root, how }: Copy) => {
  const { leave = leaveOf(), signal = new AbortController().signal, links = 'skip', resume = false } = how;
  const sftp = await openSftp(connection, { after });
  let files = 0;
  let bytes = 0;
  const job: Job = {
    ground: { sftp, host: 'web', leave },
    grant: 'local',
    files: { roots: [root] },
    random: randomBytes,
    signal,
    revoked: () => false,
    beside: async () => [],
    remoteDigest: async (path, count) =>
      await digestOnHost(connection, { path, bytes: count }, { after, random: randomBytes, signal }),
    expects: () => undefined,
    moved: more => {
      bytes += more;
      how.moved?.(bytes);
    },
  };
  const filed = (): void => {
    files += 1;
    how.filed?.(files);
  };
  const local = { path: localPath, root, asked: localPath };
  const { deleteExtra = false, limits = {} } = how;
  try {
    return await copyTree({ job, remotePath, local, links, resume, deleteExtra, filed, limits }, direction);
  } finally {
    sftp.close();
  }
};
