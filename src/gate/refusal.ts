import { Failure } from '../errors.ts';
import type { Decision, Denial } from '../policy/decision.ts';

type Granted = Exclude<Decision, Denial>;

/** What asks for somebody's leave is refused as long as nobody can give it. */
export const unanswerable = (decision: Granted): Denial => ({
  effect: 'deny',
  code: 'APPROVAL_UNAVAILABLE',
  because: decision.because,
});

/** What cannot be counted is refused. */
export const uncountable = (decision: Pick<Granted, 'charges'>, error: unknown): Denial => ({
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
    ...(denial.next === undefined ? {} : { next: denial.next }),
    details: {
      rule: first.rule,
      reason: first.reason,
      decision: 'deny',
      policy,
      ...(wait === undefined ? {} : { retry_after_ms: Math.ceil(wait) }),
      ...(denial.approval === undefined ? {} : { approval: denial.approval }),
    },
  });
};
