import type { Action, Call, FileAccess, Input, Target, Transfer } from '../call.ts';
import { compileTerms, strictestTerms } from './approval.ts';
import {
  type ApprovalTerms,
  type Because,
  becauseOf,
  type Charge,
  type Decision,
  type Denial,
  denial,
} from './decision.ts';
import type { Limit } from './limit.ts';
import type { Policy, ToolRules } from './policy.ts';
import { UNRULED } from './rules/configure.ts';
import { type FileRuling, fileDenied, judgeFile } from './rules/files.ts';
import { judge } from './rules/judge.ts';
import type { Ruling } from './rules/ruling.ts';

export { NO_POLICY, type Policy } from './policy.ts';

/** What the gate knows of a call beside its arguments: the host that a handle belongs to. */
export type Facts = { readonly host?: string | undefined };

/** Judges what needs no action: no document, hidden, default, `require`, `deny_if`; the first refusal, or undefined. */
export const judgeTool = (policy: Policy, tool: string, input: Input): Denial | undefined => {
  const { barred, groups } = policy.rulesOf(tool);
  if (barred !== undefined) return barred;
  if (groups.length === 0) return undefined;
  const seen = measured(tool, input);
  for (const judge of groups) {
    const refused = judge(seen);
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
  const limits = ruling === undefined ? tool.limits : [...tool.limits, ...ruling.limits];
  const charges = chargesOf(limits, unmoved(call), facts.host);
  if ('effect' in charges) return charges;
  if (ruling === undefined)
    return { ...askedBy(tool), because: tool.because, charges, obligations: {}, action: call.action };
  const { obligations, change } = ruling;
  const action = Object.keys(change).length === 0 ? call.action : { ...call.action, ...change };
  return { ...askedBy(tool, ruling), because: reasonsOf(tool, ruling), charges, obligations, action };
};

type Asking = { readonly effect: 'allow' | 'ask'; readonly terms?: ApprovalTerms };

/** Asks when one of them does, as the strictest of those that ask wants it. */
const askedBy = (
  ...all: readonly Asking[]
): { readonly effect: 'allow' } | { readonly effect: 'ask'; readonly terms: ApprovalTerms } => {
  const asking = all.filter(({ effect }) => effect === 'ask');
  if (asking.length === 0) return { effect: 'allow' };
  return { effect: 'ask', terms: strictestTerms(asking.map(({ terms }) => terms ?? compileTerms())) };
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

/**
 * Judges one access of a transfer to the real path of a file, by the rules alone: without any, its tool has decided. The
 * limits of the rules that grant it are owed before anything is done.
 */
export const decideFile = (
  { book }: Policy,
  { action, at }: Call<Transfer>,
  access: FileAccess,
  path: string,
): FileRuling => (book === undefined ? UNCONFINED : judgeFile(book.at(action.target), at, access, path));

/** The denial of one access by a rule that denies it, where nothing needs to grant it. */
export const barredFile = (
  { book }: Policy,
  { action, at }: Call<Transfer>,
  access: FileAccess,
  path: string,
): Denial | undefined => (book === undefined ? undefined : fileDenied(book.at(action.target), at, access, path));

/** Which of the rules about a place are in force: what was judged under the same of the same document is judged so still. */
export const forceOf = ({ book, digest }: Policy, target: Target, at: number): string => {
  if (book === undefined) return digest;
  const { grants, restraints } = book.at(target);
  return [digest, ...[...grants, ...restraints].map(rule => (rule.inForce(at) ? '1' : '0'))].join('');
};

const UNCONFINED: FileRuling = Object.freeze({
  effect: 'allow',
  because: becauseOf('(no rules)', 'There are no rules: the tool decides.'),
  granting: Object.freeze([]),
  asking: Object.freeze([]),
  obligations: Object.freeze({}),
});

/** The tools whose calls move bytes, as `args.size`. */
export const MOVERS: readonly string[] = ['ssh_upload', 'ssh_download'];

/** What conditions see of a call: of one that moves bytes how many, as far as that is known. */
const measured = (tool: string, input: Input): Input => {
  if (!MOVERS.includes(tool) || Object.hasOwn(input, 'size')) return input;
  return { ...input, size: typeof input.content === 'string' ? Buffer.byteLength(input.content) : 0 };
};

/** What limits see of a call when it is admitted: what a transfer moves is counted when it moves. */
const unmoved = (call: Call): Call =>
  call.action.kind === 'transfer' ? { ...call, input: { ...call.input, size: 0 } } : call;

/** What every limit takes. Limits that share a budget are charged once, for the most and against the least. */
export const chargesOf = (
  limits: readonly Limit[],
  call: Call,
  host: string | undefined,
): readonly Charge[] | Denial => {
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
