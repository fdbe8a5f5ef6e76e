import { Failure, type FailureCode } from '../../../errors.ts';
import { fileFailure } from '../../sftp/failure.ts';
import type { FileKind } from '../../sftp/sftp.ts';
import { SftpError } from '../../sftp/sftp-error.ts';
import type { Ground } from '../place.ts';

/** What can go wrong with one entry and not with the next; LOCAL_FAILED is looked into. */
const OF_ONE: ReadonlySet<FailureCode> = new Set([
  'NO_SUCH_FILE',
  'FILE_DENIED',
  'FILE_FAILED',
  'FILE_MOVED',
  'LOCAL_DENIED',
  'UNSUPPORTED',
  'INVALID_INPUT',
]);

/** What this machine says of itself, not of one file: no room, a quota, a broken or read-only disk, no memory, no descriptors. */
const OF_ALL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** The code of an error of this machine's file system, `ENOENT` for one; undefined for any other error. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** Whether what went wrong with one entry ends the whole. */
export const isHalting = (error: unknown): boolean => {
  if (error instanceof SftpError) return error.status === 'full';
  const code = systemCode(error);
  if (code !== undefined) return OF_ALL.has(code);
  if (!(error instanceof Failure)) return true;
  if (error.details.no_room === true || error.details.free_bytes !== undefined) return true;
  if (error.cause instanceof SftpError && error.cause.status === 'full') return true;
  if (error.code !== 'LOCAL_FAILED') return !OF_ONE.has(error.code);
  return error.cause === undefined || isHalting(error.cause);
};

/** What the result, or the whole, says of something that went wrong with an entry; a defect stays one. */
export const entryFailure = ({ host }: Ground, path: string, error: unknown): unknown => {
  const code = systemCode(error);
  if (code === undefined) return error instanceof SftpError ? fileFailure(error, { host, path, doing: 'copy' }) : error;
  const operator = error instanceof Error ? error.message : code;
  if (OF_ALL.has(code))
    return new Failure('LOCAL_FAILED', `The files of this machine cannot be used (${code}).`, { operator });
  if (code === 'ENOENT') return new Failure('NO_SUCH_FILE', 'It went away here while it was copied.', { operator });
  if (code === 'ELOOP' || code === 'ENOTDIR')
    return new Failure('FILE_MOVED', 'It became something else here while it was copied.', { operator });
  return new Failure('LOCAL_DENIED', `This machine does not let it be used (${code}).`, {
    next: 'The operator can look at its owner and mode.',
    operator,
  });
};

/** What stands at the destination, and what was to be copied there. */
export const standsThere = (what: string, next = 'Take it away, or choose another place.'): Failure =>
  new Failure('FILE_FAILED', `At the destination stands ${what}.`, { next });

/** Why what is no file, folder or link is left out. */
export const noFile = (): Failure =>
  new Failure('FILE_FAILED', 'It is a device, a pipe or a socket.', { next: 'Copy what it gives by a command.' });

/** Why a link is left out. */
export const linkLeft = (why: string, next: string): Failure => new Failure('UNSUPPORTED', why, { next });

/** What may stand where a file, a folder or a link is to go. */
export const STANDS: Readonly<Record<FileKind, string>> = {
  file: 'a file',
  directory: 'a folder',
  link: 'a link',
  other: 'a device, a pipe or a socket',
  unknown: 'something that the host has no word for',
};

/** Why a link is not copied as one. */
export const leadsOut = (): Failure =>
  linkLeft('It is a link that leads out of the tree, or may.', 'Choose links: "follow" to copy what it leads to.');

/** Why a folder is not walked. */
export const tooDeep = (): Failure =>
  new Failure('FILE_FAILED', 'It lies too deep.', { next: 'Copy the folders above it one by one.' });

/** Why a file is not copied that a transfer of ours has begun. */
export const unfinished = (): Failure =>
  new Failure('FILE_FAILED', 'It is the unfinished part of another transfer.', { next: 'Leave it, or take it away.' });
