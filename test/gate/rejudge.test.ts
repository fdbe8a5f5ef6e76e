import { expect, test } from 'vitest';
import type { Audit, AuditRecord, Outcome } from '../../src/audit/record.ts';
import type { Action, Run } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import { Gate } from '../../src/gate/gate.ts';
import type { Permit } from '../../src/gate/permit.ts';
import type { Request } from '../../src/gate/request.ts';
import { compile } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/decide.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { manualClock } from '../support/clock.ts';

const document = (text: object): Policy => compile(JSON.stringify(text), 'policy.json');
const rules = (...all: object[]): Policy => document({ version: '1', default: 'allow', rules: all });
const allow = (id: string, command: string, more = {}) => ({ id, effect: 'allow', commands: [command], ...more });

const UPTIME = rules(allow('look', 'uptime'));
const NOTHING = rules(allow('other', 'df'));
const ANY = rules({ id: 'any', effect: 'allow', commands: 'any' });

type Life = { readonly permit: Permit<Action>; readonly end: (outcome: Outcome) => void };

const setUp = (first: Policy) => {
  let policy = first;
  let candidate: Policy | undefined;
  const clock = manualClock();
  const store = memoryStore(clock);
  const lines: AuditRecord[] = [];
  const logged: string[] = [];
  let admitting: () => void = () => undefined;
  const audit: Audit = {
    admit: async record => {
      lines.push(record);
      admitting();
    },
    note: record => void lines.push(record),
    close: () => undefined,
  };
  const gate = new Gate({
    policy: () => policy,
    candidate: () => candidate,
    store,
    audit,
    clock,
    log: (level, message) => void logged.push(`${level} ${message}`),
  });
  const request = <A extends Action, Out>(
    action: A,
    run: (permit: Permit<A>) => Promise<Out>,
    tool = 'ssh_exec',
  ): Request<A, Out> => ({
    ...{ id: 'call-1', grant: 'local', tool, input: {}, action: () => action, run },
    hostOf: () => 'web',
  });
  /** Runs something that goes on after its call. */
  const begin = async (action: Action = RUN, tool = 'ssh_exec'): Promise<Life> => {
    let end: Life['end'] = () => undefined;
    const life = new Promise<Outcome>(resolve => {
      end = resolve;
    });
    const permit = await gate.pass(
      request(
        action,
        async permit => {
          permit.livesUntil(life);
          return permit;
        },
        tool,
      ),
    );
    return { permit, end };
  };
  return {
    gate,
    clock,
    lines,
    logged,
    request,
    begin,
    store,
    swap: (next: Policy): number => {
      policy = next;
      return gate.rejudge();
    },
    beside: (next: Policy) => {
      candidate = next;
    },
    whenAdmitted: (act: () => void) => {
      admitting = act;
    },
  };
};

const TARGET = { host: 'web', user: 'u', address: 'web.example', port: 22, tags: [] };
const RUN: Run = { kind: 'exec', target: TARGET, program: { text: 'uptime' }, env: {}, timeoutMs: 60_000 };
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const refused = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'let through',
    (error: unknown) => (error instanceof Failure ? { code: error.code, ...error.details } : error),
  );

test('what a changed policy would refuse is revoked, and its end names the rule and the policy', async () => {
  const { swap, begin, lines } = setUp(UPTIME);
  const { permit, end } = await begin();
  expect(swap(NOTHING)).toBe(1);
  expect(permit.revoked.aborted).toBe(true);
  end({ how: 'revoked', stop: { outcome: 'confirmed' } });
  await settled();
  expect(lines.at(-1)).toEqual({
    event: 'ended',
    call_id: 'call-1',
    grant: 'local',
    tool: 'ssh_exec',
    end: { how: 'revoked', stop: { outcome: 'confirmed' } },
    because: [{ rule: '(no rule)', reason: expect.stringContaining('uptime') }],
    policy: NOTHING.digest,
  });
});

const NEXT: readonly { readonly title: string; readonly next: Policy; readonly revoked: number }[] = [
  { title: 'grants it by another rule', next: ANY, revoked: 0 },
  { title: 'grants it by the same rule', next: UPTIME, revoked: 0 },
  { title: 'denies it by a rule', next: rules(allow('look', 'uptime'), { id: 'no', effect: 'deny' }), revoked: 1 },
  { title: 'would ask', next: rules({ id: 'look', effect: 'ask', commands: ['uptime'] }), revoked: 1 },
  { title: 'no longer lists the tool', next: document({ version: '1', default: 'deny' }), revoked: 1 },
  { title: 'is for another host', next: rules(allow('look', 'uptime', { hosts: ['db'] })), revoked: 1 },
  {
    title: 'grants it until yesterday',
    next: rules(allow('look', 'uptime', { when: { not_after: '2025-12-31T00:00:00Z' } })),
    revoked: 1,
  },
  {
    title: 'has a limit that is used up',
    next: rules(allow('look', 'uptime', { limits: [{ counter: 'c', window: 'hour', max: 1, scope: 'grant' }] })),
    revoked: 0,
  },
];

test.each(NEXT)('a policy that $title revokes $revoked', async ({ next, revoked }) => {
  const { swap, begin } = setUp(UPTIME);
  const { permit } = await begin();
  expect(swap(next)).toBe(revoked);
  expect(permit.revoked.aborted).toBe(revoked === 1);
});

test('judging again is as if it were asked now, and takes from no limit', async () => {
  const windowed = (id: string): Policy =>
    rules(
      allow(id, 'uptime', {
        when: { not_after: '2026-01-01T01:00:00Z' },
        limits: [{ counter: 'c', window: 'hour', max: 2, scope: 'grant' }],
      }),
    );
  const { swap, begin, clock, gate } = setUp(windowed('one'));
  const { permit } = await begin();
  clock.advance(59 * 60_000);
  expect(swap(windowed('two'))).toBe(0);
  expect((await gate.account('local')).limits).toEqual([{ rule: '/rules/two/limits/c', used: 1, max: 2 }]);
  clock.advance(2 * 60_000);
  expect(swap(windowed('three'))).toBe(1);
  expect(permit.revoked.aborted).toBe(true);
});

test('what has ended is not judged again, and what was revoked stays so', async () => {
  const { swap, begin, lines } = setUp(UPTIME);
  const first = await begin();
  first.end({ how: 'exited', code: 0 });
  await settled();
  const second = await begin();
  expect([swap(NOTHING), swap(UPTIME), swap(NOTHING)]).toEqual([1, 0, 0]);
  expect([first.permit.revoked.aborted, second.permit.revoked.aborted]).toEqual([false, true]);
  second.end({ how: 'exited', code: 0 });
  await settled();
  expect(lines.at(-1)).toEqual(expect.not.objectContaining({ because: expect.anything() }));
});

test('a call that is revoked while it waits for the record never runs, and gets its charge back', async () => {
  const limit = { counter: 'c', window: 'hour', max: 1, scope: 'grant' };
  const once = rules(allow('look', 'uptime', { limits: [limit] }));
  const { swap, gate, request, whenAdmitted, lines } = setUp(once);
  let ran = false;
  whenAdmitted(() => swap(NOTHING));
  const call = request(RUN, async () => {
    ran = true;
  });
  expect(await refused(gate.pass(call))).toMatchObject({
    code: 'POLICY_DENIED',
    rule: '(no rule)',
    policy: NOTHING.digest,
  });
  expect(ran).toBe(false);
  expect(lines.map(({ event }) => event)).toEqual(['admitted', 'ended']);
  expect(lines.at(-1)).toMatchObject({ end: { how: 'revoked' }, policy: NOTHING.digest });
  whenAdmitted(() => undefined);
  swap(once);
  expect(await gate.pass(call)).toBeUndefined();
});

test('a call that gives up before anything was sent is refused by the rule that revoked it', async () => {
  const { swap, gate, request, lines } = setUp(UPTIME);
  const dialling = request(
    RUN,
    permit =>
      new Promise((_resolve, reject) => {
        permit.revoked.addEventListener('abort', () => reject(new Failure('CANCELLED', 'Nothing was sent.')));
        queueMicrotask(() => swap(NOTHING));
      }),
  );
  expect(await refused(gate.pass(dialling))).toMatchObject({ code: 'POLICY_DENIED', rule: '(no rule)' });
  await settled();
  expect(lines.at(-1)).toMatchObject({
    event: 'ended',
    end: { how: 'revoked' },
    because: [{ rule: '(no rule)', reason: expect.any(String) }],
  });
});

test('a look that is no longer allowed when its answer comes is not answered', async () => {
  const { swap, gate, request, lines } = setUp(UPTIME);
  const look = request(
    { kind: 'observe', what: 'status' },
    async () => {
      swap(document({ version: '1', default: 'deny' }));
      return 'secret';
    },
    'ssh_status',
  );
  expect(await refused(gate.pass(look))).toMatchObject({ code: 'POLICY_DENIED', rule: '(default deny)' });
  await settled();
  expect(lines.at(-1)).toMatchObject({ event: 'ended', end: { how: 'revoked' } });
});

test('a failure that had nothing to do with it stays what it was', async () => {
  const { swap, gate, request, lines } = setUp(UPTIME);
  const lost = request(RUN, async () => {
    swap(NOTHING);
    throw new Failure('CONNECTION_LOST', 'It may have run.');
  });
  expect(await refused(gate.pass(lost))).toMatchObject({ code: 'CONNECTION_LOST' });
  await settled();
  expect(lines.at(-1)).toMatchObject({ end: { how: 'failed', code: 'CONNECTION_LOST' } });
});

test('a session is judged by whether anything may run there', async () => {
  const { swap, begin } = setUp(UPTIME);
  const { permit } = await begin({ kind: 'open', mode: 'managed', target: TARGET }, 'ssh_session_start');
  expect([swap(NOTHING), permit.revoked.aborted]).toEqual([0, false]);
  expect([swap(rules(allow('look', 'uptime', { hosts: ['db'] }))), permit.revoked.aborted]).toEqual([1, true]);
});

test('a candidate is compared on the same facts, recorded where it differs, and never obeyed', async () => {
  const { gate, request, beside, lines, logged } = setUp(UPTIME);
  const run = (text: string) => gate.pass(request({ ...RUN, program: { text } }, async () => 'ran'));
  beside(NOTHING);
  expect(await run('uptime')).toBe('ran');
  expect(await refused(run('df'))).toMatchObject({ code: 'POLICY_DENIED' });
  expect(await refused(run('id'))).toMatchObject({ code: 'POLICY_DENIED' });
  await settled();
  expect(lines.filter(({ event }) => event === 'shadow')).toEqual([
    {
      event: 'shadow',
      call_id: 'call-1',
      grant: 'local',
      tool: 'ssh_exec',
      live: { decision: 'allow', rule: '/rules/look', reason: 'The rule look allows it.', policy: UPTIME.digest },
      candidate: {
        decision: 'deny',
        rule: '(no rule)',
        reason: expect.stringContaining('uptime'),
        policy: NOTHING.digest,
      },
    },
    expect.objectContaining({
      live: expect.objectContaining({ decision: 'deny', rule: '(no rule)' }),
      candidate: expect.objectContaining({ decision: 'allow', rule: '/rules/other' }),
    }),
  ]);
  expect(logged).toEqual([
    'warn the candidate answers deny instead of allow',
    'warn the candidate answers allow instead of deny',
  ]);
});

test('a candidate counts nothing, and a full limit of the live policy is no difference', async () => {
  const limit = { counter: 'c', window: 'hour', max: 1, scope: 'grant' };
  const once = rules(allow('look', 'uptime', { limits: [limit] }));
  const { gate, request, beside, lines } = setUp(once);
  beside(once);
  const call = request(RUN, async () => 'ran');
  expect(await gate.pass(call)).toBe('ran');
  expect(await refused(gate.pass(call))).toMatchObject({ code: 'RATE_LIMITED' });
  expect(lines.filter(({ event }) => event === 'shadow')).toEqual([]);
  expect((await gate.account('local')).limits).toMatchObject([{ used: 1 }]);
});

test('a tool that only the candidate allows is compared, though its action was never named', async () => {
  const { gate, request, beside, lines } = setUp(document({ version: '1', default: 'deny' }));
  beside(UPTIME);
  await refused(gate.pass(request(RUN, async () => 'ran')));
  const unknown = {
    ...request(RUN, async () => 'ran'),
    action: () => {
      throw new Failure('UNKNOWN_HOST', 'There is no such host.');
    },
  };
  expect(await refused(gate.pass(unknown))).toMatchObject({ code: 'POLICY_DENIED', rule: '(default deny)' });
  expect(lines.map(({ event }) => event)).toEqual(['shadow', 'refused', 'refused']);
});
