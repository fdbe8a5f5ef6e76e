import { writeFailure } from '../../sftp/failure.ts';
import type { RemoteFile } from '../../sftp/sftp.ts';
import { SftpError } from '../../sftp/sftp-error.ts';
import type { Run } from './run.ts';
import type { Outgoing } from './send-file.ts';
import { secondsOf } from './times.ts';

/** An unfinished file of ours on the host, open. */
export type Part = { readonly file: RemoteFile; readonly part: string };

/**
 * Gives a part the mode and the times of the file here, and then its final name, when the policy still grants it: it is no part any
 * more where the folder was put elsewhere meanwhile. `last` are requests that go before, in the same burst. Closes it in any case.
 */
export const putThere = async (
  run: Run,
  { target, there, stat }: Pick<Outgoing, 'target' | 'there' | 'stat'>,
  { file, part }: Part,
  last: () => Promise<void> = async () => undefined,
): Promise<void> => {
  const { ground } = run.job;
  const { sftp } = ground;
  const times = { accessedAt: secondsOf(stat.atimeMs), modifiedAt: secondsOf(stat.mtimeMs) };
  const done = await Promise.allSettled([last(), file.change({ mode: stat.mode & 0o777, times }), file.close()]);
  for (const one of done) if (one.status === 'rejected') throw one.reason;
  run.goOn();
  const refusal = ground.leave.refusal('write', target);
  if (refusal !== undefined) throw refusal;
  await run.charge(0);
  await (sftp.replaces || there !== undefined ? sftp.rename(part, target) : sftp.renameNew(part, target));
};

/** Says of a full disk that it is one, which ends the whole. */
export const writing = async (
  run: Run,
  { path, folder }: Pick<Outgoing, 'path' | 'folder'>,
  work: Promise<void>,
): Promise<void> => {
  const { sftp, host } = run.job.ground;
  try {
    await work;
  } catch (error) {
    if (!(error instanceof SftpError) || error.status !== 'failed') throw error;
    throw await writeFailure(sftp, error, { host, path, doing: 'write' }, folder);
  }
};

/** Takes a file of ours away again, as far as the host lets us. */
export const takeAway = async ({ job: { ground } }: Run, part: string): Promise<void> => {
  if (ground.sftp.isOpen()) await ground.sftp.remove(part).catch(() => undefined);
};
