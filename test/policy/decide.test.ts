import { expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { decide, judgeTool, limited, NO_POLICY, standing, visibility } from '../../src/policy/decide.ts';
import { TOOL_NAMES } from '../../src/policy/tool-names.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { callFor } from '../support/calls.ts';
import { manualClock } from '../support/clock.ts';

const policyOf = (document: object) =>
  compile(JSON.stringify({ version: '1', default: 'deny', ...document }), 'p.json');

/** The document of the server's page in the gateway's catalogue, as it stands there. */
const CATALOGUE = {
  tools: {
    ssh_session_end: {
      limits: [{ counter: 'ssh_session_end_rate', window: 'minute', max: 10, scope: 'grant' }],
    },
  },
};

test('a decision to allow carries its reason and every charge', () => {
  expect(decide(policyOf(CATALOGUE), callFor('ssh_session_end', { session_id: 's' }), {})).toEqual({
    effect: 'allow',
    because: [{ rule: '/tools/ssh_session_end', reason: 'The policy lists ssh_session_end.' }],
    charges: [
      {
        rule: '/tools/ssh_session_end/limits/ssh_session_end_rate',
        key: '[60000,"grant","ssh_session_end_rate","local"]',
        amount: 1,
        max: 10,
        span: { kind: 'window', windowMs: 60_000 },
        reason: 'The limit of 10 per minute for this grant is reached.',
      },
    ],
    obligations: {},
    action: { kind: 'stop', what: 'session', id: 's' },
  });
});

test('the eleventh call within a minute waits exactly as long as it is told', async () => {
  const clock = manualClock();
  const store = memoryStore(clock);
  const policy = policyOf(CATALOGUE);
  const charge = async () => {
    const decision = decide(policy, callFor('ssh_session_end', { session_id: 's' }), {});
    if (decision.effect !== 'allow') throw new Error('the policy allows it');
    return store.charge(decision.charges);
  };
  for (let call = 1; call <= 10; call += 1) expect((await charge()).ok).toBe(true);
  clock.advance(10_000);
  const eleventh = await charge();
  if (eleventh.ok || eleventh.retryAfterMs === undefined) throw new Error('the eleventh is refused, with a wait');
  const refusal = limited(eleventh.short, eleventh.retryAfterMs);
  expect(refusal).toEqual({
    effect: 'deny',
    code: 'RATE_LIMITED',
    because: [
      {
        rule: '/tools/ssh_session_end/limits/ssh_session_end_rate',
        reason: 'The limit of 10 per minute for this grant is reached.',
      },
    ],
    retryAfterMs: eleventh.retryAfterMs,
  });
  clock.advance(eleventh.retryAfterMs - 1);
  expect((await charge()).ok).toBe(false);
  clock.advance(1);
  expect((await charge()).ok).toBe(true);
});

test('a refusal without a wait says nothing of one', () => {
  const [charge] = standing(policyOf(CATALOGUE), 'local');
  if (charge === undefined) throw new Error('the limit of a grant stands');
  expect(Object.keys(limited(charge))).toEqual(['effect', 'code', 'because']);
});

test('a tool is judged alike before its action is known and after', () => {
  const policy = policyOf({ tools: { ssh_exec: { deny_if: [{ path: 'args.host', op: 'eq', value: 'db-1' }] } } });
  const input = { host: 'db-1', command: 'ls' };
  const refusal = judgeTool(policy, 'ssh_exec', input);
  expect(refusal).toMatchObject({ effect: 'deny', because: [{ rule: '/tools/ssh_exec/deny_if/args.host-eq' }] });
  expect(decide(policy, callFor('ssh_exec', input), {})).toEqual(refusal);
  expect(judgeTool(policy, 'ssh_exec', { host: 'web-1' })).toBeUndefined();
});

test('tools/list shows what is allowed, asked for or refused in so many words; it hides the hidden and the unlisted', () => {
  const tools = { ssh_exec: { action: 'deny' }, ssh_status: { approval: {} }, ssh_connect: {}, ssh_disconnect: {} };
  const shown = (document: object) => TOOL_NAMES.filter(name => visibility(policyOf(document), name));
  expect(shown({ tools, hide: ['ssh_disconnect'] })).toEqual(['ssh_exec', 'ssh_connect', 'ssh_status']);
  expect(shown({ tools, default: 'allow', hide: ['ssh_exec'] })).toEqual(
    TOOL_NAMES.filter(name => name !== 'ssh_exec'),
  );
  expect(shown({ tools, default: 'allow', hide: ['*'] })).toEqual([]);
  expect(TOOL_NAMES.filter(name => visibility(NO_POLICY, name))).toEqual(TOOL_NAMES);
});

test('without a document every tool is refused, and no digest is claimed', () => {
  expect(NO_POLICY.digest).toBe('(none)');
  for (const name of TOOL_NAMES) {
    expect(decide(NO_POLICY, callFor(name, { host: 'h' }), {})).toEqual({
      effect: 'deny',
      code: 'POLICY_DENIED',
      because: [
        {
          rule: '(no policy)',
          reason: 'There is no policy, so nothing is allowed; sallyport init writes a first one.',
        },
      ],
    });
  }
});

test('what is left of the standing limits can be asked for once each, whoever they are for', () => {
  const limit = (counter: string, scope: string) => ({ counter, window: 'minute', max: 5, scope });
  const policy = policyOf({
    all_tools: { limits: [limit('a', 'grant'), limit('b', 'host')] },
    tools: { ssh_exec: { limits: [limit('c', 'server')] }, ssh_status: { limits: [limit('d', 'session')] } },
  });
  expect(standing(policy, 'ci').map(({ rule, key }) => `${rule} ${key}`)).toEqual([
    '/all_tools/limits/a [60000,"grant","a","ci"]',
    '/tools/ssh_exec/limits/c [60000,"server","c",true]',
  ]);
  expect(standing(NO_POLICY, 'ci')).toEqual([]);
});

test('a policy and its answers are frozen all the way down', () => {
  const policy = policyOf({
    ...CATALOGUE,
    tools: { ...CATALOGUE.tools, ssh_exec: { action: 'deny', require: [{ path: 'args.a', op: 'exists' }] } },
  });
  const loose = (value: unknown, path: string): readonly string[] => {
    if (typeof value !== 'object' || value === null) return [];
    return [
      ...(Object.isFrozen(value) ? [] : [path]),
      ...Object.entries(value).flatMap(([key, member]) => loose(member, `${path}.${key}`)),
    ];
  };
  const parts = {
    policy,
    ...Object.fromEntries(TOOL_NAMES.map(name => [name, policy.rulesOf(name)])),
    none: NO_POLICY,
  };
  expect(Object.entries(parts).flatMap(([name, part]) => loose(part, name))).toEqual([]);
  expect(loose(judgeTool(policy, 'ssh_exec', {}), 'denial')).toEqual([]);
  expect(loose(NO_POLICY.rulesOf('ssh_exec'), 'none')).toEqual([]);
});

test('rules of one name have ids of their own, whatever others are called', () => {
  const limit = (counter: string, minutes: number) => ({ counter, window: `${minutes}m`, max: 5, scope: 'grant' });
  const rulesOf = (...counters: readonly string[]) => {
    const limits = counters.map((counter, index) => limit(counter, index + 1));
    return standing(policyOf({ tools: { ssh_exec: { limits } } }), 'local').map(({ rule }) => rule.slice(23));
  };
  expect(rulesOf('c', 'c', 'c')).toEqual(['c', 'c-2', 'c-3']);
  expect(rulesOf('c-2', 'c', 'c', 'c')).toEqual(['c-2', 'c', 'c-3', 'c-4']);
  expect(rulesOf('c', 'c', 'c-2')).toEqual(['c', 'c-2', 'c-2-2']);
});

test('limits that share a budget are charged once, for the most of them and against the least', () => {
  const budget = { counter: 'ms', window: 'hour', scope: 'grant' };
  const policy = policyOf({
    all_tools: { limits: [{ ...budget, max: 5 }] },
    tools: { ssh_exec: { limits: [{ ...budget, max: 9, increment_from: 'args.timeout_ms' }] } },
  });
  const answer = (timeout_ms: number) => decide(policy, callFor('ssh_exec', { host: 'h', timeout_ms }), {});
  const charge = { rule: '/all_tools/limits/ms', key: '[3600000,"grant","ms","local"]', max: 5 };
  expect(answer(3)).toMatchObject({ effect: 'allow', charges: [{ ...charge, amount: 3 }] });
  expect(answer(0)).toMatchObject({ effect: 'allow', charges: [{ ...charge, amount: 1 }] });
  expect(answer(6)).toEqual({
    effect: 'deny',
    code: 'POLICY_DENIED',
    because: [{ rule: '/all_tools/limits/ms', reason: 'The limit of 5 per hour for this grant is reached.' }],
  });
});

test('an argument that cannot be read refuses, even beside a condition that does not hold', () => {
  const conditions = [
    { path: 'args.b', op: 'exists' },
    { path: 'args.a', op: 'exists' },
  ];
  const input = {
    get a(): never {
      throw new Error('unreadable');
    },
  };
  for (const order of [conditions, conditions.toReversed()]) {
    const policy = policyOf({ tools: { ssh_exec: { deny_if: [{ conditions: order }] } } });
    expect(judgeTool(policy, 'ssh_exec', {})).toBeUndefined();
    expect(judgeTool(policy, 'ssh_exec', input)?.effect).toBe('deny');
  }
});
