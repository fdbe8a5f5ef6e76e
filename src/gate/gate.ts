import type { Audit, Outcome } from '../audit/record.ts';
import { describe } from '../audit/record.ts';
import type { Action, Call, Clock, Input, Log } from '../call.ts';
import { Failure } from '../errors.ts';
import { decide, judgeTool, limited, type Policy, standing } from '../policy/decide.ts';
import type { Decision, Denial } from '../policy/decision.ts';
import type { Store, Ticket } from '../state/store.ts';
import { mint, type Permit } from './permit.ts';

/** What somebody asks for: the parsed arguments, how to name the action, and what to do once it is permitted. */
export type Request<A extends Action, Out> = {
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  readonly input: Input;
  /** Names the action; a `Failure` here (an unknown host) is a refusal. */
  readonly action: () => A;
  /** The host that a handle belongs to, for limits per host. */
  readonly hostOf: (action: A) => string | undefined;
  readonly run: (permit: Permit<A>) => Promise<Out>;
};

/** A call that never became a request: an unknown tool, malformed arguments. */
export type Probe = {
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  readonly arguments: readonly string[];
};

type Parts = {
  readonly policy: () => Policy;
  readonly store: Store;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
};

/** How much of each limit that holds for a whole grant is used now. */
export type Account = {
  readonly policy: string;
  readonly limits: readonly {
    readonly rule: string;
    readonly used: number;
    readonly max: number;
    readonly retry_after_ms?: number;
  }[];
};

type Granted<A extends Action = Action> = Exclude<Decision<A>, Denial>;

/** Where the pure policy meets time, counters and the record: judge, charge, record, mint a permit, run, record. */
export class Gate {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Records a refusal that was decided before the policy was asked: a gate that never hears a probe cannot report it. */
  hear(probe: Probe, failure: Failure): void {
    const { id, grant, tool } = probe;
    this.#parts.audit.note({
      event: 'refused',
      call_id: id,
      grant,
      tool,
      code: failure.code,
      arguments: probe.arguments,
      policy: this.#parts.policy().digest,
    });
  }

  /** Reads what is left of a grant's limits, charging nothing. */
  async account(grant: string): Promise<Account> {
    const policy = this.#parts.policy();
    const limits = await Promise.all(
      standing(policy, grant).map(async charge => {
        const { used, max, freeInMs } = await this.#parts.store.level(charge);
        return {
          rule: charge.rule,
          used,
          max,
          ...(freeInMs === undefined ? {} : { retry_after_ms: Math.ceil(freeInMs) }),
        };
      }),
    );
    return { policy: policy.digest, limits };
  }

  /** Runs the request if the policy, the limits and the record allow it; otherwise throws the `Failure` that says why. */
  async pass<A extends Action, Out>(request: Request<A, Out>): Promise<Out> {
    const policy = this.#parts.policy();
    const denial = judgeTool(policy, request.tool, request.input);
    if (denial !== undefined) throw this.#refuse(request, policy, denial);
    const call = this.#name(request);
    const decision = decide(policy, call, { host: request.hostOf(call.action) });
    if (decision.effect === 'deny') throw this.#refuse(call, policy, decision);
    if (decision.effect === 'ask') throw this.#refuse(call, policy, unanswerable(decision));
    const ticket = await this.#charge(call, policy, decision);
    await this.#admit(call, policy, decision, ticket);
    return await this.#run(request, mint({ ...call, action: decision.action }, decision.obligations), ticket);
  }

  #name<A extends Action, Out>(request: Request<A, Out>): Call<A> {
    const { id, grant, tool, input } = request;
    try {
      return { id, grant, tool, input, action: request.action(), at: this.#parts.clock.wallMs() };
    } catch (error) {
      if (error instanceof Failure) this.hear({ id, grant, tool, arguments: Object.keys(input) }, error);
      throw error;
    }
  }

  /** Takes every limit of the decision in one step, or refuses with the exact wait. */
  async #charge<A extends Action>(call: Call<A>, policy: Policy, decision: Granted): Promise<Ticket | undefined> {
    if (decision.charges.length === 0) return undefined;
    const result = await this.#parts.store.charge(decision.charges).catch((error: unknown) => {
      throw this.#refuse(call, policy, uncountable(decision, error));
    });
    if (result.ok) return result.ticket;
    throw this.#refuse(call, policy, limited(result.short, result.retryAfterMs));
  }

  /** No record, no run: what cannot be recorded gives its charges back. */
  async #admit<A extends Action>(call: Call<A>, policy: Policy, decision: Granted, ticket?: Ticket): Promise<void> {
    const { id, grant, tool } = call;
    try {
      await this.#parts.audit.admit({
        event: 'admitted',
        call_id: id,
        grant,
        tool,
        because: decision.because,
        action: describe(call.action, decision.action),
        policy: policy.digest,
      });
    } catch (error) {
      if (ticket !== undefined) await this.#settle(this.#parts.store.refund(ticket));
      throw error;
    }
  }

  async #run<A extends Action, Out>(request: Request<A, Out>, permit: Permit<A>, ticket?: Ticket): Promise<Out> {
    try {
      const out = await request.run(permit);
      this.#follow(request, permit.life ?? Promise.resolve({ how: 'done' }), ticket);
      return out;
    } catch (error) {
      const code = error instanceof Failure ? error.code : 'DEFECT';
      this.#follow(request, permit.life ?? Promise.resolve({ how: 'failed', code }), ticket);
      throw error;
    }
  }

  /** Records the end once it comes, and frees what was taken for as long as it lived. */
  #follow<A extends Action, Out>(request: Request<A, Out>, life: Promise<Outcome>, ticket?: Ticket): void {
    const { id, grant, tool } = request;
    const end = (outcome: Outcome): void => {
      this.#parts.audit.note({ event: 'ended', call_id: id, grant, tool, end: outcome });
      if (ticket !== undefined) void this.#settle(this.#parts.store.release(ticket));
    };
    life.then(end, () => end({ how: 'failed', code: 'DEFECT' }));
  }

  #refuse(
    call: { id: string; grant: string; tool: string; input: Input; action?: Action | (() => Action) },
    policy: Policy,
    denial: Denial,
  ): Failure {
    const { id, grant, tool, action } = call;
    this.#parts.audit.note({
      event: 'refused',
      call_id: id,
      grant,
      tool,
      code: denial.code,
      because: denial.because,
      ...(typeof action === 'object' ? { action: describe(action) } : { arguments: Object.keys(call.input) }),
      policy: policy.digest,
    });
    return refusal(denial, policy.digest);
  }

  /** A charge that cannot be given back is the operator's to know, and no reason to fail the call. */
  async #settle(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) =>
      this.#parts.log('warn', 'a charge was not given back', { error: String(error) }),
    );
  }
}

const unanswerable = (decision: Granted): Denial => ({
  effect: 'deny',
  code: 'APPROVAL_UNAVAILABLE',
  because: decision.because,
});

const uncountable = (decision: Granted, error: unknown): Denial => ({
  effect: 'deny',
  code: 'POLICY_UNAVAILABLE',
  because: [
    {
      rule: decision.charges[0]?.rule ?? '(limits)',
      reason: `The limits of this call cannot be counted: ${error instanceof Error ? error.message : String(error)}`,
    },
  ],
});

/** A denial as the agent reads it: one sentence, the rule, and the wait when waiting alone would help. */
export const refusal = (denial: Denial, policy: string): Failure => {
  const [first] = denial.because;
  const wait = denial.retryAfterMs;
  return new Failure(denial.code, `${first.reason} (rule ${first.rule})`.replace(/\.? \(rule/, ' (rule').concat('.'), {
    ...(wait === undefined ? {} : { next: `Call again in ${Math.ceil(wait)} ms.` }),
    details: {
      rule: first.rule,
      reason: first.reason,
      decision: 'deny',
      policy,
      ...(wait === undefined ? {} : { retry_after_ms: Math.ceil(wait) }),
    },
  });
};
