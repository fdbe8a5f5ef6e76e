import { createHash, type Hash } from 'node:crypto';
import type { Random } from '../../call.ts';
import { Failure, type FailureCode } from '../../errors.ts';
import type { Sftp } from '../sftp/sftp.ts';
import { SftpError } from '../sftp/sftp-error.ts';
import type { Files } from './files.ts';
import { LEAST_PART } from './part.ts';
import type { Ground } from './place.ts';

/** One transfer under way: where, for whom, when to give up, and who is told how far it is. */
export type Job = {
  readonly ground: Ground;
  readonly grant: string;
  readonly files: Files | undefined;
  readonly random: Random;
  /** Gives it up; the conversation goes on for a while, so that it can put away what it began. */
  readonly signal: AbortSignal;
  /** Nothing of it may stay: what it was allowed by is gone. */
  readonly revoked: () => boolean;
  /** SHA-256 in hex of the first bytes of a file of the host, by a command of ours; undefined where none can be run. */
  readonly remoteDigest: (path: string, bytes: number) => Promise<string | undefined>;
  /** Up to four conversations more, for writing one large file over a long line; none is no error. They end with the transfer. */
  readonly beside: () => Promise<readonly Sftp[]>;
  /** So many bytes are to move in all; undefined when that is not known. */
  readonly expects: (bytes: number) => void;
  /** So many more bytes have moved. */
  readonly moved: (bytes: number) => void;
};

/** SHA-256 that grows, and can be looked at on the way. */
export class Sum {
  readonly #hash: Hash;
  #bytes = 0;

  constructor(hash = createHash('sha256')) {
    this.#hash = hash;
  }

  add(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  /** How many bytes it is of. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So far, in lower-case hex. */
  get hex(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Another of the same bytes. */
  copy(): Sum {
    const copy = new Sum(this.#hash.copy());
    copy.#bytes = this.#bytes;
    return copy;
  }
}

/** Bytes that move until it is asked again whether they may. */
const ASKED_EVERY = 8 * 2 ** 20;

/** Is told of bytes before they move: every 8 MiB it asks whether more may, and rejects as `FileLeave.charge` does when what allowed it has ended. */
export const askingOn = ({ leave }: Pick<Ground, 'leave'>): ((bytes: number) => Promise<void> | undefined) => {
  let moved = 0;
  return bytes => {
    moved += bytes;
    if (moved < ASKED_EVERY) return undefined;
    moved = 0;
    return leave.charge(0);
  };
};

/** Throws CANCELLED once the transfer was given up. */
export const mustGoOn = ({ signal }: Pick<Job, 'signal'>): void => {
  if (signal.aborted) throw givenUp();
};

/** What a client hears of a transfer that was given up. */
export const givenUp = (): Failure =>
  new Failure('CANCELLED', 'The transfer was given up; nothing unfinished stands under its final name.');

/** The failure with how much of the file waits for a transfer that goes on. */
export const resumable = ({ code, message, operator, cause, details }: Failure, bytes: number): Failure => {
  const next = `Call again with resume: true, and the first ${bytes} bytes need not move again.`;
  return new Failure(code, message, { next, details: { ...details, resumable_bytes: bytes }, operator, cause });
};

const KEPT: readonly FailureCode[] = [
  ...(['CANCELLED', 'SHUTTING_DOWN', 'CONNECTION_LOST', 'RATE_LIMITED'] as const),
  ...(['FILE_FAILED', 'FILE_DENIED', 'LOCAL_FAILED'] as const),
];

/** Whether the part of a transfer that failed so is worth keeping: not where it fills a disk, was not allowed, or is of what is no more. */
export const isKept = (error: unknown, bytes: number): error is Failure =>
  error instanceof Failure &&
  KEPT.includes(error.code) &&
  bytes >= LEAST_PART &&
  !fillsDisk(error) &&
  !losesBytes(error) &&
  error.details.changed !== true;

const fillsDisk = ({ details, cause }: Failure): boolean =>
  details.no_room === true || 'free_bytes' in details || (cause instanceof SftpError && cause.status === 'full');

/** A disk that has failed may give back what it has not kept, and says so only once (fsync(2)). */
const losesBytes = ({ cause }: Failure): boolean => cause instanceof Error && 'code' in cause && cause.code === 'EIO';

/** What a client hears of a source that is another one at the end than it was at the beginning. */
export const changedMeanwhile = (what: string): Failure =>
  new Failure('FILE_FAILED', `${what} was changed while it was copied; what stood at the destination is untouched.`, {
    next: 'Call again when nothing writes to it.',
    details: { changed: true },
  });
