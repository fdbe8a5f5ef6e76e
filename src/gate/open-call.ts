import type { Outcome } from '../audit/record.ts';
import type { Call } from '../call.ts';
import { meets } from '../policy/approval.ts';
import { decide, type Policy } from '../policy/decide.ts';
import type { ApprovalTerms, Because, Denial } from '../policy/decision.ts';
import type { Ticket } from '../state/store.ts';
import { unanswerable } from './refusal.ts';

/** Why something that was allowed is so no longer, and by which document. */
export type Revocation = { readonly denial: Denial; readonly policy: string };

/** What a call was granted while it ran, beside what it asked for. */
type Kept = {
  readonly rejudge: (policy: Policy, at: number) => Denial | undefined;
  readonly over: () => { readonly tickets: readonly Ticket[]; readonly refused: number };
};

/** What is left of a call that has ended: what is to be released, and what its record says beside the end itself. */
type Leftover = {
  readonly tickets: readonly Ticket[];
  /** How often it was refused something on its way. */
  readonly refused?: number;
  readonly because?: Because;
  readonly policy?: string;
};

const NOTHING_KEPT = Object.freeze({ tickets: Object.freeze([]), refused: 0 });

/** A call from its decision to the end of what came of it. */
export class OpenCall {
  readonly #call: Call;
  readonly #host: string | undefined;
  /** Under which terms somebody has said yes to it. */
  readonly #leave: ApprovalTerms | undefined;
  readonly #abort = new AbortController();
  readonly #calls: Set<OpenCall>;
  #revocation: Revocation | undefined;
  #kept: Kept | undefined;

  constructor(call: Call, host: string | undefined, calls: Set<OpenCall>, leave?: ApprovalTerms) {
    this.#leave = leave;
    this.#call = call;
    this.#host = host;
    this.#calls = calls;
    calls.add(this);
  }

  /** Aborted as soon as it is no longer allowed. */
  get revoked(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why it is no longer allowed; undefined as long as it is. */
  get revocation(): Revocation | undefined {
    return this.#revocation;
  }

  /** Whether it was no more than a look, whose answer can still be kept back. */
  get isLook(): boolean {
    return this.#call.action.kind === 'observe';
  }

  /** The host that it is about. */
  get host(): string | undefined {
    return this.#host;
  }

  /** Whatever this grants from now on is judged again with the call, and ends with it. */
  keep(kept: Kept): void {
    this.#kept = kept;
  }

  /** Nothing of it is left to be ended. */
  over(): void {
    this.#calls.delete(this);
  }

  /** It has ended so. */
  ended({ how }: Outcome): Leftover {
    this.over();
    const { tickets, refused } = this.#kept?.over() ?? NOTHING_KEPT;
    const revocation = how === 'revoked' ? this.#revocation : undefined;
    return {
      tickets,
      ...(refused === 0 ? {} : { refused }),
      ...(revocation === undefined ? {} : { because: revocation.denial.because, policy: revocation.policy }),
    };
  }

  /** Judges the call as it was asked, as if it came at `at`, taking from no limit; whether it is revoked by that. */
  rejudge(policy: Policy, at: number): boolean {
    if (this.#revocation !== undefined) return false;
    const decision = decide(policy, { ...this.#call, at }, { host: this.#host });
    const stays = decision.effect === 'ask' && this.#leave !== undefined && meets(this.#leave, decision.terms);
    const refused = decision.effect === 'ask' && !stays ? unanswerable(decision) : decision;
    const denial = refused.effect === 'deny' ? refused : this.#kept?.rejudge(policy, at);
    if (denial === undefined) return false;
    this.#revocation = { denial, policy: policy.digest };
    this.#abort.abort();
    return true;
  }
}
