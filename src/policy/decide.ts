import type { Action, Call, Input } from '../call.ts';
import { type Because, type Charge, type Decision, type Denial, denial } from './decision.ts';
import type { Limit } from './limit.ts';
import type { Policy, ToolRules } from './policy.ts';
import { UNRULED } from './rules/configure.ts';
import { judge } from './rules/judge.ts';
import type { Ruling } from './rules/ruling.ts';

export { NO_POLICY, type Policy } from './policy.ts';

/** What the gate knows of a call beside its arguments: the host that a handle belongs to. */
export type Facts = { readonly host?: string | undefined };

/** Judges what needs no action: no document, hidden, default, `require`, `deny_if`; the first refusal, or undefined. */
export const judgeTool = (policy: Policy, tool: string, input: Input): Denial | undefined => {
  const { barred, groups } = policy.rulesOf(tool);
  if (barred !== undefined) return barred;
  for (const judge of groups) {
    const refused = judge(input);
    if (refused !== undefined) return refused;
  }
  return undefined;
};

/**
 * Judges a whole call, first its tool and then its action: the answer, why, every limit that must be charged before it may
 * run, and what runs then.
 */
export const decide = <A extends Action>(policy: Policy, call: Call<A>, facts: Facts): Decision<A> => {
  const refused = judgeTool(policy, call.tool, call.input);
  if (refused !== undefined) return refused;
  const tool = policy.rulesOf(call.tool);
  const ruling = rulingOn(policy, call);
  if (ruling?.effect === 'deny') return ruling;
  const charges = chargesOf(ruling === undefined ? tool.limits : [...tool.limits, ...ruling.limits], call, facts.host);
  if ('effect' in charges) return charges;
  if (ruling === undefined)
    return { effect: tool.effect, because: tool.because, charges, obligations: {}, action: call.action };
  const { obligations, change } = ruling;
  const action = Object.keys(change).length === 0 ? call.action : { ...call.action, ...change };
  const effect = tool.effect === 'ask' ? 'ask' : ruling.effect;
  return { effect, because: reasonsOf(tool, ruling), charges, obligations, action };
};

const rulingOn = ({ book }: Policy, { action, at }: Call): Ruling | undefined => {
  if (book !== undefined) return judge(book, action, at);
  return action.kind === 'configure' ? UNRULED : undefined;
};

/** The action's own rules first, unless it is the tool that asks. */
const reasonsOf = (tool: ToolRules, ruling: Exclude<Ruling, Denial>): Because =>
  tool.effect === 'ask' ? [...tool.because, ...ruling.because] : ruling.because;

/** The refusal of a call that a limit has no room for; `retryAfterMs` when waiting alone will make room. */
export const limited = (charge: Charge, retryAfterMs?: number): Denial => ({
  ...denial(charge.rule, charge.reason, 'RATE_LIMITED'),
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** Whether `tools/list` names a tool: one that is hidden, or refused because nothing lists it, is left out. */
export const visibility = (policy: Policy, tool: string): boolean => policy.rulesOf(tool).visible;

/** The limits that hold for all calls of a grant together, for reading how much of them is left. */
export const standing = (policy: Policy, grant: string): readonly Charge[] =>
  policy.limits.map(limit => limit.standing(grant)).filter(charge => charge !== undefined);

/** What every limit takes. Limits that share a budget are charged once, for the most and against the least. */
const chargesOf = (limits: readonly Limit[], call: Call, host: string | undefined): readonly Charge[] | Denial => {
  const charges: Charge[] = [];
  for (const limit of limits) {
    const charge = limit.take(call, host);
    if ('effect' in charge) return charge;
    const index = charges.findIndex(({ key }) => key === charge.key);
    const other = charges[index];
    if (other === undefined) charges.push(charge);
    else charges[index] = merged(other, charge);
  }
  const never = charges.find(({ amount, max }) => amount > max);
  return never === undefined ? charges : denial(never.rule, never.reason);
};

const merged = (a: Charge, b: Charge): Charge => ({
  ...(b.max < a.max ? b : a),
  amount: Math.max(a.amount, b.amount),
});
