import { Failure, type FailureCode } from '../../errors.ts';
import { safeLine } from '../../text/safe.ts';
import type { Sftp } from './sftp.ts';
import { SftpError } from './sftp-error.ts';

/** What was being done, for a person: `doing` as in "the account may not `read` /etc/shadow", `path` in the form of `text/byte-name.ts`. */
export type Doing = { readonly host: string; readonly path: string; readonly doing: string };

const LONGEST_PATH = 500;

/** What a client hears of an error of `Sftp`: a `Failure` is passed on as it is, and what is neither is thrown. */
export const fileFailure = (error: unknown, about: Doing): Failure => {
  if (error instanceof Failure) return error;
  if (!(error instanceof SftpError)) throw error;
  const path = safeLine(about.path, LONGEST_PATH);
  const { code, message, next } = wordsFor(error, { ...about, path });
  return new Failure(code, message, {
    ...(next === undefined ? {} : { next }),
    details: { host: about.host, path },
    cause: error,
  });
};

type Words = { readonly code: FailureCode; readonly message: string; readonly next?: string };

const wordsFor = (error: SftpError, about: Doing): Words => {
  const { host, path, doing } = about;
  switch (error.status) {
    case 'missing':
      return { code: 'NO_SUCH_FILE', message: `There is no ${path} on ${host}.` };
    case 'denied':
      return { code: 'FILE_DENIED', message: `The account on ${host} may not ${doing} ${path}.` };
    case 'exists':
      return { code: 'FILE_FAILED', message: `${host} could not ${doing} ${path}: it is there already.` };
    case 'full':
      return { code: 'FILE_FAILED', message: `${host} could not ${doing} ${path}: its disk or the quota is full.` };
    case 'unsupported':
      return {
        code: 'UNSUPPORTED',
        message: `The SFTP server of ${host} has no way to ${doing} ${path}.`,
        next: 'Do it by ssh_exec, where the policy allows it.',
      };
    case 'lie':
      return {
        code: 'FILE_FAILED',
        message: `${host} was asked to ${doing} ${path}, and answered what cannot be: ${error.message}.`,
        next: 'Ask the operator to look at the SFTP server of this host.',
      };
    default:
      return { code: 'FILE_FAILED', message: `${host} could not ${doing} ${path}${why(error)}.` };
  }
};

/** OpenSSH says "Failure", "Bad message" or "End of file", which tells nobody more. */
const why = ({ message }: SftpError): string =>
  /^(failure|bad message|end of file|)$/i.test(message) ? ', and does not say why' : `: ${message.replace(/\.$/, '')}`;

/** Less room than this may be what one write in flight had wanted. */
const SCARCE_BYTES = 2 ** 20;

/**
 * The same of a write below `folder`: version 3 has one word for all that goes wrong, a full disk among them, so the server is
 * asked how much room there is.
 */
export const writeFailure = async (sftp: Sftp, error: unknown, about: Doing, folder: string): Promise<Failure> => {
  const failure = fileFailure(error, about);
  if (!(error instanceof SftpError) || error.status !== 'failed') return failure;
  const free = await sftp.room(folder).catch(() => undefined);
  if (free === undefined || free >= SCARCE_BYTES) return failure;
  return new Failure(
    'FILE_FAILED',
    `${about.host} could not ${about.doing} ${failure.details.path}: its disk is full.`,
    {
      next: 'Make room there, or choose another place, and call again.',
      details: { ...failure.details, free_bytes: free },
      cause: error,
    },
  );
};
