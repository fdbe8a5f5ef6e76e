import { Failure } from '../../errors.ts';
import { MOST_LOOSE } from '../sftp/flights.ts';
import { heard } from '../sftp/heard.ts';
import type { Attributes, RemoteFile, Sftp } from '../sftp/sftp.ts';
import type { Job } from './job.ts';
import { type Ground, reopenPart } from './place.ts';
import type { RemotePart } from './remote-part.ts';

/** Less than this is on its way before more conversations have begun. */
const WORTH_BYTES = 8 * 2 ** 20;

/** Begins more conversations for a file of this size while it is looked where it goes; none for a small one. */
export const beginBeside = (job: Job, size: number): Promise<readonly Sftp[]> =>
  size < WORTH_BYTES ? Promise.resolve([]) : heard(job.beside());

/**
 * Opens a part over these conversations too. From then on a line that is cut may leave gaps in the last
 * `MOST_LOOSE` bytes of it, which `part.reached` says.
 */
export const widen = async (
  ground: Ground,
  part: RemotePart,
  others: readonly Sftp[],
): Promise<readonly RemoteFile[]> => {
  const opened = await Promise.all(others.map(async sftp => await openAgain({ ...ground, sftp }, part)));
  const files = opened.filter(file => file !== undefined);
  if (files.length > 0) part.reached.loose = MOST_LOOSE;
  return files;
};

const openAgain = async (ground: Ground, { path, own, bytes }: RemotePart): Promise<RemoteFile | undefined> => {
  try {
    const { file, attributes } = await reopenPart(ground, path);
    if (isSame(own, attributes) && (attributes.size ?? 0) >= bytes) return file;
    await file.close();
    return undefined;
  } catch (error) {
    // With one conversation less the file is written as well, and what is wrong with the part is found out there.
    if (error instanceof Failure) return undefined;
    throw error;
  }
};

/** What somebody else put under the name of the part meanwhile is not written to. */
const isSame = (one: Attributes, other: Attributes): boolean =>
  one.uid === other.uid && one.gid === other.gid && one.mode === other.mode;

/** Resolves when whatever was sent over these has been written or never will be: answers come in the order of the requests. */
export const settle = async (files: readonly RemoteFile[]): Promise<void> => {
  await Promise.allSettled(files.map(file => file.close()));
};
