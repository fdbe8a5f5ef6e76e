import type { Clock, Log, Random } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Charge } from '../policy/decision.ts';
import { makeApprovals } from './approvals.ts';
import type { Pages } from './book.ts';
import { makeHandles } from './handles.ts';
import { chargeAll, levelOf } from './ledger.ts';
import type { Head, Store } from './store.ts';
import { type InTransaction, makeTickets } from './tickets.ts';

/** One transaction at a time: all of `work`'s writes are kept, or none; `durable` ones also over a power cut. */
export type Transact = <Out>(work: (pages: Pages) => Out, durable: boolean) => Promise<Out>;

/** Where a store keeps things; the counting itself is the same over each. */
export type Keeping = {
  readonly transact: Transact;
  readonly setHead: (head: Head) => Promise<void>;
  readonly heads: () => Promise<readonly Head[]>;
  readonly close: () => void;
};

/** Calls `work` again and again without keeping the process alive; returns what stops it. */
export type Every = (ms: number, work: () => void) => () => void;

/** What counting needs; a slot that its holder has not renewed for `leaseMs` is free. */
export type Counting = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly leaseMs: number;
  readonly every: Every;
};

/** A `Store` over one keeping. The clock is read inside the transaction, so that no wait for a lock shortens a window. */
export const storeOver = (keeping: Keeping, { clock, random, log, leaseMs, every }: Counting): Store => {
  const instance = random(9).toString('base64url');
  let count = 0;
  const newId = (): string => `${instance}.${++count}`;
  const inTransaction: InTransaction = (work, durable = false) =>
    keeping.transact(pages => {
      const now = { monoMs: clock.monoMs(), wallMs: clock.wallMs(), bootId: clock.bootId };
      return work({ pages, now, leaseMs });
    }, durable);
  const tickets = makeTickets(random, inTransaction);
  const stop = every(leaseMs / 5, () => {
    tickets.renewAll().catch((error: unknown) => log('warn', 'what runs was not counted on', { error: String(error) }));
  });
  return {
    async charge(charges) {
      const result = await inTransaction(entry => chargeAll(entry, charges, newId), charges.some(lasting));
      return result.ok ? { ok: true, ticket: tickets.issue(result.taken) } : result;
    },
    refund: tickets.refund,
    release: tickets.release,
    level: charge => inTransaction(entry => levelOf(entry, charge)),
    ...makeHandles(inTransaction),
    setHead: keeping.setHead,
    heads: keeping.heads,
    approvals: makeApprovals(random, inTransaction, tickets, newId),
    close() {
      stop();
      keeping.close();
    },
  };
};

/** From an hour on, a window outlives a power cut. */
const lasting = ({ span }: Charge): boolean => span.kind === 'window' && span.windowMs >= 3_600_000;

/** What every call on a closed store is answered with. */
export const closed = (): Failure => new Failure('POLICY_UNAVAILABLE', 'The state store is closed.');
