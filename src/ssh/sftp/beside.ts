import { Failure } from '../../errors.ts';
import type { Connection } from '../connection/connection.ts';
import { openSftp, type SftpOptions } from './open.ts';
import type { Sftp } from './sftp.ts';

/** From this round trip on, what sshd takes ahead on one channel is less than what a line can carry. */
const LONG_MS = 10;
const MOST = 5;

/**
 * Begins up to four conversations more, for writing one large file over a long line through all of them (see `push`): sshd takes 2 MiB
 * ahead on each channel, so that one alone carries no more than that in a round trip. Only on lanes that are free now; none
 * is no error.
 */
export const openBeside = async (
  connection: Connection,
  { roundTripMs }: Sftp,
  options: SftpOptions,
): Promise<readonly Sftp[]> => {
  if (roundTripMs < LONG_MS) return [];
  const tries = Array.from({ length: MOST - 1 }, async () => {
    try {
      return [await openSftp(connection, { ...options, ifFree: true })];
    } catch (error) {
      if (error instanceof Failure) return [];
      throw error;
    }
  });
  return (await Promise.all(tries)).flat();
};
