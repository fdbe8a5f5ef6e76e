import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Asking, AskResult } from '../../src/state/approval.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import type { Store } from '../../src/state/store.ts';
import { type ManualClock, manualClock, realClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { bundle } from './bundle.ts';
import { charge, slot } from './charges.ts';

const LIMITS = { perMinute: 100, waiting: 100 };
const asking = (more: Partial<Asking> = {}): Asking => ({
  grant: 'local',
  tool: 'ssh_exec',
  host: 'web-1',
  policy: 'sha256:p',
  digest: 'sha256:d',
  rule: '/rules/mark',
  why: '',
  by: 'operator',
  approvers: 1,
  expiresMs: 60_000,
  uses: 1,
  ttlMs: 30_000,
  facts: '{"v":1}',
  ...more,
});
const voice = (name: string) => ({ principal: name, key: `SHA256:${name}`, note: '', time: 0, signature: 's' });

const approvalOf = (result: AskResult) => {
  if (result.kind !== 'asked') throw new Error(`not asked: ${JSON.stringify(result)}`);
  return result.approval;
};

type Under = { readonly clock: ManualClock; readonly store: Store; readonly end: () => Promise<void> };

const DRIVERS: Readonly<Record<string, () => Promise<Under>>> = {
  memory: async () => {
    const clock = manualClock();
    const store = memoryStore(clock);
    return { clock, store, end: async () => store.close() };
  },
  sqlite: async () => {
    const clock = manualClock();
    const folder = await tempFolder();
    const store = await openSqlite({ file: join(folder.path, 'state', 'state.db'), clock, log: () => undefined });
    return {
      clock,
      store,
      end: async () => {
        store.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

describe.each(Object.keys(DRIVERS))('approvals in %s', driver => {
  let under: Under;
  beforeEach(async () => {
    under = await (DRIVERS[driver] ?? DRIVERS.memory ?? Promise.reject)();
  });
  afterEach(() => under.end());
  const ask = (more: Partial<Asking> = {}, charges = [charge(5)], limits = LIMITS): Promise<AskResult> =>
    under.store.approvals.ask(asking(more), charges, limits);
  const used = async (): Promise<number> => (await under.store.level(charge(5))).used;
  const stanceOf = async (id: string) => (await under.store.approvals.look(id))?.stance;

  test('the same is asked once, and charged once', async () => {
    const first = await ask();
    const again = await ask();
    expect(first).toMatchObject({ kind: 'asked', fresh: true, leftMs: 60_000 });
    expect(again).toMatchObject({ kind: 'asked', fresh: false });
    expect(approvalOf(again).id).toBe(approvalOf(first).id);
    expect(approvalOf(first).id).toMatch(/^ap_[A-Za-z0-9_-]{22}$/);
    expect(await used()).toBe(1);
  });

  test('the same of another grant, or anything else of the same grant, is another question', async () => {
    const ids = await Promise.all([ask(), ask({ grant: 'ci' }), ask({ digest: 'sha256:e' })]);
    expect(new Set(ids.map(one => approvalOf(one).id)).size).toBe(3);
  });

  test('a limit that has no room is not asked about, and takes nothing', async () => {
    const result = await ask({}, [charge(0), charge(5, { key: 'other' })]);
    expect(result).toMatchObject({ kind: 'short', short: { max: 0 } });
    expect(await under.store.approvals.all()).toEqual([]);
    expect((await under.store.level(charge(5, { key: 'other' }))).used).toBe(0);
  });

  test.each(['declined', 'withdrawn', 'expired'] as const)(
    'one that is %s gives back what it held, and is told once',
    async stance => {
      const { id } = approvalOf(await ask());
      expect(await under.store.approvals.end(id, stance, 'why')).toMatchObject({ stance, note: 'why', taken: [] });
      expect(await used()).toBe(0);
      expect(await under.store.approvals.facts(id)).toBeUndefined();
      expect((await under.store.approvals.ended()).map(one => one.id)).toEqual([id]);
      expect(await under.store.approvals.ended()).toEqual([]);
      expect(await under.store.approvals.end(id, 'declined')).toBeUndefined();
      expect(await under.store.approvals.use(id, 'sha256:d', [])).toEqual({ kind: 'gone' });
    },
  );

  test('one that nobody answers expires, gives back what it held, and can be asked anew', async () => {
    const { id } = approvalOf(await ask());
    under.clock.advance(59_999);
    expect(await stanceOf(id)).toBe('asked');
    under.clock.advance(1);
    expect(await stanceOf(id)).toBe('expired');
    expect(await used()).toBe(0);
    expect(approvalOf(await ask()).id).not.toBe(id);
  });

  test('a no stands until the question would have expired: nobody is asked again at once', async () => {
    const { id } = approvalOf(await ask());
    await under.store.approvals.end(id, 'declined');
    expect(approvalOf(await ask())).toMatchObject({ id, stance: 'declined' });
    under.clock.advance(60_000);
    expect(approvalOf(await ask()).id).not.toBe(id);
  });

  test('a yes counts for the time and the uses that were asked for, and for the digest alone', async () => {
    const { id } = approvalOf(await ask({ uses: 2 }));
    expect(await under.store.approvals.say(id, voice('alice'))).toMatchObject({ stance: 'asked', answeredAt: {} });
    expect(await under.store.approvals.use(id, 'sha256:other', [])).toEqual({ kind: 'gone' });
    expect(await under.store.approvals.use(id, 'sha256:d', [charge(5)])).toMatchObject({
      kind: 'used',
      approval: { used: 1 },
    });
    expect(await used()).toBe(1);
    expect(await under.store.approvals.use(id, 'sha256:d', [charge(5)])).toMatchObject({
      kind: 'used',
      approval: { stance: 'used' },
    });
    expect(await used()).toBe(2);
    expect(await under.store.approvals.use(id, 'sha256:d', [charge(5)])).toEqual({ kind: 'gone' });
    expect(await used()).toBe(2);
  });

  test('a yes that is not used in its time is worth nothing, and what it held is given back', async () => {
    const { id } = approvalOf(await ask());
    await under.store.approvals.say(id, voice('alice'));
    under.clock.advance(30_000);
    expect(await under.store.approvals.use(id, 'sha256:d', [])).toEqual({ kind: 'gone' });
    expect(await stanceOf(id)).toBe('expired');
    expect(await used()).toBe(0);
  });

  test.each([
    { title: 'set back', move: (clock: ManualClock) => clock.step(-3_600_000) },
    { title: 'set forward', move: (clock: ManualClock) => clock.step(3_600_000) },
  ])('a clock that is $title ends what was asked and what was answered', async ({ move }) => {
    const { id } = approvalOf(await ask());
    const { id: answered } = approvalOf(await ask({ digest: 'sha256:e' }));
    await under.store.approvals.say(answered, voice('alice'));
    move(under.clock);
    expect(await stanceOf(id)).toBe('expired');
    expect(await under.store.approvals.use(answered, 'sha256:e', [])).toEqual({ kind: 'gone' });
    expect(await used()).toBe(0);
  });

  test('what runs at one time is taken when it is used, and without room the answer is kept', async () => {
    const { id } = approvalOf(await ask({}, [charge(5), slot(1)]));
    const held = await under.store.charge([slot(1)]);
    expect(await under.store.approvals.use(id, 'sha256:d', [charge(5), slot(1)])).toMatchObject({
      kind: 'short',
      short: { key: 'running' },
    });
    if (held.ok) await under.store.release(held.ticket);
    const use = await under.store.approvals.use(id, 'sha256:d', [charge(5), slot(1)]);
    expect(use).toMatchObject({ kind: 'used' });
    expect((await under.store.level(slot(1))).used).toBe(1);
    if (use.kind === 'used') await under.store.refund(use.ticket);
    expect([await used(), (await under.store.level(slot(1))).used]).toEqual([0, 0]);
  });

  test('two approvers are two names with two keys', async () => {
    const { id } = approvalOf(await ask({ approvers: 2 }));
    const { say } = under.store.approvals;
    expect((await say(id, voice('alice')))?.answeredAt).toBeUndefined();
    expect((await say(id, { ...voice('alice'), key: 'SHA256:other' }))?.answeredAt).toBeUndefined();
    expect((await say(id, { ...voice('mallory'), key: 'SHA256:other' }))?.voices).toHaveLength(1);
    expect((await say(id, voice('bob')))?.answeredAt).toBeDefined();
  });

  test('a grant asks only so much in a minute, and has only so many questions waiting', async () => {
    const limits = { perMinute: 3, waiting: 2 };
    const one = (digest: string) => ask({ digest }, [], limits);
    const first = approvalOf(await one('a'));
    under.clock.advance(10_000);
    await one('b');
    expect(await one('c')).toEqual({
      kind: 'enough',
      reason: '2 questions are waiting already.',
      retryAfterMs: 50_000,
    });
    expect((await ask({ grant: 'ci' }, [], limits)).kind).toBe('asked');
    await under.store.approvals.end(first.id, 'declined');
    await one('c');
    await under.store.approvals.end(approvalOf(await one('b')).id, 'withdrawn');
    expect(await one('d')).toEqual({
      kind: 'enough',
      reason: 'At most 3 questions are asked in a minute.',
      retryAfterMs: 50_000,
    });
    under.clock.advance(50_000);
    expect((await one('d')).kind).toBe('asked');
  });

  test('all that was asked under a policy ends with it', async () => {
    const { id } = approvalOf(await ask());
    const { id: other } = approvalOf(await ask({ policy: 'sha256:q', digest: 'sha256:e' }));
    await under.store.approvals.say(id, voice('alice'));
    await under.store.approvals.endAll('sha256:p', 'The policy has changed.');
    expect([await stanceOf(id), await stanceOf(other)]).toEqual(['withdrawn', 'asked']);
    expect(await under.store.approvals.use(id, 'sha256:d', [])).toEqual({ kind: 'gone' });
  });

  test('a thousand questions leave the newest, and every one that waits', async () => {
    const { id } = approvalOf(await ask({ digest: 'kept', expiresMs: 86_400_000 }, []));
    for (let each = 0; each < 600; each += 1)
      await under.store.approvals.end(
        approvalOf(await ask({ digest: `d${each}`, grant: `g${each}` }, [])).id,
        'withdrawn',
      );
    const all = await under.store.approvals.all();
    expect(all).toHaveLength(512);
    expect(all.map(one => one.id)).toContain(id);
    expect(all.at(-1)?.digest).toBe('d599');
  });
});

test('eight processes race for one approval, and exactly one of their forty tries gets it [G18]', async () => {
  await using folder = await tempFolder();
  const program = await bundle('test/state/approvals.worker.ts', folder.path);
  const file = join(folder.path, 'state', 'state.db');
  const store = await openSqlite({ file, clock: realClock, log: () => undefined });
  const { id } = approvalOf(await store.approvals.ask(asking(), [], LIMITS));
  const startAt = `${Date.now() + 1_500}`;
  const outputs = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const child = spawn(process.execPath, [program, file, id, 'sha256:d', startAt], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', chunk => {
        text += String(chunk);
      });
      await once(child, 'close');
      return text.split('\n').filter(Boolean);
    }),
  );
  expect(outputs.flat().toSorted()).toEqual([...Array.from({ length: 39 }, () => 'gone'), 'used']);
  store.close();
});
