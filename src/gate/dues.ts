import type { Call, Clock, FileAccess, Log, Transfer } from '../call.ts';
import { chargesOf, limited, type Policy } from '../policy/decide.ts';
import { type Charge, type Denial, denial } from '../policy/decision.ts';
import { countsBytes, type Limit } from '../policy/limit.ts';
import type { Rule } from '../policy/rules/rule.ts';
import type { Store, Ticket } from '../state/store.ts';
import type { OpenCall } from './open-call.ts';
import { uncountable } from './refusal.ts';

type Parts = {
  readonly policy: () => Policy;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
};

/** What is paid for together: transfers of many files ask for much at a time, and each payment is a transaction. */
type Batch = { bytes: number; count: number; readonly paid: Promise<Denial | undefined> };

/** What one transfer owes for what it was granted, and has paid: each limit of a rule once, bytes as they move. */
export class Dues {
  readonly #parts: Parts;
  readonly #call: Call<Transfer>;
  readonly #open: OpenCall;
  readonly #since: number;
  /** The rules that granted anything so far, by their place in the document. */
  readonly #rules = new Map<string, Rule>();
  /** Of those, the ones that let bytes move. */
  readonly #movers = new Set<string>();
  /** What was taken from each budget that counts calls, and against which bound. */
  readonly #paid = new Map<string, Pick<Charge, 'amount' | 'max'>>();
  readonly #tickets: Ticket[] = [];
  #batch: Batch | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #bytes = 0;
  /** What is being paid for: many ask at once, and none may pass on what another has room for. */
  #asked = 0;

  constructor(parts: Parts, call: Call<Transfer>, open: OpenCall, admitted: readonly Charge[]) {
    this.#parts = parts;
    this.#call = call;
    this.#open = open;
    this.#since = parts.clock.monoMs();
    for (const { key, amount, max } of admitted) this.#paid.set(key, { amount, max });
  }

  /** The bytes that were paid for, or are about to be. */
  get bytes(): number {
    return this.#bytes + this.#asked;
  }

  /** Notes who has granted something: what they cost is paid with the next bytes, be they none. */
  owe(rules: readonly Rule[], access: FileAccess): void {
    for (const rule of rules) {
      this.#rules.set(rule.at, rule);
      if (access === 'read' || access === 'write') this.#movers.add(rule.at);
    }
  }

  /** What a rule that granted some of it bounds: how long it lasts, and how much comes out of a host. */
  exceeded(bytes: number): Denial | undefined {
    const spentMs = this.#parts.clock.monoMs() - this.#since;
    for (const { at, id, obligations } of this.#rules.values()) {
      const { timeoutMs = spentMs, maxOutputBytes: most } = obligations;
      if (spentMs > timeoutMs) return denial(at, `The rule ${id} lets a transfer last no longer than ${timeoutMs} ms.`);
      const isOut = this.#call.action.direction === 'download' && most !== undefined;
      if (isOut && this.bytes + bytes > most) return denial(at, `The rule ${id} lets no more than ${most} bytes out.`);
    }
    return undefined;
  }

  /** Pays for these bytes and for whatever else is owed; the denial when it cannot be. */
  async pay(bytes: number): Promise<Denial | undefined> {
    this.#asked += bytes;
    const denied = await this.#payTogether(bytes);
    if (denied !== undefined) this.#asked -= bytes;
    return denied;
  }

  /** Pays nothing any more; gives the tickets of what was paid. */
  close(): readonly Ticket[] {
    this.#closed = true;
    return this.#tickets.splice(0);
  }

  async #payTogether(bytes: number): Promise<Denial | undefined> {
    this.#batch ??= this.#nextBatch();
    const batch = this.#batch;
    batch.bytes += bytes;
    batch.count += 1;
    const denied = await batch.paid;
    if (denied === undefined || batch.count === 1) return denied;
    return await this.#inTurn(() => this.#payOnce(bytes));
  }

  /** Gathers what is asked for until the payment before it is done. */
  #nextBatch(): Batch {
    const paid = this.#inTurn(() => {
      this.#batch = undefined;
      return this.#payOnce(batch.bytes);
    });
    const batch: Batch = { bytes: 0, count: 0, paid };
    return batch;
  }

  #inTurn(work: () => Promise<Denial | undefined>): Promise<Denial | undefined> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #payOnce(bytes: number): Promise<Denial | undefined> {
    const counted = this.#counted();
    const moved = this.#moved(bytes);
    if ('effect' in counted) return counted;
    if ('effect' in moved) return moved;
    const charges = [...counted, ...moved];
    const denied = charges.length === 0 ? undefined : await this.#take(charges);
    if (denied !== undefined) return denied;
    for (const { key, amount, max } of counted) {
      const paid = this.#paid.get(key);
      this.#paid.set(key, { amount: amount + (paid?.amount ?? 0), max: Math.min(max, paid?.max ?? max) });
    }
    this.#bytes += bytes;
    this.#asked -= bytes;
    return undefined;
  }

  /** What the limits that count calls still take: a budget that was charged for this call already gives only the difference. */
  #counted(): readonly Charge[] | Denial {
    const limits = [...this.#rules.values()].flatMap(rule => rule.limits).filter(limit => !countsBytes(limit));
    const charges = this.#chargesOf(limits, 0);
    if ('effect' in charges) return charges;
    return charges.flatMap(charge => {
      const paid = this.#paid.get(charge.key);
      if (paid === undefined) return [charge];
      const amount = Math.max(0, charge.amount - paid.amount);
      return amount === 0 && paid.max <= charge.max ? [] : [{ ...charge, amount }];
    });
  }

  #moved(bytes: number): readonly Charge[] | Denial {
    if (bytes === 0) return [];
    const movers = [...this.#rules.values()].filter(({ at }) => this.#movers.has(at));
    const limits = [...this.#parts.policy().rulesOf(this.#call.tool).limits, ...movers.flatMap(rule => rule.limits)];
    return this.#chargesOf(limits.filter(countsBytes), bytes);
  }

  #chargesOf(limits: readonly Limit[], size: number): readonly Charge[] | Denial {
    return chargesOf(limits, { ...this.#call, input: { ...this.#call.input, size } }, this.#open.host);
  }

  async #take(charges: readonly Charge[]): Promise<Denial | undefined> {
    const { store } = this.#parts;
    const result = await store.charge(charges).catch((error: unknown) => uncountable({ charges }, error));
    if ('effect' in result) return result;
    if (!result.ok) return limited(result.short, result.retryAfterMs);
    const over = this.#open.revocation?.denial ?? (this.#closed ? ENDED : undefined);
    if (over === undefined) this.#tickets.push(result.ticket);
    else await this.#giveBack(result.ticket);
    return over;
  }

  async #giveBack(ticket: Ticket): Promise<void> {
    await this.#parts.store.refund(ticket).catch((error: unknown) => {
      this.#parts.log('warn', 'a charge was not given back', { error: String(error) });
    });
  }
}

const ENDED = denial('(limits)', 'The call has ended.');
