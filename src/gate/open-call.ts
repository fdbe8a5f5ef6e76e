import type { Call } from '../call.ts';
import { decide, type Policy } from '../policy/decide.ts';
import type { Denial } from '../policy/decision.ts';
import { unanswerable } from './refusal.ts';

/** Why something that was allowed is so no longer, and by which document. */
export type Revocation = { readonly denial: Denial; readonly policy: string };

/** A call from its decision to the end of what came of it. */
export class OpenCall {
  readonly #call: Call;
  readonly #host: string | undefined;
  readonly #abort = new AbortController();
  readonly #calls: Set<OpenCall>;
  #revocation: Revocation | undefined;

  constructor(call: Call, host: string | undefined, calls: Set<OpenCall>) {
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

  /** Nothing of it is left to be ended. */
  over(): void {
    this.#calls.delete(this);
  }

  /** Judges the call as it was asked, as if it came at `at`, taking from no limit; whether it is revoked by that. */
  rejudge(policy: Policy, at: number): boolean {
    if (this.#revocation !== undefined) return false;
    const decision = decide(policy, { ...this.#call, at }, { host: this.#host });
    if (decision.effect === 'allow') return false;
    const denial = decision.effect === 'deny' ? decision : unanswerable(decision);
    this.#revocation = { denial, policy: policy.digest };
    this.#abort.abort();
    return true;
  }
}
