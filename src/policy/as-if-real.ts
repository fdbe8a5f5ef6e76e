import type { Call, Transfer } from '../call.ts';
import { chargesOf, decide, decideFile, type Facts, type Policy } from './decide.ts';
import type { Because, Decision } from './decision.ts';
import { needsOf, unasked } from './rules/transfer.ts';

/**
 * Judges a whole call as `decide` does, and a transfer as if its path were already the real one and all of its bytes (`args.size`, or
 * those of a text) moved at once: for who has no host to ask. `~` is then /home/USER, and /root of root.
 */
export const decideAsIfReal = (policy: Policy, call: Call, facts: Facts): Decision => {
  const decision = decide(policy, call, facts);
  const { action } = call;
  return decision.effect === 'deny' || action.kind !== 'transfer'
    ? decision
    : decideReal(policy, { ...call, action }, decision, facts);
};

type Granted = Exclude<Decision, { effect: 'deny' }>;

const decideReal = (policy: Policy, call: Call<Transfer>, decision: Granted, { host }: Facts): Decision => {
  const { action, tool } = call;
  const path = atHome(action);
  const ruling = decideFile(policy, call, needsOf(action)[0], path);
  if (ruling.effect === 'deny') return ruling;
  const agreed = new Set(decision.effect === 'ask' ? decision.because.map(({ rule }) => rule) : []);
  const denied = unasked(ruling.asking, action, path, agreed);
  if (denied !== undefined) return denied;
  const limits = [...policy.rulesOf(tool).limits, ...ruling.granting.flatMap(rule => rule.limits)];
  const charges = chargesOf(limits, { ...call, input: { ...call.input, size: sizeOf(call) } }, host);
  if ('effect' in charges) return charges;
  const because = policy.book === undefined ? decision.because : joined(decision, ruling.because);
  return { ...decision, because, charges, obligations: ruling.obligations };
};

/** What asks is named first. */
const joined = ({ effect, because: [first, ...rest] }: Granted, real: Because): Because => {
  if (effect !== 'ask') return real;
  const more = real.filter(({ rule }) => ![first, ...rest].some(other => other.rule === rule));
  return [first, ...rest, ...more];
};

const atHome = ({ remotePath, target: { user } }: Transfer): string =>
  remotePath.replace(/^~(?=\/|$)/, user === 'root' ? '/root' : `/home/${user}`);

const sizeOf = ({ input: { size, content } }: Call): number => {
  if (typeof size === 'number') return size;
  return typeof content === 'string' ? Buffer.byteLength(content) : 0;
};
