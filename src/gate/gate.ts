import { listed, named, wordsOf } from '../audit/bounds.ts';
import type { Audit, Outcome } from '../audit/record.ts';
import { describe } from '../audit/record.ts';
import type { Action, Call, Clock, Input, Log, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { decide, judgeTool, type Policy } from '../policy/decide.ts';
import type { Denial } from '../policy/decision.ts';
import { type FileOutlook, fileOutlookOn } from '../policy/file-outlook.ts';
import type { HostSets } from '../policy/host-sets.ts';
import { type Outlook, outlookOn } from '../policy/outlook.ts';
import type { Store, Ticket } from '../state/store.ts';
import { type Account, accountOf } from './account.ts';
import type { Asking, Yes } from './ask.ts';
import { NO_CHANNEL } from './asking.ts';
import { leaveFor } from './file-leave.ts';
import { OpenCall } from './open-call.ts';
import { mint, type Permit } from './permit.ts';
import { refusal, unanswerable } from './refusal.ts';
import type { Asked, Probe, Request } from './request.ts';
import { type Judged, reserve, settle } from './reserve.ts';
import { compareWith } from './shadow.ts';

type Parts = {
  readonly policy: () => Policy;
  /** What is judged beside the policy, to be compared with it and never obeyed. */
  readonly candidate?: () => Policy | undefined;
  readonly store: Store;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** How people are asked; without it, what asks is refused. */
  readonly asking?: Asking;
};

/** Where the pure policy meets time, counters and the record: judge, charge, record, mint a permit, run, record. */
export class Gate {
  readonly #parts: Parts;
  readonly #open = new Set<OpenCall>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Records a refusal that was decided before the policy was asked: a gate that never hears a probe cannot report it. Why is
   * recorded where the failure names a rule for it.
   */
  hear(probe: Probe, failure: Failure): void {
    const { id, grant, tool } = probe;
    const { code, message: reason, details } = failure;
    const { rule } = details;
    this.#parts.audit.note({
      ...{ event: 'refused', call_id: id, grant, tool: named(tool), code },
      ...(typeof rule === 'string' ? { because: [{ rule, reason }] } : {}),
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

  /** Which files transfers may read and write there now, as far as can be said before it is asked for. */
  files(grant: string, target: Target): FileOutlook {
    return fileOutlookOn(this.#parts.policy(), target, { grant, at: this.#parts.clock.wallMs() });
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

  /**
   * Runs the request if the policy, the limits, whoever must be asked and the record allow it; otherwise throws the `Failure` that
   * says why. What was asked for is judged again once there is an answer.
   */
  async pass<A extends Action, Out>(request: Request<A, Out>): Promise<Out> {
    const first = this.#judge(request, true);
    const yes = first.decision.effect === 'ask' ? await this.#ask(first, request.channel) : undefined;
    const judged = yes === undefined ? first : this.#judge(request, false);
    const { call, host, decision } = judged;
    const open = new OpenCall(call, host, this.#open, yes?.terms);
    const refuse = (one: Call, policy: Policy, denial: Denial): Failure => this.#refuse(one, policy, denial);
    const ticket = await reserve({ ...this.#parts, refuse }, judged, open, yes);
    const files = leaveFor(this.#parts, call, decision, open);
    const permit = mint({ ...call, action: decision.action }, decision.obligations, open.revoked, files);
    return await this.#run(request, permit, open, ticket);
  }

  /**
   * Judges again everything that is open, by the policy in force now and as if it were asked now, and revokes what it would
   * refuse; says how many that are. To be called in the same turn in which the policy changes, so that no call is missed.
   */
  rejudge(): number {
    const policy = this.#parts.policy();
    const at = this.#parts.clock.wallMs();
    this.#parts.asking?.reloaded();
    return [...this.#open].filter(open => open.rejudge(policy, at)).length;
  }

  /** Judges as of now, without a charge; throws what refuses it. */
  #judge<A extends Action, Out>(request: Request<A, Out>, compared: boolean): Judged<A> {
    const policy = this.#parts.policy();
    const at = this.#parts.clock.wallMs();
    const denial = judgeTool(policy, request.tool, request.input);
    if (denial !== undefined) {
      if (compared) compareWith(this.#parts, request, { policy, decision: denial, at });
      throw this.#refuse(request, policy, denial);
    }
    const call = this.#name(request, at);
    const host = request.hostOf(call.action);
    const decision = decide(policy, call, { host });
    if (compared) compareWith(this.#parts, request, { policy, decision, at });
    if (decision.effect === 'deny') throw this.#refuse(call, policy, decision);
    return { policy, call, host, decision };
  }

  /** Gets leave from whoever must be asked, or throws the refusal that says why there is none. */
  async #ask<A extends Action>({ call, policy, decision }: Judged<A>, channel = NO_CHANNEL): Promise<Yes> {
    const { asking } = this.#parts;
    if (asking === undefined || decision.effect !== 'ask') throw this.#refuse(call, policy, unanswerable(decision));
    const answer = await asking.ask({ ...decision, call, policy }, channel);
    if ('effect' in answer) throw this.#refuse(call, policy, answer);
    return answer;
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
      const { tickets, ...more } = open.ended(outcome);
      this.#parts.audit.note({ event: 'ended', call_id: id, grant, tool, end: outcome, ...more });
      for (const one of ticket === undefined ? tickets : [ticket, ...tickets])
        void settle(this.#parts.log, this.#parts.store.release(one));
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
}

/** What was given up because it was revoked is refused by the rule that revoked it. */
const revokedBy = ({ revocation }: OpenCall, error: unknown): Failure | undefined =>
  revocation !== undefined && error instanceof Failure && error.code === 'CANCELLED'
    ? refusal(revocation.denial, revocation.policy)
    : undefined;
