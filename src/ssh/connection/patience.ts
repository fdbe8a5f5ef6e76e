import type { Clock } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';

/** After a login that the host refused: sshd (PerSourcePenalties, since 9.8) locks an address out after a handful of them. */
const AFTER_LOGIN_MS = 30_000;
const AFTER_FAILURE_MS = { first: 200, most: 5_000 };
/** How long a refused login may still be why a host drops connections: sshd's longest penalty. */
const PENALTY_MS = 10 * 60_000;

/** When logins were refused, by address and port: several names may stand for one sshd. */
export class Refusals {
  readonly #clock: Clock;
  readonly #at = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(host: Host): void {
    this.#at.set(placeOf(host), this.#clock.monoMs());
  }

  /** How long it is to be left alone. */
  leftMs(host: Host): number {
    return Math.max(0, Math.ceil(AFTER_LOGIN_MS - this.#sinceMs(host)));
  }

  /** Whether a host that drops connections may do so as a penalty. */
  maybePunished(host: Host): boolean {
    return this.#sinceMs(host) < PENALTY_MS;
  }

  #sinceMs(host: Host): number {
    return this.#clock.monoMs() - (this.#at.get(placeOf(host)) ?? Number.NEGATIVE_INFINITY);
  }
}

/** The sshd that a host stands for, as seen from where it is dialled. */
export const placeOf = ({ address, port, via }: Host): string =>
  JSON.stringify([address, port, ...(via === undefined ? [] : [placeOf(via)])]);

/** Whether the host dropped the connection before the handshake: nothing was proved or tried, and it may just be busy (MaxStartups). */
export const isEarlyDrop = (error: unknown): boolean =>
  error instanceof Failure && error.details.dropped === true && error.details.beyond === undefined;

/** How long one host is left alone after a dial failed. */
export type Patience = {
  /** Throws the last failure again, at once and with the time left, as long as it is too early to dial. */
  readonly check: () => void;
  readonly failed: (failure: Failure) => void;
  readonly succeeded: () => void;
};

/** Patience with one host, and with whatever else has its address and port where a login was refused. */
export const createPatience = (host: Host, clock: Clock, refusals: Refusals): Patience => {
  let last: { failure: Failure; until: number } | undefined;
  let failures = 0;
  return {
    check: () => {
      const leftMs = last === undefined ? 0 : Math.ceil(last.until - clock.monoMs());
      if (last !== undefined && leftMs > 0) throw again(last.failure, leftMs);
      const sharedMs = refusals.leftMs(host);
      if (sharedMs > 0) throw refusedThere(host, sharedMs);
    },
    failed: failure => {
      if (failure.code === 'CANCELLED') return;
      const punished = isRefusedLogin(failure) || (isEarlyDrop(failure) && refusals.maybePunished(host));
      const waitMs = punished ? AFTER_LOGIN_MS : waitAfter(failure, failures);
      failures++;
      last = { failure, until: clock.monoMs() + waitMs };
    },
    succeeded: () => {
      last = undefined;
      failures = 0;
    },
  };
};

/** Whether the host refused a login: one that failed on this side cost it nothing, and one on the way is for that host to remember. */
export const isRefusedLogin = (error: unknown): boolean => {
  if (!(error instanceof Failure) || error.code !== 'AUTH_FAILED') return false;
  const { tried, beyond } = error.details;
  return Array.isArray(tried) && tried.length > 0 && beyond === undefined;
};

const waitAfter = ({ code, details }: Failure, earlier: number): number =>
  (code === 'AUTH_FAILED' && details.beyond === undefined) || details.undialled === true
    ? 0
    : Math.min(AFTER_FAILURE_MS.first * 2 ** earlier, AFTER_FAILURE_MS.most);

const again = (failure: Failure, leftMs: number): Failure =>
  new Failure(failure.code, `${failure.message} It is not tried again for ${leftMs} ms.`, {
    next: failure.next,
    details: { ...failure.details, retry_after_ms: leftMs },
    cause: failure,
    operator: failure.operator,
  });

const refusedThere = ({ name, address, port }: Host, leftMs: number): Failure =>
  new Failure(
    'UNREACHABLE',
    `${name} is not dialled for ${leftMs} ms: a login to ${address}:${port} was refused just now, and one more may lock this machine out there.`,
    {
      next: 'Wait as long as retry_after_ms says, then call again.',
      details: { host: name, retry_after_ms: leftMs },
    },
  );
