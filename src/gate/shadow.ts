import type { Audit, AuditRecord } from '../audit/record.ts';
import type { Action, Log } from '../call.ts';
import { decide, judgeTool, type Policy } from '../policy/decide.ts';
import type { Decision } from '../policy/decision.ts';
import type { Request } from './request.ts';

/** What the policy in force answered, and when. */
export type Answered = { readonly policy: Policy; readonly decision: Decision; readonly at: number };

type Shadow = Extract<AuditRecord, { event: 'shadow' }>;

type Parts = {
  readonly candidate?: () => Policy | undefined;
  readonly audit: Audit;
  readonly log: Log;
};

/** Compares the answer with the candidate's, if there is one, and records where they differ; whatever becomes of that, the call goes on. */
export const compareWith = <A extends Action, Out>(
  parts: Parts,
  request: Request<A, Out>,
  answered: Answered,
): void => {
  const policy = parts.candidate?.();
  if (policy === undefined) return;
  try {
    const difference = compare(request, answered, policy);
    if (difference === undefined) return;
    parts.audit.note(difference);
    const { call_id, tool, live, candidate } = difference;
    const fields = { call_id, tool, live, candidate };
    parts.log('warn', `the candidate answers ${candidate.decision} instead of ${live.decision}`, fields);
  } catch (error) {
    parts.log('warn', 'the candidate could not judge a call', { call_id: request.id, cause: String(error) });
  }
};

/**
 * Judges a call by a candidate too, on the same facts, and says where its answer differs: the effects are compared as they
 * are before any limit is counted, so that nothing is charged and nothing depends on what others have used up.
 */
const compare = <A extends Action>(
  request: Request<A, unknown>,
  { policy, decision: live, at }: Answered,
  candidate: Policy,
): Shadow | undefined => {
  const other = judge(request, candidate, at);
  if (other === undefined || other.effect === live.effect) return undefined;
  const { id, grant, tool } = request;
  const both = { live: judged(live, policy), candidate: judged(other, candidate) };
  return { event: 'shadow', call_id: id, grant, tool, ...both };
};

/** Undefined when the action cannot be named: that is refused whatever a policy says. */
const judge = <A extends Action>(request: Request<A, unknown>, policy: Policy, at: number): Decision | undefined => {
  const { id, grant, tool, input } = request;
  const denial = judgeTool(policy, tool, input);
  if (denial !== undefined) return denial;
  const action = named(request);
  if (action === undefined) return undefined;
  return decide(policy, { id, grant, tool, input, action, at }, { host: request.hostOf(action) });
};

const named = <A extends Action>(request: Request<A, unknown>): A | undefined => {
  try {
    return request.action();
  } catch {
    return undefined;
  }
};

const judged = ({ effect, because: [{ rule, reason }] }: Decision, { digest }: Policy): Shadow['live'] => ({
  decision: effect,
  rule,
  reason,
  policy: digest,
});
