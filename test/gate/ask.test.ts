import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../src/audit/record.ts';
import type { Run } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import { Asking, type AskParts } from '../../src/gate/ask.ts';
import type { Channel, ClientAnswer, Question } from '../../src/gate/asking.ts';
import { Gate } from '../../src/gate/gate.ts';
import type { Request } from '../../src/gate/request.ts';
import type { Approvers } from '../../src/gate/voices.ts';
import { compile } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/decide.ts';
import type { Approval } from '../../src/state/approval.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { manualClock } from '../support/clock.ts';

const documentWith = (approval: object, more: object = {}): object => ({
  version: '1',
  default: 'allow',
  rules: [{ id: 'restart', effect: 'ask', commands: ['systemctl restart <name>'], approval }],
  ...more,
});
const compiled = (document: object): Policy => compile(JSON.stringify(document), 'policy.json');
const OPERATOR = documentWith({ by: 'operator' });
const CLIENT = documentWith({ by: 'client' });
const TARGET = { host: 'web-1', user: 'deploy', address: '10.0.0.5', port: 22, tags: [] };

/** A signature is good when it is the name of the signer and the text itself. */
const APPROVERS: Approvers = {
  verify: async (text, { signature }) => {
    const [name = '', signed] = signature.split('|');
    return signed === text ? { principal: name, key: `SHA256:${name}` } : 'It is forged.';
  },
};

/** A gate that asks; time passes only while something waits. */
const setUp = (document: object = OPERATOR, more: Partial<AskParts> = {}, operators = true) => {
  const clock = manualClock();
  const store = memoryStore(clock);
  const records: AuditRecord[] = [];
  const audit = {
    admit: async (record: AuditRecord) => void records.push(record),
    note: (record: AuditRecord) => void records.push(record),
    close: () => undefined,
  };
  const live = { policy: compiled(document), keys: ['SHA256:host'] };
  /** What a person does meanwhile, by the number of the look. */
  let meanwhile: (look: number) => Promise<void> | void = () => undefined;
  let looks = 0;
  const told: Question[] = [];
  const asking = new Asking({
    policy: () => live.policy,
    ...{ store, audit, clock, log: () => undefined },
    hostKeysOf: async () => live.keys,
    ...(operators ? { approvers: APPROVERS } : {}),
    notify: question => void told.push(question),
    limits: { perMinute: 5, waiting: 3 },
    pause: async ms => {
      clock.advance(ms);
      await meanwhile(++looks);
    },
    later: () => undefined,
    ...more,
  });
  const gate = new Gate({ policy: () => live.policy, ...{ store, audit, clock, log: () => undefined, asking } });
  const call = (run: Partial<Run> = {}, { input = {}, ...rest }: Partial<Request<Run, Run>> = {}): Promise<Run> =>
    gate.pass<Run, Run>({
      id: 'call-1',
      grant: 'local',
      tool: 'ssh_exec',
      input: { wait_ms: 0, ...input },
      action: () => ({
        kind: 'exec',
        target: TARGET,
        program: { text: 'systemctl restart nginx' },
        env: {},
        timeoutMs: 60_000,
        ...run,
      }),
      hostOf: () => 'web-1',
      run: async permit => permit.spend(),
      ...rest,
    });
  const approve = async (name: string, id: string, more: { at?: number; digest?: string; signature?: string } = {}) => {
    const approval = await store.approvals.look(id);
    const time = more.at ?? clock.wallMs();
    const text = JSON.stringify({
      approval: id,
      decision: 'approve',
      digest: more.digest ?? approval?.digest,
      note: '',
      time,
    });
    await store.approvals.say(id, {
      principal: name,
      key: `SHA256:${name}`,
      note: '',
      time,
      signature: more.signature ?? `${name}|${text}`,
    });
  };
  const only = async () => {
    const [one] = (await store.approvals.all()).filter(({ stance }) => stance === 'asked');
    if (one === undefined) throw new Error('nothing is asked');
    return one.id;
  };
  const events = () => records.map(({ event }) => event);
  return {
    clock,
    store,
    records,
    live,
    gate,
    call,
    approve,
    only,
    events,
    told,
    during: (act: typeof meanwhile): void => {
      meanwhile = act;
    },
  };
};

const failureOf = async (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    out => Promise.reject(new Error(`it ran: ${JSON.stringify(out)}`)),
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return error;
    },
  );
const codeOf = async (work: Promise<unknown>): Promise<string> => (await failureOf(work)).code;

/** A store that somebody writes to: once an id is given, every question that is asked has that one, and may be used. */
const givenAnId = (approvals: ReturnType<typeof memoryStore>['approvals']) => {
  let given: string | undefined;
  const store = {
    approvals: {
      ...approvals,
      ask: async (...of: Parameters<typeof approvals.ask>) => {
        const result = await approvals.ask(...of);
        if (result.kind !== 'asked' || given === undefined) return result;
        return { ...result, approval: { ...result.approval, id: given } };
      },
      use: async (...of: Parameters<typeof approvals.use>) => {
        const approval = given === undefined ? undefined : await approvals.look(given);
        if (approval === undefined) return await approvals.use(...of);
        return { kind: 'used', ticket: { id: 't' }, approval } as const;
      },
    },
  };
  const give = (id: string): void => {
    given = id;
  };
  return { store, give };
};

describe('by an operator', () => {
  test('a call that is asked about is told how to be answered, and runs nothing', async () => {
    const { call, records, told } = setUp();
    const { code, message, next, details } = await failureOf(call());
    expect({ code, message, next, details }).toEqual({
      code: 'APPROVAL_REQUIRED',
      message: 'The rule restart asks first. An operator has not answered yet (rule /rules/restart).',
      next: expect.stringMatching(
        /^Ask the operator to answer it \(sallyport approvals approve ap_.{22}\), then call again with exactly the same arguments\.$/,
      ),
      details: expect.objectContaining({
        rule: '/rules/restart',
        approval: { id: expect.stringMatching(/^ap_.{22}$/), expires_at: '2026-01-01T00:05:00.000Z' },
      }),
    });
    expect(records.map(({ event }) => event)).toEqual(['asked', 'refused']);
    expect(told.map(({ host, rule, expiresInMs }) => ({ host, rule, expiresInMs }))).toEqual([
      { host: 'web-1', rule: '/rules/restart', expiresInMs: 300_000 },
    ]);
  });

  test('the same call waits, runs once when somebody has signed, and its story is on record', async () => {
    const { call, only, approve, during, records, events } = setUp();
    const said: string[] = [];
    during(async look => (look === 3 ? await approve('alice', await only()) : undefined));
    const channel: Channel = { signal: new AbortController().signal, progress: text => void said.push(text) };
    expect(await call({}, { input: { wait_ms: 30_000 }, channel })).toMatchObject({
      program: { canonical: "'systemctl' 'restart' 'nginx'" },
    });
    expect(events().slice(0, 3)).toEqual(['asked', 'used', 'admitted']);
    expect(records[1]).toMatchObject({ by: [{ principal: 'alice', key: 'SHA256:alice' }], uses: 1, of: 1 });
    expect(said[0]).toMatch(/^waits for an operator's approval: sallyport approvals approve ap_.{22} \(5:00 left\)$/);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('an answer that comes between two calls is found by the second', async () => {
    const { call, only, approve } = setUp();
    await codeOf(call());
    await approve('alice', await only());
    expect(await call()).toMatchObject({ kind: 'exec' });
  });

  test('a call waits no longer than it may, and 45 seconds at the most', async () => {
    const { call, clock } = setUp();
    const begun = clock.monoMs();
    await codeOf(call({}, { input: { wait_ms: 2_000 } }));
    expect(clock.monoMs() - begun).toBe(2_000);
    await codeOf(call({}, { input: { wait_ms: 600_000 } }));
    expect(clock.monoMs() - begun).toBe(47_000);
  });

  test('a no ends the wait, and stands for the same call until the question would have expired', async () => {
    const { call, only, store, during, clock } = setUp();
    during(async () => void (await store.approvals.end(await only(), 'declined', 'not today')));
    const { code, message } = await failureOf(call({}, { input: { wait_ms: 30_000 } }));
    expect([code, message]).toEqual([
      'APPROVAL_DECLINED',
      'The rule restart asks first. Whoever was asked said no. not today (rule /rules/restart).',
    ]);
    during(() => undefined);
    expect(await codeOf(call())).toBe('APPROVAL_DECLINED');
    clock.advance(300_000);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a question that runs out while somebody waits is expired', async () => {
    const { call, events } = setUp(documentWith({ by: 'operator', expires: '10s' }));
    expect(await codeOf(call({}, { input: { wait_ms: 30_000 } }))).toBe('APPROVAL_EXPIRED');
    expect(events()).toEqual(['asked', 'expired', 'refused']);
  });

  test.each<{ title: string; more: Parameters<ReturnType<typeof setUp>['approve']>[2] }>([
    { title: 'forged', more: { signature: 'alice|yes' } },
    { title: 'over another digest', more: { digest: 'sha256:other' } },
    { title: 'from before', more: { at: Date.UTC(2026, 0, 1) - 601_000 } },
    { title: 'from the future', more: { at: Date.UTC(2026, 0, 1) + 60_000 } },
    { title: 'older than it may be when it is used', more: { at: Date.UTC(2026, 0, 1) - 301_000 } },
  ])('a signature that is $title is no yes, whatever the store says', async ({ more }) => {
    const { call, only, approve } = setUp();
    await codeOf(call());
    await approve('alice', await only(), more);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('an old signature is no yes, though the store says that it is good for a year', async () => {
    const { approvals } = memoryStore(manualClock());
    const lasting = <T extends Approval | undefined>(one: T): T =>
      one === undefined ? one : { ...one, expiresMs: 31_536_000_000, ttlMs: 31_536_000_000 };
    const store = { approvals: { ...approvals, look: async (id: string) => lasting(await approvals.look(id)) } };
    const { call, clock } = setUp(OPERATOR, { store });
    await codeOf(call());
    const [one] = await approvals.all();
    const time = clock.wallMs() - 86_400_000;
    const text = JSON.stringify({ approval: one?.id, decision: 'approve', digest: one?.digest, note: '', time });
    const signature = `alice|${text}`;
    await approvals.say(one?.id ?? '', { principal: 'alice', key: 'SHA256:alice', note: '', time, signature });
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a signature for one question is none for another', async () => {
    const { call, only, approve, store } = setUp();
    await codeOf(call());
    const first = await only();
    await approve('alice', first);
    const [voice] = (await store.approvals.look(first))?.voices ?? [];
    await call();
    await codeOf(call());
    if (voice !== undefined) await store.approvals.say(await only(), voice);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('two approvers are two people with two keys', async () => {
    const { call, only, approve } = setUp(documentWith({ by: 'operator', approvers: 2 }));
    await codeOf(call());
    const id = await only();
    await approve('alice', id);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    await approve('alice', id);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    await approve('bob', id);
    expect(await call()).toMatchObject({ kind: 'exec' });
  });

  test('a name that the store claims makes nobody two people', async () => {
    const { call, only, store, clock } = setUp(documentWith({ by: 'operator', approvers: 2 }));
    await codeOf(call());
    const id = await only();
    const digest = (await store.approvals.look(id))?.digest;
    const time = clock.wallMs();
    const signature = `alice|${JSON.stringify({ approval: id, decision: 'approve', digest, note: '', time })}`;
    await store.approvals.say(id, { principal: 'alice', key: 'SHA256:alice', note: '', time, signature });
    await store.approvals.say(id, { principal: 'bob', key: 'SHA256:bob', note: '', time, signature });
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a yes is good for as many uses as the policy says, each in its time', async () => {
    const { call, only, approve, clock } = setUp(documentWith({ by: 'operator', uses: 2, ttl: '1m' }));
    await codeOf(call());
    await approve('alice', await only());
    await call();
    await call();
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    await approve('alice', await only());
    clock.advance(60_000);
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a yes to one question is none for another that the store gives its id to', async () => {
    const { approvals } = memoryStore(manualClock());
    const { store, give } = givenAnId(approvals);
    const { call, clock } = setUp(OPERATOR, { store });
    await codeOf(call());
    const [harmless] = await approvals.all();
    const { id = '', digest } = harmless ?? {};
    const time = clock.wallMs();
    const signature = `alice|${JSON.stringify({ approval: id, decision: 'approve', digest, note: '', time })}`;
    await approvals.say(id, { principal: 'alice', key: 'SHA256:alice', note: '', time, signature });
    give(id);
    expect(await codeOf(call({ program: { text: 'systemctl restart sshd' } }))).toBe('APPROVAL_REQUIRED');
  });

  test('a yes that may be used again counts no longer once its signer does not', async () => {
    let revoked = false;
    const approvers: Approvers = {
      verify: async (text, voice) => (revoked ? 'The list has changed.' : await APPROVERS.verify(text, voice)),
    };
    const { call, only, approve } = setUp(documentWith({ by: 'operator', uses: 3 }), { approvers });
    await codeOf(call());
    await approve('alice', await only());
    await call();
    await call();
    revoked = true;
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a store that is put back after the use makes nothing run again in this process', async () => {
    let kept: Approval | undefined;
    const { approvals } = memoryStore(manualClock());
    const store = {
      approvals: {
        ...approvals,
        ask: async (...given: Parameters<typeof approvals.ask>) =>
          kept === undefined
            ? await approvals.ask(...given)
            : ({ kind: 'asked', approval: kept, leftMs: 1_000, fresh: false } as const),
        look: async (id: string) => (kept === undefined ? await approvals.look(id) : { ...kept, leftMs: 1_000 }),
        use: async (...given: Parameters<typeof approvals.use>) =>
          kept === undefined
            ? await approvals.use(...given)
            : ({ kind: 'used', ticket: { id: 't' }, approval: kept } as const),
      },
    };
    const { call, clock } = setUp(OPERATOR, { store });
    const refused = await failureOf(call());
    const id = String(Reflect.get(Object(refused.details.approval), 'id'));
    const time = clock.wallMs();
    const digest = (await approvals.look(id))?.digest;
    const signature = `alice|${JSON.stringify({ approval: id, decision: 'approve', digest, note: '', time })}`;
    await approvals.say(id, { principal: 'alice', key: 'SHA256:alice', note: '', time, signature });
    const before = await approvals.look(id);
    await call();
    kept = before;
    expect(await codeOf(call())).toBe('APPROVAL_EXPIRED');
  });
});

describe('what was asked for must still be so', () => {
  const answered = async (document: object = OPERATOR) => {
    const under = setUp(document);
    await codeOf(under.call());
    await under.approve('alice', await under.only());
    return under;
  };

  test.each<{ title: string; run?: Partial<Run>; more?: Partial<Request<Run, Run>> }>([
    { title: 'another host', run: { target: { ...TARGET, host: 'web-2' } } },
    { title: 'another address', run: { target: { ...TARGET, address: '10.0.0.6' } } },
    { title: 'another account', run: { target: { ...TARGET, user: 'root' } } },
    { title: 'another word', run: { program: { text: 'systemctl restart sshd' } } },
    { title: 'another timeout', run: { timeoutMs: 1 } },
    { title: 'another grant', more: { grant: 'ci' } },
    { title: 'another tool', more: { tool: 'ssh_session_send' } },
  ])('$title is asked about anew', async ({ run, more }) => {
    const { call } = await answered();
    expect(await codeOf(call(run, more))).toBe('APPROVAL_REQUIRED');
    expect(await call()).toMatchObject({ kind: 'exec' });
  });

  test('another host key is another question, and an unknown one none', async () => {
    const { call, live } = await answered();
    live.keys = ['SHA256:another'];
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
  });

  test('a host whose key nobody knows is not asked about', async () => {
    const { call, events } = setUp(OPERATOR, { hostKeysOf: async () => undefined });
    expect(await codeOf(call())).toBe('APPROVAL_UNAVAILABLE');
    expect(events()).toEqual(['refused']);
  });

  test('a reload kills what was approved, also when the old document comes back', async () => {
    const { call, live, gate, store } = await answered();
    const old = live.policy;
    live.policy = compiled({ ...OPERATOR, description: 'changed' });
    gate.rejudge();
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    live.policy = old;
    gate.rejudge();
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    expect((await store.approvals.all()).map(({ stance }) => stance)).toEqual(['withdrawn', 'withdrawn', 'asked']);
  });

  test('what was signed before a reload counts for nothing after it, though the store says that it stands', async () => {
    const { approvals } = memoryStore(manualClock());
    const store = { approvals: { ...approvals, endAll: async () => undefined, use: approvals.use } };
    const { call, clock, live, gate } = setUp(OPERATOR, { store });
    await codeOf(call());
    const [{ id, digest } = { id: '', digest: '' }] = await approvals.all();
    const yes = async (time: number) => {
      const signature = `alice|${JSON.stringify({ approval: id, decision: 'approve', digest, note: '', time })}`;
      await approvals.say(id, { principal: 'alice', key: 'SHA256:alice', note: '', time, signature });
    };
    await yes(clock.wallMs());
    clock.advance(1_000);
    const old = live.policy;
    for (const policy of [compiled({ ...OPERATOR, description: 'changed' }), old]) {
      live.policy = policy;
      gate.rejudge();
    }
    expect(await codeOf(call())).toBe('APPROVAL_REQUIRED');
    await yes(clock.wallMs());
    expect(await call()).toMatchObject({ kind: 'exec' });
  });

  test('a reload while somebody waits ends the wait', async () => {
    const { call, live, gate, during } = setUp();
    during(() => {
      live.policy = compiled({ ...OPERATOR, description: 'changed' });
      gate.rejudge();
    });
    expect(await codeOf(call({}, { input: { wait_ms: 30_000 } }))).toBe('APPROVAL_EXPIRED');
  });

  test('it is judged again when it is used: a time window that has closed meanwhile refuses', async () => {
    const rule = {
      id: 'restart',
      effect: 'ask',
      commands: ['systemctl restart <name>'],
      when: { not_after: '2026-01-01T00:00:01Z' },
    };
    const { call, approve, only, during } = setUp({ version: '1', default: 'allow', rules: [rule] });
    during(async look => (look === 5 ? await approve('alice', await only()) : undefined));
    expect(await codeOf(call({}, { input: { wait_ms: 30_000 } }))).toBe('POLICY_DENIED');
  });

  test('what runs by leave goes on when a changed policy asks for the same leave, and ends when it asks for more', async () => {
    for (const [approval, revoked] of [
      [{ by: 'operator', expires: '1m' }, 0],
      [{ by: 'operator', approvers: 2 }, 1],
    ] as const) {
      const { call, live, gate } = await answered();
      let ended = 0;
      await call(
        {},
        {
          run: async permit => {
            live.policy = compiled(documentWith(approval));
            ended = gate.rejudge();
            return permit.spend();
          },
        },
      );
      expect(ended).toBe(revoked);
    }
  });
});

describe('limits', () => {
  const limited = documentWith(
    { by: 'operator' },
    { tools: { ssh_exec: { limits: [{ counter: 'c', window: 'hour', max: 1, scope: 'grant' }] } } },
  );

  test('are reserved when it is asked, given back when it ends without a yes, and charged once', async () => {
    const { call, only, approve, store, gate } = setUp(limited);
    const used = async () => (await gate.account('local')).limits.map(one => one.used);
    await codeOf(call());
    expect(await used()).toEqual([1]);
    expect(await codeOf(call({ timeoutMs: 1 }))).toBe('RATE_LIMITED');
    await store.approvals.end(await only(), 'withdrawn');
    expect(await used()).toEqual([0]);
    await codeOf(call());
    await approve('alice', await only());
    await call();
    expect(await used()).toEqual([1]);
    expect(await codeOf(call())).toBe('RATE_LIMITED');
  });

  test('of asking hold: who asks and asks is told when it may again', async () => {
    const { call } = setUp();
    for (const timeoutMs of [1, 2, 3]) expect(await codeOf(call({ timeoutMs }))).toBe('APPROVAL_REQUIRED');
    const { code, details } = await failureOf(call({ timeoutMs: 4 }));
    expect([code, details.rule, details.retry_after_ms]).toEqual(['RATE_LIMITED', '(asking)', 300_000]);
    expect(await codeOf(call({ timeoutMs: 1 }))).toBe('APPROVAL_REQUIRED');
  });
});

describe('by the client', () => {
  const channelFor = (ask: (question: Question) => Promise<ClientAnswer> | ClientAnswer): Channel => ({
    signal: new AbortController().signal,
    progress: () => undefined,
    ask: async (question, _signal, shown) => {
      shown();
      return await ask(question);
    },
  });

  test('a yes lets it run once, and is recorded as the client’s', async () => {
    const { call, records } = setUp(CLIENT);
    const ids: string[] = [];
    const channel = channelFor(({ id, lines }) => {
      ids.push(id, lines[0] ?? '');
      return { kind: 'accepted' };
    });
    expect(await call({}, { channel })).toMatchObject({ kind: 'exec' });
    expect(records.slice(0, 5).map(({ event }) => event)).toEqual(['asked', 'shown', 'answered', 'used', 'admitted']);
    expect(records[3]).toMatchObject({ by: 'client' });
    await call({}, { channel });
    expect(ids[1]).toBe('host: web-1');
    expect(ids[2]).not.toBe(ids[0]);
  });

  test.each<{ answer: ClientAnswer; code: string; stance: string }>([
    { answer: { kind: 'declined' }, code: 'APPROVAL_DECLINED', stance: 'declined' },
    { answer: { kind: 'silent' }, code: 'APPROVAL_EXPIRED', stance: 'expired' },
    { answer: { kind: 'refused', why: 'It is forged.' }, code: 'APPROVAL_DECLINED', stance: 'withdrawn' },
    { answer: { kind: 'later' }, code: 'APPROVAL_REQUIRED', stance: 'asked' },
  ])('an answer $answer.kind runs nothing', async ({ answer, code, stance }) => {
    const { call, store } = setUp(CLIENT);
    expect(await codeOf(call({}, { channel: channelFor(() => answer) }))).toBe(code);
    expect((await store.approvals.all()).map(one => one.stance)).toEqual([stance]);
  });

  test('a client that cannot be asked leaves it to operators where there are some, and to nobody where there are none', async () => {
    const channel = channelFor(() => ({ kind: 'unable', why: 'It declares no elicitation.' }));
    const some = setUp(CLIENT);
    expect((await failureOf(some.call({}, { channel }))).message).toContain('It declares no elicitation (rule');
    await some.approve('alice', await some.only());
    expect(await some.call({}, { channel })).toMatchObject({ kind: 'exec' });
    const none = setUp(CLIENT, {}, false);
    expect(await codeOf(none.call({}, { channel }))).toBe('APPROVAL_UNAVAILABLE');
    expect((await none.store.approvals.all()).map(one => one.stance)).toEqual(['withdrawn']);
  });

  test('is not enough where an operator is asked for', async () => {
    const { call } = setUp(OPERATOR);
    expect(await codeOf(call({}, { channel: channelFor(() => ({ kind: 'accepted' })) }))).toBe('APPROVAL_REQUIRED');
  });

  test('a yes that may be used twice is none for another question that the store gives its id to', async () => {
    const { approvals } = memoryStore(manualClock());
    const { store, give } = givenAnId(approvals);
    const { call } = setUp(documentWith({ by: 'client', uses: 2 }), { store });
    await call({}, { channel: channelFor(() => ({ kind: 'accepted' })) });
    give((await approvals.all())[0]?.id ?? '');
    const other = { program: { text: 'systemctl restart sshd' } };
    expect(await codeOf(call(other, { channel: channelFor(() => ({ kind: 'later' })) }))).toBe('APPROVAL_REQUIRED');
  });

  test('two calls that are the same at the same time are one question, and one of them runs', async () => {
    const { call } = setUp(CLIENT);
    let asked = 0;
    const channel = channelFor(async () => {
      asked += 1;
      await new Promise(resolve => setImmediate(resolve));
      return { kind: 'accepted' };
    });
    const both = await Promise.allSettled([call({}, { channel }), call({}, { channel })]);
    expect([asked, both.filter(({ status }) => status === 'fulfilled').length]).toEqual([1, 1]);
  });

  test('a call that is cancelled withdraws its question', async () => {
    const { call, store } = setUp(CLIENT);
    const stop = new AbortController();
    const channel: Channel = {
      signal: stop.signal,
      progress: () => undefined,
      ask: async () => {
        stop.abort();
        return { kind: 'accepted' };
      },
    };
    expect(await codeOf(call({}, { channel }))).toBe('CANCELLED');
    expect((await store.approvals.all()).map(one => one.stance)).toEqual(['withdrawn']);
  });

  test('an asking that fails is no yes', async () => {
    const { call, store } = setUp(CLIENT);
    const channel = channelFor(() => Promise.reject(new Error('the line is gone')));
    await expect(call({}, { channel })).rejects.toThrow('the line is gone');
    expect((await store.approvals.all()).map(one => one.stance)).toEqual(['withdrawn']);
  });
});

test('what cannot be shown whole is not asked about', async () => {
  const { call, events } = setUp(documentWith({}, { rules: [{ id: 'any', effect: 'ask', commands: 'any' }] }));
  expect(await codeOf(call({ stdin: 'x'.repeat(10_000) }))).toBe('APPROVAL_UNAVAILABLE');
  expect(events()).toEqual(['refused']);
});

test('where nobody can be asked it is refused, nothing is kept, and the refusal says what would help', async () => {
  const { call, store } = setUp(OPERATOR, {}, false);
  const { code, next } = await failureOf(call());
  expect([code, next]).toEqual([
    'APPROVAL_UNAVAILABLE',
    expect.stringContaining('name approvers (approvals in config.json)'),
  ]);
  expect(await store.approvals.all()).toEqual([]);
});
