import { expect, test } from 'vitest';
import type { Audit, AuditRecord, Outcome } from '../../src/audit/record.ts';
import type { Observe, Run } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import { Gate } from '../../src/gate/gate.ts';
import type { Permit } from '../../src/gate/permit.ts';
import type { Request } from '../../src/gate/request.ts';
import { compile } from '../../src/policy/compile.ts';
import { TOOL_NAMES } from '../../src/policy/tool-names.ts';
import { memoryStore } from '../../src/state/memory.ts';
import type { Store } from '../../src/state/store.ts';
import { manualClock } from '../support/clock.ts';

type Noted = AuditRecord & { readonly on: 'admit' | 'note' };

/** The record as a list, so that a test sees what was written, when, and can refuse to write. */
const listAudit = (refuse = false): Audit & { readonly lines: Noted[] } => {
  const lines: Noted[] = [];
  return {
    lines,
    admit: async record => {
      if (refuse) throw new Failure('AUDIT_UNAVAILABLE', 'The audit cannot be written.');
      lines.push({ ...record, on: 'admit' });
    },
    note: record => void lines.push({ ...record, on: 'note' }),
    close: () => undefined,
  };
};

const setUp = (
  document: unknown,
  parts: { audit?: ReturnType<typeof listAudit>; store?: (store: Store) => Store } = {},
) => {
  const policy = compile(JSON.stringify(document), 'policy.json', { tools: TOOL_NAMES });
  const clock = manualClock();
  const store = (parts.store ?? (one => one))(memoryStore(clock));
  const audit = parts.audit ?? listAudit();
  const gate = new Gate({ policy: () => policy, store, audit, clock, log: () => undefined });
  return { gate, audit, clock, store };
};

const ACTION: Observe = { kind: 'observe', what: 'status' };
const ask = <Out>(
  run: (permit: Permit<Observe>) => Promise<Out>,
  more: Partial<Request<Observe, Out>> = {},
): Request<Observe, Out> => ({
  id: 'call-1',
  grant: 'local',
  tool: 'ssh_status',
  input: {},
  action: () => ACTION,
  hostOf: () => undefined,
  run,
  ...more,
});

const failureOf = async (work: Promise<unknown>): Promise<{ code: string; details: unknown }> =>
  work.then(
    () => Promise.reject(new Error('it was let through')),
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return { code: error.code, details: error.details };
    },
  );

const events = (audit: { lines: readonly Noted[] }): readonly string[] => audit.lines.map(line => line.event);
/** The end is noted in a microtask after the answer. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const ALLOW = { version: '1', default: 'allow' };
const limited = (limit: object) => ({
  ...ALLOW,
  tools: { ssh_status: { limits: [{ counter: 'c', scope: 'grant', ...limit }] } },
});

test('what is allowed is admitted before it runs, runs with the action as judged, and its end is noted', async () => {
  const { gate, audit } = setUp(ALLOW);
  const seen: unknown[] = [];
  const out = await gate.pass(
    ask(async permit => {
      seen.push(events(audit), permit.spend());
      return 'done';
    }),
  );
  await settled();
  expect(out).toBe('done');
  expect(seen).toEqual([['admitted'], ACTION]);
  expect(audit.lines.map(({ event, on }) => [event, on])).toEqual([
    ['admitted', 'admit'],
    ['ended', 'note'],
  ]);
});

test('what runs is the action as the rules wrote it, and the record has both texts', async () => {
  const { gate, audit } = setUp({
    ...ALLOW,
    rules: [{ id: 'git', effect: 'allow', commands: ['git <with --no-pager> log [-<int>]'], timeout: '30s' }],
  });
  const target = { host: 'web', user: 'u', address: 'web.example', port: 22, tags: [] };
  const program = { text: 'git  log -5' };
  const action: Run = { kind: 'exec', target, program, env: {}, timeoutMs: 60_000 };
  const request: Request<Run, Run> = {
    id: 'call-1',
    grant: 'local',
    tool: 'ssh_exec',
    input: {},
    action: () => action,
    hostOf: () => 'web',
    run: async permit => permit.spend(),
  };
  const ran = await gate.pass(request);
  expect(ran).toEqual({ ...action, program: { canonical: "'git' '--no-pager' 'log' '-5'" }, timeoutMs: 30_000 });
  expect(audit.lines[0]).toMatchObject({
    event: 'admitted',
    because: [{ rule: '/rules/git', reason: 'The rule git allows it.' }],
    action: {
      kind: 'exec',
      host: 'web',
      user: 'u',
      address: 'web.example',
      port: 22,
      command: 'git  log -5',
      runs: "'git' '--no-pager' 'log' '-5'",
      timeout_ms: 30_000,
    },
  });
  const refused = await failureOf(gate.pass({ ...request, action: () => ({ ...action, program: { text: 'id' } }) }));
  expect(refused).toMatchObject({ code: 'POLICY_DENIED', details: { rule: '(no rule)' } });
  expect(audit.lines.at(-1)).toMatchObject({ event: 'refused', action: { command: 'id', timeout_ms: 60_000 } });
});

test('a denied call never names its action, never runs, and is noted once with the rule', async () => {
  const { gate, audit } = setUp({ version: '1', default: 'deny' });
  let touched = false;
  const touch = (): never => {
    touched = true;
    throw new Error('touched');
  };
  const failure = await failureOf(gate.pass(ask(touch, { action: touch })));
  expect(failure.code).toBe('POLICY_DENIED');
  expect(touched).toBe(false);
  expect(audit.lines).toEqual([
    expect.objectContaining({
      event: 'refused',
      code: 'POLICY_DENIED',
      because: [expect.objectContaining({ rule: '(default deny)' })],
    }),
  ]);
});

test('an action that cannot be named is refused with its own failure, and noted', async () => {
  const { gate, audit } = setUp(ALLOW);
  const action = (): never => {
    throw new Failure('UNKNOWN_HOST', 'There is no host "x".');
  };
  const failure = await failureOf(gate.pass(ask(async () => 'ran', { action })));
  expect(failure.code).toBe('UNKNOWN_HOST');
  expect(audit.lines).toEqual([expect.objectContaining({ event: 'refused', code: 'UNKNOWN_HOST' })]);
});

test('without a record there is no run, and what was charged is given back [G7]', async () => {
  const { gate, store } = setUp(limited({ window: 'hour', max: 1 }), { audit: listAudit(true) });
  let ran = 0;
  const run = async (): Promise<number> => {
    ran += 1;
    return ran;
  };
  expect((await failureOf(gate.pass(ask(run)))).code).toBe('AUDIT_UNAVAILABLE');
  expect((await failureOf(gate.pass(ask(run)))).code).toBe('AUDIT_UNAVAILABLE');
  expect(ran).toBe(0);
  store.close();
});

test('limits that cannot be counted deny', async () => {
  const broken = (store: Store): Store => ({
    ...store,
    charge: () => Promise.reject(new Failure('POLICY_UNAVAILABLE', 'The store is gone.')),
  });
  const { gate, audit } = setUp(limited({ window: 'minute', max: 5 }), { store: broken });
  expect((await failureOf(gate.pass(ask(async () => 'ran')))).code).toBe('POLICY_UNAVAILABLE');
  expect(events(audit)).toEqual(['refused']);
});

test('the call over the limit is refused with the exact wait, and waiting that long is enough', async () => {
  const { gate, clock } = setUp(limited({ window: 'minute', max: 2 }));
  const run = (): Promise<string> => gate.pass(ask(async () => 'ran'));
  await run();
  clock.advance(10_000);
  await run();
  const refused = await failureOf(run());
  expect(refused).toMatchObject({ code: 'RATE_LIMITED', details: { rule: '/tools/ssh_status/limits/c' } });
  const wait = retryAfter(refused.details);
  clock.advance(wait - 1);
  expect((await failureOf(run())).code).toBe('RATE_LIMITED');
  clock.advance(1);
  expect(await run()).toBe('ran');
});

const retryAfter = (details: unknown): number => {
  if (
    typeof details === 'object' &&
    details !== null &&
    'retry_after_ms' in details &&
    typeof details.retry_after_ms === 'number'
  )
    return details.retry_after_ms;
  throw new Error('no retry_after_ms');
};

test('a concurrent limit stays taken as long as what was permitted lives, not as long as the call', async () => {
  const { gate, audit } = setUp(limited({ concurrent: true, max: 1 }));
  let end: (outcome: Outcome) => void = () => undefined;
  const life = new Promise<Outcome>(resolve => {
    end = resolve;
  });
  const start = (): Promise<string> =>
    gate.pass(
      ask(async permit => {
        permit.livesUntil(life);
        return 'started';
      }),
    );
  expect(await start()).toBe('started');
  expect((await failureOf(start())).code).toBe('RATE_LIMITED');
  end({ how: 'exited', code: 0 });
  await settled();
  expect(await start()).toBe('started');
  expect(audit.lines.filter(line => line.event === 'ended')).toEqual([
    expect.objectContaining({ event: 'ended', end: { how: 'exited', code: 0 } }),
    expect.objectContaining({ event: 'ended', end: { how: 'exited', code: 0 } }),
  ]);
});

test.each([
  ['a failure of the table', new Failure('UNREACHABLE', 'No route.'), 'UNREACHABLE'],
  ['a defect', new Error('boom'), 'DEFECT'],
])('%s while running is noted as the end, and keeps its charge', async (_title, error, code) => {
  const { gate, audit } = setUp(limited({ window: 'hour', max: 1 }));
  await expect(gate.pass(ask(() => Promise.reject(error)))).rejects.toBe(error);
  await settled();
  expect(audit.lines.at(-1)).toMatchObject({ event: 'ended', end: { how: 'failed', code } });
  expect((await failureOf(gate.pass(ask(async () => 'ran')))).code).toBe('RATE_LIMITED');
});

test('a permit gives its action back once [G1]', async () => {
  const { gate } = setUp(ALLOW);
  const twice = gate.pass(
    ask(async permit => {
      permit.spend();
      return permit.spend();
    }),
  );
  await expect(twice).rejects.toThrow('a permit is good for one action');
});

test('what asks for approval is refused as long as nobody can answer', async () => {
  const { gate, audit } = setUp({ ...ALLOW, tools: { ssh_status: { action: 'require_approval' } } });
  expect((await failureOf(gate.pass(ask(async () => 'ran')))).code).toBe('APPROVAL_UNAVAILABLE');
  expect(events(audit)).toEqual(['refused']);
});
