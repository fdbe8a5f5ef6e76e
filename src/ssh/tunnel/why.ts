import type { Forward } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { safeLine } from '../../text/safe.ts';

const SHOWN_CHARS = 100;

/** Why a connection through a tunnel came to nothing: a failure's own words, or what the host answered (RFC 4254 section 5.1). */
export const whyNot = ({ target, to }: Forward, error: unknown): string => {
  if (error instanceof Failure) return error.message;
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  const place = `${to.host}:${to.port}`;
  if (reason === 1) return `${target.host} does not forward connections to ${place} (AllowTcpForwarding, PermitOpen).`;
  if (reason === 2) return `${target.host} cannot connect to ${place}${wordsOf(error)}.`;
  return `${target.host} opens no connection to ${place}${wordsOf(error)}.`;
};

/** The host's own words, behind those of whoever heard them. */
const wordsOf = (error: unknown): string => {
  const words = error instanceof Error ? (/^\(SSH\) Channel open failure: (.+)$/s.exec(error.message)?.[1] ?? '') : '';
  return words === '' ? '' : `; it says ${JSON.stringify(safeLine(words, SHOWN_CHARS))}`;
};
