import { listed, named, wordsOf } from '../audit/bounds.ts';
import type { Audit, Outcome } from '../audit/record.ts';
import { describe } from '../audit/record.ts';
import type { Action, Call, Clock, Input, Log, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { decide, judgeTool, limited, type Policy } from '../policy/decide.ts';
import type { Decision, Denial } from '../policy/decision.ts';
import type { HostSets } from '../policy/host-sets.ts';
import { type Outlook, outlookOn } from '../policy/outlook.ts';
import type { Store, Ticket } from '../state/store.ts';
import { type Account, accountOf } from './account.ts';
import { OpenCall, type Revocation } from './open-call.ts';
import { mint, type Permit } from './permit.ts';
import { refusal, unanswerable, uncountable } from './refusal.ts';
import type { Asked, Probe, Request } from './request.ts';
import { compareWith } from './shadow.ts';

type Parts = {
  readonly policy: () => Policy;
  /** What is judged beside the policy, to be compared with it and never obeyed. */
  readonly candidate?: () => Policy | undefined;
  readonly store: Store;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
};

type Granted<A extends Action = Action> = Exclude<Decision<A>, Denial>;

/** Where the pure policy meets time, counters and the record: judge, charge, record, mint a permit, run, record. */
export class Gate {
  readonly #parts: Parts;
  readonly #open = new Set<OpenCall>();

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
      tool: named(tool),
      code: failure.code,
      arguments: listed(probe.arguments),
      policy: this.#parts.policy().digest,
    });
  }

  /** Reads what is left of a grant's limits, charging nothing. */
  async account(grant: string): Promise<Account> {
    return await accountOf(this.#parts.policy(), this.#parts.store, grant);
  }

  /** The sets of hosts that the policy names. */
  sets(): HostSets {
    return this.#parts.policy().sets ?? new Map();
  }

  /** What may run there now, as far as can be said before it is asked for. */
  outlook(grant: string, target: Target): Outlook {
    return outlookOn(this.#parts.policy(), target, { grant, at: this.#parts.clock.wallMs() });
  }

  /**
   * Of the calls that one stands for, which their tool refuses whatever they would do; refuses the one as soon as that is all
   * of them: then it learns nothing of what it named.
   */
  screen(whole: Asked, inputs: readonly Input[]): readonly boolean[] {
    const policy = this.#parts.policy();
    const denials = inputs.map(input => judgeTool(policy, whole.tool, input));
    const [first] = denials;
    if (first !== undefined && !denials.includes(undefined)) throw this.#refuse(whole, policy, first);
    return denials.map(denial => denial !== undefined);
  }

  /** Runs the request if the policy, the limits and the record allow it; otherwise throws the `Failure` that says why. */
  async pass<A extends Action, Out>(request: Request<A, Out>): Promise<Out> {
    const policy = this.#parts.policy();
    const at = this.#parts.clock.wallMs();
    const denial = judgeTool(policy, request.tool, request.input);
    if (denial !== undefined) {
      compareWith(this.#parts, request, { policy, decision: denial, at });
      throw this.#refuse(request, policy, denial);
    }
    const call = this.#name(request, at);
    const host = request.hostOf(call.action);
    const decision = decide(policy, call, { host });
    compareWith(this.#parts, request, { policy, decision, at });
    if (decision.effect === 'deny') throw this.#refuse(call, policy, decision);
    if (decision.effect === 'ask') throw this.#refuse(call, policy, unanswerable(decision));
    const open = new OpenCall(call, host, this.#open);
    const ticket = await this.#reserve(call, policy, decision, open);
    const permit = mint({ ...call, action: decision.action }, decision.obligations, open.revoked);
    return await this.#run(request, permit, open, ticket);
  }

  /**
   * Judges again everything that is open, by the policy in force now and as if it were asked now, and revokes what it would
   * refuse; says how many that are. To be called in the same turn in which the policy changes, so that no call is missed.
   */
  rejudge(): number {
    const policy = this.#parts.policy();
    const at = this.#parts.clock.wallMs();
    return [...this.#open].filter(open => open.rejudge(policy, at)).length;
  }

  #name<A extends Action, Out>(request: Request<A, Out>, at: number): Call<A> {
    const { id, grant, tool, input } = request;
    try {
      return { id, grant, tool, input, action: request.action(), at };
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('DEFECT', 'The action could not be named.');
      this.hear({ id, grant, tool, arguments: Object.keys(input) }, failure);
      throw error;
    }
  }

  async #reserve<A extends Action>(
    call: Call<A>,
    policy: Policy,
    decision: Granted,
    open: OpenCall,
  ): Promise<Ticket | undefined> {
    try {
      const ticket = await this.#charge(call, policy, decision);
      await this.#admit(call, policy, decision, ticket);
      if (open.revocation !== undefined) throw await this.#abandon(call, open.revocation, ticket);
      return ticket;
    } catch (error) {
      open.over();
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
        ...wordsOf(call.input),
        action: describe(call.action, decision.action),
        policy: policy.digest,
      });
    } catch (error) {
      if (ticket !== undefined) await this.#settle(this.#parts.store.refund(ticket));
      throw error;
    }
  }

  /** What was revoked before it began: its record is ended, and its charges are given back. */
  async #abandon(call: Call, { denial, policy }: Revocation, ticket?: Ticket): Promise<Failure> {
    const { id, grant, tool } = call;
    const end = { how: 'revoked' };
    this.#parts.audit.note({ event: 'ended', call_id: id, grant, tool, end, because: denial.because, policy });
    if (ticket !== undefined) await this.#settle(this.#parts.store.refund(ticket));
    return refusal(denial, policy);
  }

  async #run<A extends Action, Out>(
    request: Request<A, Out>,
    permit: Permit<A>,
    open: OpenCall,
    ticket?: Ticket,
  ): Promise<Out> {
    try {
      const out = await request.run(permit);
      if (open.isLook && open.revocation !== undefined) throw new Failure('CANCELLED', 'It was revoked meanwhile.');
      this.#follow(request, open, permit.life ?? Promise.resolve({ how: 'done' }), ticket);
      return out;
    } catch (error) {
      const revoked = revokedBy(open, error);
      const code = error instanceof Failure ? error.code : 'DEFECT';
      const failed: Outcome = revoked === undefined ? { how: 'failed', code } : { how: 'revoked' };
      this.#follow(request, open, permit.life ?? Promise.resolve(failed), ticket);
      throw revoked ?? error;
    }
  }

  /** Records the end once it comes, and frees what was taken for as long as it lived. */
  #follow<A extends Action, Out>(
    { id, grant, tool }: Request<A, Out>,
    open: OpenCall,
    life: Promise<Outcome>,
    ticket?: Ticket,
  ): void {
    const end = (outcome: Outcome): void => {
      open.over();
      const { revocation } = open;
      const why =
        revocation === undefined || outcome.how !== 'revoked'
          ? {}
          : { because: revocation.denial.because, policy: revocation.policy };
      this.#parts.audit.note({ event: 'ended', call_id: id, grant, tool, end: outcome, ...why });
      if (ticket !== undefined) void this.#settle(this.#parts.store.release(ticket));
    };
    life.then(end, () => end({ how: 'failed', code: 'DEFECT' }));
  }

  #refuse(call: Asked & { action?: Action | (() => Action) }, policy: Policy, denial: Denial): Failure {
    const { id, grant, tool, action } = call;
    this.#parts.audit.note({
      event: 'refused',
      call_id: id,
      grant,
      tool,
      code: denial.code,
      because: denial.because,
      ...wordsOf(call.input),
      ...(typeof action === 'object' ? { action: describe(action) } : { arguments: listed(Object.keys(call.input)) }),
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

/** What was given up because it was revoked is refused by the rule that revoked it. */
const revokedBy = ({ revocation }: OpenCall, error: unknown): Failure | undefined =>
  revocation !== undefined && error instanceof Failure && error.code === 'CANCELLED'
    ? refusal(revocation.denial, revocation.policy)
    : undefined;
