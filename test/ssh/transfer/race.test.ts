import { randomBytes } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Target } from '../../../src/call.ts';
import { Failure } from '../../../src/errors.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import { openSftp } from '../../../src/ssh/sftp/open.ts';
import { after } from '../../../src/ssh/timer.ts';
import { downloadText } from '../../../src/ssh/transfer/download.ts';
import type { Job } from '../../../src/ssh/transfer/job.ts';
import { uploadFile } from '../../../src/ssh/transfer/upload.ts';
import { testConnections } from '../../support/connections.ts';
import { leaveOf } from '../../support/leave.ts';
import { startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { namesIn } from './ground.ts';
import { startRacer } from './racer.ts';

/** Of each way and each manner: 1,500 in all. */
const ROUNDS = 375;

/** A job over one conversation with a host, refused everything below `forbidden`; the folders of the race; and what all rounds came to. */
const layRace = async () => {
  const sshd = await startSshd();
  const temp = await tempFolder('sallyport-race-');
  const [allowed, forbidden] = [join(temp.path, 'allowed'), join(temp.path, 'forbidden')];
  await Promise.all([mkdir(allowed), mkdir(forbidden)]);
  await writeFile(join(forbidden, 'f'), 'SECRET');
  const host = await sshd.host({ hostKeys: sshd.hostKeys.map(key => key.fingerprint) });
  const connections = testConnections([host], { knownHosts: [sshd.knownHosts] });
  const sftp = await openSftp(connections.get('web'), { after });
  const denied = new Failure('POLICY_DENIED', 'It is forbidden.');
  const barred = (_access: string, path: string) => (path.startsWith(forbidden) ? denied : undefined);
  const job: Job = {
    ground: { sftp, host: 'web', leave: { ...leaveOf(barred), barred } },
    ...{ grant: 'local', files: undefined, random: randomBytes, signal: new AbortController().signal },
    revoked: () => false,
    beside: async () => [],
    remoteDigest: async () => undefined,
    expects: () => undefined,
    moved: () => undefined,
  };
  return {
    ...{ job, target: targetOf(host), allowed, forbidden },
    [Symbol.asyncDispose]: async () => {
      connections.closeAll();
      await sshd.close();
      await temp.remove();
    },
  };
};

/** How often each came: the word of a round, or the code of its failure. */
const tally = async (round: (index: number) => Promise<string>): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (let index = 0; index < ROUNDS; index++) {
    const word = await round(index).catch((error: unknown) => {
      if (error instanceof Failure) return error.code;
      throw error;
    });
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
};

const read = (job: Job, target: Target, remotePath: string) => async (): Promise<string> => {
  const about = { kind: 'transfer', target, remotePath, resume: false } as const;
  const got = await downloadText(job, { ...about, direction: 'download', to: 'text', offset: 0, maxBytes: 100 });
  return got.content.toString();
};

const write =
  (job: Job, target: Target, remotePath: string) =>
  async (index: number): Promise<string> => {
    const about = { kind: 'transfer', target, remotePath, resume: false } as const;
    await uploadFile(job, { ...about, direction: 'upload', from: { content: `UPLOAD ${index}` } });
    return 'written';
  };

const POSSIBLE = ['allowed', 'written', 'POLICY_DENIED', 'FILE_MOVED', 'NO_SUCH_FILE', 'FILE_FAILED'];

test.each(['link', 'folder'] as const)(
  'while a %s is moved to and fro, nothing forbidden is read or written, and nothing is left there',
  async manner => {
    await using race = await layRace();
    const { job, target, allowed, forbidden } = race;
    const path = join(allowed, manner);
    if (manner === 'link') {
      await writeFile(join(allowed, 'f'), 'allowed');
      await symlink(join(allowed, 'f'), path);
    } else {
      await mkdir(path);
      await writeFile(join(path, 'f'), 'allowed');
    }
    const asked = manner === 'link' ? path : join(path, 'f');
    const [good, bad] =
      manner === 'link' ? [join(allowed, 'f'), join(forbidden, 'f')] : [join(allowed, 'kept'), forbidden];
    const racer = await startRacer(manner, path, good, bad);
    const reads = await tally(read(job, target, asked));
    const writes = await tally(write(job, target, asked));
    await racer[Symbol.asyncDispose]();
    expect(Object.keys(reads).filter(word => !POSSIBLE.includes(word) && !word.startsWith('UPLOAD'))).toEqual([]);
    expect(Object.keys(writes).filter(word => !POSSIBLE.includes(word))).toEqual([]);
    expect(await readFile(join(forbidden, 'f'), 'utf8')).toBe('SECRET');
    expect(await namesIn(forbidden)).toEqual(['f']);
    expect((reads.allowed ?? 0) + (writes.written ?? 0)).toBeGreaterThan(0);
  },
  60_000,
);
