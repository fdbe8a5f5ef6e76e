import type { Clock } from '../call.ts';
import { Failure } from '../errors.ts';

/** After a login that the host refused: sshd (PerSourcePenalties, since 9.8) locks an address out after a handful of them. */
const AFTER_LOGIN_MS = 30_000;
const AFTER_FAILURE_MS = { first: 200, most: 5_000 };

/** How long one host is left alone after a dial failed. */
export type Patience = {
  /** Throws the last failure again, at once and with the time left, as long as it is too early to dial. */
  readonly check: () => void;
  readonly failed: (failure: Failure) => void;
  readonly succeeded: () => void;
};

/** Patience with one host. */
export const createPatience = (clock: Clock): Patience => {
  let last: { failure: Failure; until: number } | undefined;
  let failures = 0;
  return {
    check: () => {
      const leftMs = last === undefined ? 0 : Math.ceil(last.until - clock.monoMs());
      if (last !== undefined && leftMs > 0) throw again(last.failure, leftMs);
    },
    failed: failure => {
      if (failure.code === 'CANCELLED') return;
      const waitMs = waitAfter(failure, failures);
      failures++;
      last = { failure, until: clock.monoMs() + waitMs };
    },
    succeeded: () => {
      last = undefined;
      failures = 0;
    },
  };
};

/** A login that failed on this side cost the host nothing. */
const waitAfter = (failure: Failure, earlier: number): number => {
  if (failure.code !== 'AUTH_FAILED') return Math.min(AFTER_FAILURE_MS.first * 2 ** earlier, AFTER_FAILURE_MS.most);
  const { tried } = failure.details;
  return Array.isArray(tried) && tried.length > 0 ? AFTER_LOGIN_MS : 0;
};

const again = (failure: Failure, leftMs: number): Failure =>
  new Failure(failure.code, `${failure.message} It is not tried again for ${leftMs} ms.`, {
    next: failure.next,
    details: { ...failure.details, retry_after_ms: leftMs },
    cause: failure,
    operator: failure.operator,
  });
