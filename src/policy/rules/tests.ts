import type { Target } from '../../call.ts';
import type { Problem } from '../../errors.ts';
import type { JsonSource } from '../../text/json-source.ts';
import { decideAsIfReal } from '../as-if-real.ts';
import type { Decision } from '../decision.ts';
import type { Policy } from '../policy.ts';
import type { ReadArguments } from '../tool-names.ts';
import { ungranted } from './ruling.ts';
import type { RawTest } from './schema.ts';
import { actionOf } from './test-action.ts';

/** What a test came to. */
export type Outcome = {
  readonly passed: boolean;
  readonly expect: RawTest['expect'];
  readonly decision: RawTest['expect'];
  readonly rule: string;
  readonly reason: string;
};

/** When a test happens that names no time: the noon of a Monday, UTC. */
const NOON = Date.parse('2026-01-05T12:00:00Z');
const HOST = 'web-1';

/** The call of a test. */
export type TestCall = Omit<RawTest, 'expect' | 'rule'>;

/** What every test of a document comes to, in its order; each is judged by itself, with every limit untouched. */
export const runTests = (tests: readonly RawTest[], policy: Policy, read?: ReadArguments): readonly Outcome[] =>
  tests.map(test => outcomeOf(test, policy, read));

/** The tests that fail, as problems of the document. */
export const failedTests = (
  { tests = [] }: { readonly tests?: readonly RawTest[] | undefined },
  policy: Policy,
  source: JsonSource,
  read?: ReadArguments,
): readonly Problem[] =>
  runTests(tests, policy, read).flatMap(({ passed, expect, decision, rule, reason }, index) => {
    if (passed) return [];
    const wanted = tests[index]?.rule;
    const by = wanted === undefined ? '' : ` by ${wanted}`;
    return [source.problem(['tests', index], `should be ${expect}${by}, and is ${decision} by ${rule}: ${reason}`)];
  });

const outcomeOf = (test: RawTest, policy: Policy, read: ReadArguments | undefined): Outcome => {
  const { expect } = test;
  const decision = decisionOn(test, policy, read);
  const [{ rule, reason }] = decision.because;
  const passed =
    decision.effect === expect && (test.rule === undefined || decision.because.some(each => each.rule === test.rule));
  return { passed, expect, decision: decision.effect, rule, reason };
};

const asWritten: ReadArguments = (_tool, args, host) => ({ host, ...args });

/** What a policy decides about the call that a test describes, with every limit untouched; `read` makes its arguments those of a call. */
export const decisionOn = (test: TestCall, policy: Policy, read: ReadArguments = asWritten): Decision => {
  const { tool, at, args = {} } = test;
  const target = targetOf(test);
  const input = read(tool, args, target.host);
  const action = actionOf(test, input, target);
  const time = at === undefined ? NOON : Date.parse(at);
  const call = { id: 'test', grant: 'local', tool, input, action, at: time };
  const decision = decideAsIfReal(policy, call, 'target' in action ? { host: action.target.host } : {});
  if (decision.effect === 'deny' || policy.book === undefined || tool !== UNBUILT) return decision;
  return ungranted(`This version of the server cannot do what the test asks of ${tool}, so no rule grants it.`);
};

/** What rules would have to grant, and cannot yet. */
const UNBUILT = 'ssh_get_monitoring_url';

const targetOf = ({ host, tags = [], user = '', args = {} }: TestCall): Target => {
  const name = host ?? (typeof args.host === 'string' ? args.host : HOST);
  return { host: name, user, address: name, port: 22, tags };
};
