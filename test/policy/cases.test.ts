import { expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { decide, limited, NO_POLICY, type Policy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { memoryStore } from '../../src/state/memory.ts';
import type { Store } from '../../src/state/store.ts';
import { callFor } from '../support/calls.ts';
import { CASE_START, type Case, type CaseCall, casesFor } from '../support/cases.ts';
import { manualClock } from '../support/clock.ts';

const CASES = casesFor('decide');

/** What the gate does with a decision: charge it, and let go at once of what does not stay. */
const settled = async (store: Store, decision: Decision, stays: boolean): Promise<Decision> => {
  if (decision.effect !== 'allow' || decision.charges.length === 0) return decision;
  const result = await store.charge(decision.charges);
  if (!result.ok) return limited(result.short, result.retryAfterMs);
  if (!stays) await store.release(result.ticket);
  return decision;
};

const auditOf = ({ tool }: CaseCall, decision: Decision): CaseCall['audit'] => {
  const [{ rule }] = decision.because;
  if (decision.effect === 'allow') return { event: 'admitted', tool, rule };
  if (decision.effect === 'ask') return { event: 'refused', tool, code: 'APPROVAL_UNAVAILABLE', rule };
  const code = decision.effect === 'deny' && decision.code === 'RATE_LIMITED' ? 'RATE_LIMITED' : 'POLICY_DENIED';
  return { event: 'refused', tool, code, rule };
};

const play = async (policy: Policy, calls: readonly CaseCall[]): Promise<void> => {
  const clock = manualClock({ wallMs: CASE_START });
  const store = memoryStore(clock);
  for (const [index, call] of calls.entries()) {
    clock.advance(call.at === undefined ? 0 : Date.parse(call.at) - clock.wallMs());
    const facts = { host: call.host ?? (typeof call.args.host === 'string' ? call.args.host : undefined) };
    const decided = decide(
      policy,
      callFor(call.tool, call.args, { ...facts, grant: call.grant, at: clock.wallMs() }),
      facts,
    );
    const decision = await settled(store, decided, call.stays === true);
    const label = `call ${index + 1}: ${call.tool}`;
    const denied = decision.effect === 'deny' ? decision : undefined;
    expect(
      {
        effect: decision.effect,
        code: denied?.code,
        rule: decision.because[0].rule,
        reason: call.expect.reason === undefined ? undefined : decision.because[0].reason,
        waits: denied?.retryAfterMs !== undefined,
      },
      label,
    ).toEqual({
      effect: call.expect.effect,
      code: call.expect.code,
      rule: call.expect.rule,
      reason: call.expect.reason,
      waits: call.expect.retry_after_ms !== undefined,
    });
    const [least, most] = call.expect.retry_after_ms ?? [0, 0];
    expect(denied?.retryAfterMs ?? 0, label).toBeGreaterThanOrEqual(least);
    expect(denied?.retryAfterMs ?? 0, label).toBeLessThanOrEqual(most);
    expect(auditOf(call, decision), label).toEqual(call.audit);
  }
};

const policyOf = ({ policy, name }: Case): Policy =>
  policy === null ? NO_POLICY : compile(JSON.stringify(policy), `${name}.json`);

test('there are golden cases', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(30);
});

test.each(CASES.map(each => [`${each.name}: ${each.about}`, each] as const))('%s', async (_title, each) => {
  await play(policyOf(each), each.calls);
});
