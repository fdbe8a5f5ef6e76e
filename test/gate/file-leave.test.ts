import { expect, test } from 'vitest';
import type { Audit, AuditRecord } from '../../src/audit/record.ts';
import type { Input, Transfer } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import type { FileLeave } from '../../src/gate/file-leave.ts';
import { Gate } from '../../src/gate/gate.ts';
import { compile } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/decide.ts';
import { memoryStore } from '../../src/state/memory.ts';
import type { Store } from '../../src/state/store.ts';
import { manualClock } from '../support/clock.ts';

const document = (text: object): Policy =>
  compile(JSON.stringify({ version: '1', default: 'allow', ...text }), 'p.json');
const files = (id: string, paths: readonly string[], more: object = {}) => ({
  ...{ id, effect: 'allow', actions: ['read', 'write', 'list'], paths },
  ...more,
});
const APP = files('app', ['/srv/app/**']);
const byBytes = (max: number) => ({
  counter: 'bytes',
  window: 'hour',
  max,
  scope: 'grant',
  increment_from: 'args.size',
});
const perHour = (counter: string, max: number) => ({ counter, window: 'hour', max, scope: 'grant' });

const TARGET = { host: 'web', user: 'u', address: 'web.example', port: 22, tags: [] };
const DOWN: Transfer = {
  ...{ kind: 'transfer', direction: 'download', target: TARGET, remotePath: '/srv/app/x' },
  ...{ localPath: 'x', resume: false },
};
const TREE: Transfer = {
  ...{ kind: 'transfer', direction: 'download', target: TARGET, remotePath: '/srv/app', localPath: 'app' },
  ...{ tree: { links: 'skip', deleteExtra: false }, resume: false },
};

const setUp = (first: Policy, over: (store: Store) => Store = store => store) => {
  let policy = first;
  const clock = manualClock();
  const store = over(memoryStore(clock));
  const lines: AuditRecord[] = [];
  const audit: Audit = {
    admit: async record => void lines.push(record),
    note: record => void lines.push(record),
    close: () => undefined,
  };
  const gate = new Gate({ policy: () => policy, store, audit, clock, log: () => undefined });
  const transfer = async <Out>(
    work: (leave: FileLeave, revoked: AbortSignal) => Promise<Out>,
    { action = DOWN, input = {} }: { action?: Transfer; input?: Input } = {},
  ): Promise<Out> =>
    await gate.pass<Transfer, Out>({
      ...{ id: 'call-1', grant: 'local', tool: action.direction === 'upload' ? 'ssh_upload' : 'ssh_download', input },
      ...{ action: () => action, hostOf: () => 'web', run: permit => work(permit.files, permit.revoked) },
    });
  const used = async () => (await gate.account('local')).limits.map(({ rule, used }) => `${rule} ${used}`);
  return {
    ...{ gate, clock, lines, transfer, used },
    swap: (next: Policy): number => {
      policy = next;
      return gate.rejudge();
    },
  };
};

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const told = (failure: Failure | undefined): string =>
  failure === undefined ? 'granted' : `${failure.code} ${String(failure.details.rule)}`;
const paid = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'paid',
    (error: unknown) => (error instanceof Failure ? told(error) : String(error)),
  );

test('without rules its tool alone decides about files, and nothing is counted', async () => {
  const noStore = (store: Store): Store => ({ ...store, charge: () => Promise.reject(new Error('asked')) });
  const { transfer } = setUp(document({}), noStore);
  const said = await transfer(async leave => [
    told(leave.refusal('read', '/etc/shadow')),
    told(leave.barred('write', '/etc/shadow')),
    await paid(leave.charge(1e12)),
  ]);
  expect(said).toEqual(['granted', 'granted', 'paid']);
});

test('a real path is granted or refused by itself, and a refusal is recorded with the rule and the path [G17]', async () => {
  const secret = { id: 'secret', effect: 'deny', actions: ['read'], paths: ['/**/*.key'], reason: 'Keys stay.' };
  const policy = document({ rules: [APP, secret] });
  const { transfer, lines } = setUp(policy);
  const said = await transfer(async leave => [
    told(leave.refusal('read', '/srv/app/x')),
    told(leave.refusal('read', '/etc/shadow')),
    told(leave.refusal('read', '/srv/app/a.key')),
    told(leave.refusal('delete', '/srv/app/x')),
    told(leave.barred('read', '/srv/app/a.key')),
    told(leave.barred('read', '/tmp/.x.part')),
  ]);
  await settled();
  expect(said).toEqual([
    ...['granted', 'POLICY_DENIED (no rule)', 'POLICY_DENIED /rules/secret', 'POLICY_DENIED (no rule)'],
    ...['POLICY_DENIED /rules/secret', 'granted'],
  ]);
  expect(lines.map(({ event }) => event)).toEqual(['admitted', ...Array(4).fill('refused'), 'ended']);
  expect(lines[1]).toEqual({
    ...{ event: 'refused', call_id: 'call-1', grant: 'local', tool: 'ssh_download', code: 'POLICY_DENIED' },
    because: [{ rule: '(no rule)', reason: 'No rule lets "/etc/shadow" be read.' }],
    ...{
      action: { kind: 'transfer', host: 'web', user: 'u', access: 'read', path: '/etc/shadow' },
      policy: policy.digest,
    },
  });
  expect(lines.at(-1)).toMatchObject({ event: 'ended', refused: 4, end: { how: 'done' } });
});

test('of many refusals in one tree the first hundred are recorded, and all are counted', async () => {
  const { transfer, lines } = setUp(document({ rules: [APP] }));
  await transfer(
    async leave => {
      for (let n = 0; n < 250; n += 1) leave.refusal('read', `/etc/${n}`);
    },
    { action: TREE },
  );
  await settled();
  expect(lines.filter(({ event }) => event === 'refused')).toHaveLength(100);
  expect(lines.at(-1)).toMatchObject({ event: 'ended', refused: 250 });
});

test('a limit of a rule is taken once by a call, when the rule first grants something, and refuses the next call', async () => {
  const { transfer, used } = setUp(document({ rules: [files('app', ['/srv/app/**'], { limits: [perHour('c', 1)] })] }));
  const copy = () =>
    transfer(async leave => {
      const before = await used();
      const said = [];
      for (const name of ['a', 'b'])
        said.push(told(leave.refusal('read', `/srv/app/${name}`)), await paid(leave.charge(5)));
      return { before, said };
    });
  expect(await copy()).toEqual({ before: ['/rules/app/limits/c 0'], said: ['granted', 'paid', 'granted', 'paid'] });
  expect(await used()).toEqual(['/rules/app/limits/c 1']);
  expect((await copy()).said[1]).toBe('RATE_LIMITED /rules/app/limits/c');
});

test('bytes are taken from every limit that adds up args.size before they move, and a step that has no room takes nothing [G17]', async () => {
  const rules = [files('app', ['/srv/app/**'], { limits: [{ ...byBytes(150), counter: 'of-app' }] })];
  const { transfer, used, clock } = setUp(document({ tools: { ssh_download: { limits: [byBytes(1000)] } }, rules }));
  await transfer(async leave => {
    leave.refusal('read', '/srv/app/x');
    expect(await paid(leave.charge(100))).toBe('paid');
    const failure = await leave.charge(60).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'RATE_LIMITED',
      details: { rule: '/rules/app/limits/of-app', retry_after_ms: 3_600_000 },
    });
    expect(await used()).toEqual(['/tools/ssh_download/limits/bytes 100', '/rules/app/limits/of-app 100']);
    clock.advance(3_600_000);
    expect(await paid(leave.charge(60))).toBe('paid');
    expect(await paid(leave.charge(151))).toBe('POLICY_DENIED /rules/app/limits/of-app');
  });
});

test('a rule that only lists pays for no bytes, and one that has granted a file pays for all that follow', async () => {
  const limits = (counter: string) => ({ limits: [{ ...byBytes(1000), counter }] });
  const { transfer, used } = setUp(
    document({
      rules: [
        { ...files('names', ['/**'], limits('names')), actions: ['list'] },
        files('a', ['/srv/app/a/**'], limits('a')),
        files('b', ['/srv/app/b/**'], limits('b')),
      ],
    }),
  );
  await transfer(
    async leave => {
      leave.refusal('list', '/srv/app/a');
      leave.refusal('read', '/srv/app/a/1');
      await leave.charge(10);
      leave.refusal('read', '/srv/app/b/1');
      await leave.charge(5);
    },
    { action: TREE },
  );
  expect(await used()).toEqual(['/rules/names/limits/names 0', '/rules/a/limits/a 15', '/rules/b/limits/b 5']);
});

test('a budget that tool and rule share is taken from once, for the most and against the least', async () => {
  const { transfer, used } = setUp(
    document({
      tools: { ssh_download: { limits: [perHour('c', 5), byBytes(100)] } },
      rules: [files('app', ['/srv/app/**'], { limits: [perHour('c', 2), byBytes(60)] })],
    }),
  );
  const copy = (bytes: number) =>
    transfer(async leave => [told(leave.refusal('read', '/srv/app/x')), await paid(leave.charge(bytes))]);
  expect(await copy(40)).toEqual(['granted', 'paid']);
  expect(await copy(30)).toEqual(['granted', 'RATE_LIMITED /rules/app/limits/bytes']);
  expect(await copy(1)).toEqual(['granted', 'RATE_LIMITED /rules/app/limits/c']);
  expect(await used()).toEqual([
    ...['/tools/ssh_download/limits/c 3', '/tools/ssh_download/limits/bytes 40'],
    ...['/rules/app/limits/c 3', '/rules/app/limits/bytes 40'],
  ]);
});

test('a rule without room lets no bytes be taken either, also when others had room', async () => {
  const { transfer, used } = setUp(
    document({
      tools: { ssh_download: { limits: [byBytes(100)] } },
      rules: [files('app', ['/srv/app/**'], { limits: [perHour('c', 0)] })],
    }),
  );
  await transfer(async leave => {
    leave.refusal('read', '/srv/app/x');
    expect(await paid(leave.charge(10))).toBe('POLICY_DENIED /rules/app/limits/c');
  });
  expect(await used()).toEqual(['/tools/ssh_download/limits/bytes 0', '/rules/app/limits/c 0']);
});

test('a concurrent limit of a rule stays taken until the call has ended', async () => {
  const one = { counter: 'c', concurrent: true, max: 1, scope: 'grant' };
  const { transfer } = setUp(document({ rules: [files('app', ['/srv/app/**'], { limits: [one] })] }));
  const copy = (inner: () => Promise<string>) =>
    transfer(async leave => {
      leave.refusal('read', '/srv/app/x');
      return [await paid(leave.charge(1)), await inner()].join(', ');
    });
  expect(await copy(() => copy(async () => 'inner'))).toBe('paid, RATE_LIMITED /rules/app/limits/c, inner');
  await settled();
  expect(await copy(async () => 'alone')).toBe('paid, alone');
});

test('conditions on args.size judge a text before anything is asked of a host, and all else by the bytes that move', async () => {
  const small = [{ path: 'args.size', op: 'lte', value: 100, on_deny: 'At most 100 bytes.' }];
  const { transfer } = setUp(document({ tools: { ssh_upload: { require: small }, ssh_download: { require: small } } }));
  expect(await paid(transfer(async () => 'ran', { action: UP, input: { content: 'é'.repeat(51) } }))).toBe(
    'POLICY_DENIED /tools/ssh_upload/require/args.size-lte',
  );
  await transfer(async leave => expect(await paid(leave.charge(100))).toBe('paid'), {
    ...{ action: UP, input: { content: 'é'.repeat(50) } },
  });
  await transfer(async leave => {
    expect(await paid(leave.charge(100))).toBe('paid');
    expect(await paid(leave.charge(1))).toBe('POLICY_DENIED /tools/ssh_download/require/args.size-lte');
  });
});

const UP: Transfer = {
  ...{ kind: 'transfer', direction: 'upload', target: TARGET, remotePath: '/srv/app/x' },
  ...{ from: { content: 'text' }, resume: true },
};

test('a window that closes refuses the next file, and the next bytes of one under way', async () => {
  const end = '2026-01-01T00:00:10Z';
  const other = { ...files('no', ['/srv/app/y']), effect: 'deny', when: { not_before: '2026-01-01T00:00:05Z' } };
  const rules = [files('app', ['/srv/app/**'], { when: { not_after: end } }), other];
  const { transfer, clock } = setUp(document({ rules }));
  const until = (time: string): void => clock.advance(Date.parse(time) - clock.wallMs());
  await transfer(async leave => {
    expect(told(leave.refusal('read', '/srv/app/x'))).toBe('granted');
    until('2026-01-01T00:00:06Z');
    expect(await paid(leave.charge(1))).toBe('paid');
    until(end);
    expect(await paid(leave.charge(1))).toBe('paid');
    clock.advance(1);
    expect(await paid(leave.charge(1))).toBe('POLICY_DENIED (no rule)');
    expect(told(leave.refusal('read', '/srv/app/x'))).toBe('POLICY_DENIED (no rule)');
  });
});

test('a deny that comes into force ends a transfer of what it denies', async () => {
  const deny = { ...files('no', ['/srv/app/x']), effect: 'deny', when: { not_before: '2026-01-01T00:00:05Z' } };
  const { transfer, clock } = setUp(document({ rules: [APP, deny] }));
  await transfer(async leave => {
    expect(told(leave.refusal('read', '/srv/app/x'))).toBe('granted');
    expect(await paid(leave.charge(1))).toBe('paid');
    clock.advance(5_000);
    expect(await paid(leave.charge(1))).toBe('POLICY_DENIED /rules/no');
  });
});

test('the timeout of a rule ends a transfer, and its output bounds what comes out of a host', async () => {
  const rules = [files('app', ['/srv/app/**'], { timeout: '1m', output: { max_bytes: 100 } })];
  const { transfer, clock } = setUp(document({ rules }));
  await transfer(async leave => {
    leave.refusal('read', '/srv/app/x');
    expect(await paid(leave.charge(100))).toBe('paid');
    await expect(leave.charge(1)).rejects.toThrow('The rule app lets no more than 100 bytes out (rule /rules/app).');
    clock.advance(60_001);
    await expect(leave.charge(0)).rejects.toThrow('The rule app lets a transfer last no longer than 60000 ms');
    expect(told(leave.refusal('read', '/srv/app/x'))).toBe('POLICY_DENIED /rules/app');
  });
  await transfer(
    async leave => {
      leave.refusal('write', '/srv/app/x');
      expect(await paid(leave.charge(1_000))).toBe('paid');
    },
    { action: UP },
  );
});

const NEXT: readonly { readonly title: string; readonly rules: readonly object[]; readonly revoked: number }[] = [
  { title: 'grants the same by another rule', rules: [files('all', ['/**'])], revoked: 0 },
  { title: 'denies one file of it', rules: [APP, { ...files('no', ['/srv/app/b']), effect: 'deny' }], revoked: 1 },
  { title: 'asks for one file of it', rules: [APP, files('ask', ['/srv/app/b'], { effect: 'ask' })], revoked: 1 },
  {
    title: 'grants the path as asked and not a real one',
    rules: [files('app', ['/srv/app', '/srv/app/a'])],
    revoked: 1,
  },
  {
    title: 'denies what it has not touched',
    rules: [APP, { ...files('no', ['/srv/app/c']), effect: 'deny' }],
    revoked: 0,
  },
  { title: 'grants no reading any more', rules: [{ ...APP, actions: ['list'] }], revoked: 1 },
];

test.each(NEXT)('a policy that $title revokes $revoked transfers under way', async ({ rules, revoked }) => {
  const { transfer, swap, lines } = setUp(document({ rules: [APP] }));
  const work = transfer(
    async (leave, signal) => {
      for (const [access, path] of [
        ['list', '/srv/app'],
        ['read', '/srv/app/a'],
        ['read', '/srv/app/b'],
      ] as const)
        expect(told(leave.refusal(access, path))).toBe('granted');
      expect(swap(document({ rules }))).toBe(revoked);
      expect(signal.aborted).toBe(revoked === 1);
      if (signal.aborted) throw new Failure('CANCELLED', 'It was given up.');
    },
    { action: TREE },
  );
  expect(await paid(work)).toMatch(revoked === 1 ? /^(POLICY_DENIED|APPROVAL_UNAVAILABLE) / : /^paid$/);
  await settled();
  expect(lines.at(-1)).toMatchObject({ event: 'ended', end: { how: revoked === 1 ? 'revoked' : 'done' } });
});

test('more files than are remembered are given up by any other document, and by the same one never', async () => {
  const policy = document({ rules: [APP] });
  const { transfer, swap } = setUp(policy);
  await transfer(
    async (leave, signal) => {
      for (let n = 0; n <= 10_000; n += 1) leave.refusal('read', `/srv/app/${n}`);
      expect([swap(document({ rules: [APP] })), signal.aborted]).toEqual([0, false]);
      expect([swap(document({ rules: [APP], description: 'x' })), signal.aborted]).toEqual([1, true]);
      expect(told(leave.refusal('read', '/srv/app/x'))).toBe('POLICY_DENIED (reload)');
      expect(await paid(leave.charge(1))).toBe('POLICY_DENIED (reload)');
    },
    { action: TREE },
  );
});

test('where nothing can be counted, no bytes move', async () => {
  let down = false;
  const { transfer, used } = setUp(document({ tools: { ssh_download: { limits: [byBytes(100)] } } }), store => ({
    ...store,
    charge: charges => (down ? Promise.reject(new Error('The disk is gone.')) : store.charge(charges)),
  }));
  await transfer(async leave => {
    down = true;
    expect(await paid(leave.charge(1))).toBe('POLICY_UNAVAILABLE /tools/ssh_download/limits/bytes');
    down = false;
    expect(await paid(leave.charge(1))).toBe('paid');
  });
  expect(await used()).toEqual(['/tools/ssh_download/limits/bytes 1']);
});

test('what was taken for bytes that a reload kept from moving is given back', async () => {
  const limits = { tools: { ssh_download: { limits: [byBytes(100)] } } };
  const { transfer, swap, used, lines } = setUp(document({ ...limits, rules: [APP] }));
  const work = transfer(async leave => {
    leave.refusal('read', '/srv/app/x');
    const charging = leave.charge(10);
    swap(document({ ...limits, rules: [] }));
    await charging;
  });
  expect(await paid(work)).toBe('POLICY_DENIED (no rule)');
  await settled();
  expect(lines.map(({ event }) => event)).toEqual(['admitted', 'ended']);
  expect(await used()).toEqual(['/tools/ssh_download/limits/bytes 0']);
});

test('a file that a rule asks for is refused on the way, and the refusal names the path to ask about', async () => {
  const { transfer } = setUp(
    document({ rules: [APP, files('etc', ['/etc/**'], { effect: 'ask', reason: 'Ask first.' })] }),
  );
  await transfer(async leave => {
    expect(leave.refusal('read', '/etc/motd')?.message).toBe(
      'Ask first. Nobody was asked about "/etc/motd": call with that very path (rule /rules/etc).',
    );
    expect(told(leave.refusal('read', '/etc/motd'))).toBe('APPROVAL_UNAVAILABLE /rules/etc');
  });
});

test('a thousand files at once are paid for in a few steps, to the byte', async () => {
  let steps = 0;
  const counting = (store: Store): Store => ({
    ...store,
    charge: async charges => {
      steps += 1;
      await settled();
      return await store.charge(charges);
    },
  });
  const { transfer, used } = setUp(document({ tools: { ssh_download: { limits: [byBytes(10_000)] } } }), counting);
  await transfer(async leave => {
    steps = 0;
    await Promise.all(Array.from({ length: 1_000 }, () => leave.charge(7)));
    expect(steps).toBeLessThanOrEqual(2);
    const all = await Promise.all(Array.from({ length: 5 }, () => paid(leave.charge(1_000))));
    expect(all.filter(each => each === 'paid')).toHaveLength(3);
  });
  expect(await used()).toEqual(['/tools/ssh_download/limits/bytes 10000']);
});

test('of what is asked for at once no more passes a cap on one call than fits', async () => {
  const rules = [files('app', ['/srv/app/**'], { output: { max_bytes: 100 } })];
  const require = [{ path: 'args.size', op: 'lte', value: 100 }];
  for (const policy of [document({ rules }), document({ tools: { ssh_download: { require } } })]) {
    const { transfer } = setUp(policy);
    await transfer(async leave => {
      leave.refusal('read', '/srv/app/x');
      const all = await Promise.all(Array.from({ length: 10 }, () => paid(leave.charge(30))));
      expect(all.filter(each => each === 'paid')).toHaveLength(3);
      expect(await paid(leave.charge(10))).toBe('paid');
      expect(await paid(leave.charge(1))).toMatch(/^POLICY_DENIED /);
    });
  }
});

test('the record has the whole of what was asked, and of a text its size and hash', async () => {
  const { transfer, lines } = setUp(document({}));
  const where = { kind: 'transfer', host: 'web', user: 'u', address: 'web.example', port: 22 };
  await transfer(async () => undefined, { action: UP });
  await transfer(async () => undefined, { action: TREE });
  await transfer(async () => undefined, {
    action: {
      ...{ kind: 'transfer', direction: 'download', target: TARGET, remotePath: '~/\udcff', resume: false },
      to: 'text',
      offset: 5,
      maxBytes: 9,
    },
  });
  expect(lines.flatMap(line => (line.event === 'admitted' ? [line.action] : []))).toEqual([
    {
      ...{ ...where, direction: 'upload', remote_path: '/srv/app/x', resume: true },
      content: { bytes: 4, sha256: '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1' },
    },
    {
      ...{ ...where, direction: 'download', remote_path: '/srv/app', local_path: 'app' },
      tree: { links: 'skip', delete_extra: false },
    },
    { ...where, direction: 'download', remote_path: '~/\udcff', offset: 5, max_bytes: 9 },
  ]);
});
