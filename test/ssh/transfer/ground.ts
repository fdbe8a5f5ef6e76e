import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transfer } from '../../../src/call.ts';
import { Failure } from '../../../src/errors.ts';
import type { FileLeave } from '../../../src/gate/file-leave.ts';
import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import type { Fleet, FleetParts } from '../../../src/ssh/fleet.ts';
import type { Host } from '../../../src/ssh/host.ts';
import type { TransferMoment, Transferred } from '../../../src/ssh/transfer/transfer.ts';
import { testFleet } from '../../support/fleet.ts';
import { leaveOf } from '../../support/leave.ts';
import { type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

/** What a test says of a transfer beside where it goes. */
export type More = TransferMoment & {
  readonly resume?: boolean;
  readonly leave?: FileLeave;
  readonly revoked?: AbortSignal;
  readonly grant?: string;
};

/** A fleet over one host and a folder on either side: `there` of the host, `here` the root for local files. */
export type Ground = AsyncDisposable & {
  readonly sshd: Sshd;
  readonly host: Host;
  readonly fleet: Fleet;
  readonly there: string;
  readonly here: string;
  /** Uploads a file of `here`, or a text, to a name in `there` or an absolute path. */
  readonly up: (name: string, from: string | { content: string; mode?: number }, more?: More) => Promise<Transferred>;
  /** Downloads a name in `there` to a file of `here`. */
  readonly down: (name: string, to: string, more?: More) => Promise<Transferred>;
  readonly text: (name: string, span?: { offset?: number; maxBytes?: number }, more?: More) => Promise<Transferred>;
};

type Options = Partial<FleetParts> & { readonly port?: number };

/** Lays one over a server that runs; several share it. */
export const groundOn = async (sshd: Sshd, { port, ...parts }: Options = {}): Promise<Ground> => {
  const temp = await tempFolder('sallyport-transfer-');
  const [there, here] = [join(temp.path, 'there'), join(temp.path, 'here')];
  await Promise.all([mkdir(there), mkdir(here, { mode: 0o700 })]);
  const host = await sshd.host({
    hostKeys: sshd.hostKeys.map(key => key.fingerprint),
    ...(port === undefined ? {} : { port }),
  });
  const test = testFleet(host, {
    knownHosts: sshd.knownHosts,
    files: { roots: [here], uid: process.getuid?.() },
    ...parts,
  });
  const { fleet } = test;
  const target = targetOf(host);
  const run = async (action: Transfer, more: More): Promise<Transferred> => {
    const { leave = leaveOf(), revoked = new AbortController().signal, grant = 'local' } = more;
    const call = { id: 'call_1', grant, tool: 'test', input: {}, action, at: 0 };
    return await fleet.transfer(mint(call, {}, revoked, leave), more);
  };
  const at = (name: string): string => (name.startsWith('/') || name.startsWith('~') ? name : join(there, name));
  const about = (name: string, { resume = false }: More) =>
    ({ kind: 'transfer', target, remotePath: at(name), resume }) as const;
  return {
    ...{ sshd, host, fleet, there, here },
    up: async (name, from, more = {}) =>
      await run(
        typeof from === 'string'
          ? { ...about(name, more), direction: 'upload', localPath: from }
          : { ...about(name, more), direction: 'upload', from },
        more,
      ),
    down: async (name, to, more = {}) =>
      await run({ ...about(name, more), direction: 'download', localPath: to }, more),
    text: async (name, { offset = 0, maxBytes = 25_000 } = {}, more = {}) =>
      await run({ ...about(name, more), direction: 'download', to: 'text', offset, maxBytes }, more),
    [Symbol.asyncDispose]: async () => {
      test[Symbol.dispose]();
      await temp.remove();
    },
  };
};

/** A server of its own, with a ground on it. */
export const layGround = async (options: SshdOptions = {}, parts: Options = {}): Promise<Ground> => {
  const sshd = await startSshd(options);
  const ground = await groundOn(sshd, parts);
  return {
    ...ground,
    [Symbol.asyncDispose]: async () => {
      await ground[Symbol.asyncDispose]();
      await sshd.close();
    },
  };
};

/** SHA-256 in hex. */
export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** The SHA-256 of a file. */
export const sumOf = async (path: string): Promise<string> => sha256(await readFile(path));

/** The names in a folder, in order. */
export const namesIn = async (folder: string): Promise<readonly string[]> => (await readdir(folder)).sort();

/** The failure that a transfer ends with; none fails the test. */
export const failureOf = async (transfer: Promise<unknown>): Promise<Failure> => {
  const error = await transfer.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error;
};
