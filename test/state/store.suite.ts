import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import type { Head, Store } from '../../src/state/store.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { admitted, charge, slot } from './charges.ts';

/** Opens a fresh store that reads this clock; what it holds is gone after the test. */
export type OpenStore = (clock: Clock) => Promise<Store>;

/** What every store must do, whatever it is made of. */
export const storeSuite = (name: string, open: OpenStore): void => {
  const opened = async (): Promise<{ store: Store; clock: ManualClock }> => {
    const clock = manualClock();
    return { store: await open(clock), clock };
  };
  describe(`${name}: windows`, () => windowTests(opened));
  describe(`${name}: several charges`, () => jointTests(opened));
  describe(`${name}: concurrency`, () => slotTests(opened));
  describe(`${name}: the rest`, () => otherTests(opened));
};

type Opened = () => Promise<{ store: Store; clock: ManualClock }>;

const windowTests = (opened: Opened): void => {
  test('a window admits its maximum and then refuses', async () => {
    const { store } = await opened();
    expect(await admitted(store, charge(10), 15)).toBe(10);
  });

  test('the wait is exact: one millisecond less is refused, that long is admitted', async () => {
    const { store, clock } = await opened();
    clock.advance(123.456);
    await store.charge([charge(1)]);
    clock.advance(20_000.25);
    const refused = await store.charge([charge(1)]);
    const wait = refused.ok ? 0 : (refused.retryAfterMs ?? 0);
    expect(refused).toEqual({ ok: false, short: charge(1), retryAfterMs: wait });
    expect(wait).toBeGreaterThan(39_000);
    clock.advance(wait - 1);
    expect(await store.charge([charge(1)])).toEqual({ ok: false, short: charge(1), retryAfterMs: 1 });
    clock.advance(1);
    expect((await store.charge([charge(1)])).ok).toBe(true);
  });

  test('nothing expires before a whole window has passed, and everything within a 64th more', async () => {
    const { store, clock } = await opened();
    await store.charge([charge(1)]);
    clock.advance(59_999);
    expect((await store.charge([charge(1)])).ok).toBe(false);
    clock.advance(1 + 938);
    expect((await store.charge([charge(1)])).ok).toBe(true);
  });

  test('a larger amount waits until enough of the oldest has expired', async () => {
    const { store, clock } = await opened();
    for (const amount of [1, 2, 3]) {
      await store.charge([charge(6, { amount })]);
      clock.advance(10_000);
    }
    const refused = await store.charge([charge(6, { amount: 3 })]);
    clock.advance(refused.ok ? 0 : (refused.retryAfterMs ?? 0) - 1);
    expect(await store.level(charge(6, { amount: 3 }))).toEqual({ used: 5, max: 6, freeInMs: 1 });
    clock.advance(1);
    expect(await store.level(charge(6, { amount: 3 }))).toEqual({ used: 3, max: 6 });
    expect((await store.charge([charge(6, { amount: 3 })])).ok).toBe(true);
  });

  test.each([
    { title: 'a maximum of 0 never admits', one: charge(0) },
    { title: 'a maximum of 0 does not admit even nothing', one: charge(0, { amount: 0 }) },
    { title: 'an amount above the maximum never admits', one: charge(3, { amount: 4 }) },
  ])('$title, and no wait is promised', async ({ one }) => {
    const { store } = await opened();
    expect(await store.charge([one])).toEqual({ ok: false, short: one });
  });

  test('an amount of 0 is admitted while the window is not overfull, and takes nothing', async () => {
    const { store } = await opened();
    expect(await admitted(store, charge(2), 2)).toBe(2);
    expect(await admitted(store, charge(2, { amount: 0 }), 3)).toBe(3);
    expect(await store.level(charge(2, { amount: 0 }))).toEqual({ used: 2, max: 2 });
    expect((await store.charge([charge(1, { amount: 0 })])).ok).toBe(false);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'an amount of %d is never counted',
    async amount => {
      const { store } = await opened();
      await expect(store.charge([charge(2 ** 53 - 1, { amount })])).rejects.toMatchObject({
        code: 'POLICY_UNAVAILABLE',
      });
    },
  );

  test('the largest whole number is counted exactly', async () => {
    const { store } = await opened();
    const max = Number.MAX_SAFE_INTEGER;
    expect((await store.charge([charge(max, { amount: max - 1 })])).ok).toBe(true);
    expect((await store.charge([charge(max, { amount: 2 })])).ok).toBe(false);
    expect((await store.charge([charge(max)])).ok).toBe(true);
    expect((await store.charge([charge(max)])).ok).toBe(false);
  });

  test('other keys and other windows are other budgets', async () => {
    const { store } = await opened();
    const hour = charge(1, { span: { kind: 'window', windowMs: 3_600_000 } });
    expect(await admitted(store, charge(1), 2)).toBe(1);
    expect(await admitted(store, charge(1, { key: "'; DROP TABLE page; --" }), 2)).toBe(1);
    expect(await admitted(store, hour, 2)).toBe(1);
  });

  test('a step of the wall clock admits nothing more, and blocks for no longer than one more window', async () => {
    const { store, clock } = await opened();
    await admitted(store, charge(5), 5);
    clock.advance(10_000);
    for (const step of [61_000, 7_200_000, -7_200_000, -86_400_000]) {
      clock.step(step);
      expect(await admitted(store, charge(5), 5)).toBe(0);
    }
    clock.advance(61_000);
    expect(await admitted(store, charge(5), 9)).toBe(5);
  });
};

const jointTests = (opened: Opened): void => {
  test('two charges of which one is short take nothing', async () => {
    const { store } = await opened();
    const [wide, narrow] = [charge(100, { key: 'wide' }), charge(5, { key: 'narrow' })];
    let ok = 0;
    for (let i = 0; i < 50; i++) if ((await store.charge([wide, narrow])).ok) ok++;
    expect(ok).toBe(5);
    expect(await store.level(wide)).toEqual({ used: 5, max: 100 });
  });

  test('the longest wait is the one that is told', async () => {
    const { store, clock } = await opened();
    const minute = charge(1, { key: 'a' });
    const hour = charge(1, { key: 'b', span: { kind: 'window', windowMs: 3_600_000 } });
    await store.charge([minute, hour]);
    clock.advance(1_000);
    const refused = await store.charge([minute, hour]);
    expect(refused).toMatchObject({ ok: false, short: hour });
    clock.advance(refused.ok ? 0 : (refused.retryAfterMs ?? 0));
    expect((await store.charge([minute, hour])).ok).toBe(true);
  });

  test('a charge that can never be met is told before any that could', async () => {
    const { store } = await opened();
    await store.charge([charge(1)]);
    expect(await store.charge([charge(1), charge(0, { key: 'never' }), slot(1)])).toEqual({
      ok: false,
      short: charge(0, { key: 'never' }),
    });
  });

  test('charges with one key share one budget within one call', async () => {
    const { store } = await opened();
    const both = [charge(3, { amount: 2 }), charge(3, { amount: 2 })];
    expect(await store.charge(both)).toEqual({ ok: false, short: both[0] });
    expect((await store.charge([charge(3), charge(3, { amount: 2 })])).ok).toBe(true);
    expect(await store.level(charge(3))).toMatchObject({ used: 3, max: 3 });
  });

  test('no charges at all are admitted', async () => {
    const { store } = await opened();
    expect((await store.charge([])).ok).toBe(true);
  });

  test('a hundred calls at once are admitted exactly up to the maximum', async () => {
    const { store } = await opened();
    const results = await Promise.all(Array.from({ length: 100 }, () => store.charge([charge(30), slot(20)])));
    expect(results.filter(result => result.ok).length).toBe(20);
    expect(await store.level(charge(30))).toEqual({ used: 20, max: 30 });
  });
};

const slotTests = (opened: Opened): void => {
  test('a slot is taken until it is released, however long that is, and no wait is promised', async () => {
    const { store, clock } = await opened();
    const first = await store.charge([slot(1)]);
    expect(await store.charge([slot(1)])).toEqual({ ok: false, short: slot(1) });
    clock.advance(5_000);
    expect(await store.level(slot(1))).toEqual({ used: 1, max: 1 });
    if (first.ok) await store.release(first.ticket);
    expect(await store.level(slot(1))).toEqual({ used: 0, max: 1 });
    expect((await store.charge([slot(1)])).ok).toBe(true);
  });

  test('a release keeps the window charge, a refund gives it back', async () => {
    const { store } = await opened();
    const first = await store.charge([charge(9), slot(9)]);
    const second = await store.charge([charge(9), slot(9)]);
    if (first.ok) await store.release(first.ticket);
    expect([await store.level(charge(9)), await store.level(slot(9))]).toMatchObject([{ used: 2 }, { used: 1 }]);
    if (second.ok) await store.refund(second.ticket);
    expect([await store.level(charge(9)), await store.level(slot(9))]).toMatchObject([{ used: 1 }, { used: 0 }]);
  });

  test('a ticket is good once: given back twice, or under a made-up name, nothing moves', async () => {
    const { store } = await opened();
    const first = await store.charge([charge(9, { amount: 4 }), slot(9)]);
    await store.charge([charge(9, { amount: 4 }), slot(9)]);
    if (first.ok) {
      await store.refund(first.ticket);
      await store.refund(first.ticket);
      await store.release(first.ticket);
    }
    await store.refund({ id: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect([await store.level(charge(9)), await store.level(slot(9))]).toMatchObject([{ used: 4 }, { used: 1 }]);
  });

  test('a late refund takes nothing from a later window', async () => {
    const { store, clock } = await opened();
    const early = await store.charge([charge(9, { amount: 4 })]);
    clock.advance(61_000);
    await store.charge([charge(9, { amount: 4 })]);
    if (early.ok) await store.refund(early.ticket);
    expect(await store.level(charge(9))).toMatchObject({ used: 4 });
  });
};

const otherTests = (opened: Opened): void => {
  test('tickets are random', async () => {
    const { store } = await opened();
    const results = await Promise.all(Array.from({ length: 20 }, () => store.charge([charge(20)])));
    const ids = results.map(result => (result.ok ? result.ticket.id : ''));
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test('a head is kept under its file, and only moves forward', async () => {
    const { store } = await opened();
    const head = (file: string, seq: number): Head => ({ file, seq, mac: `mac-${file}-${seq}` });
    for (const each of [head('a', 1), head('b', 7), head('a', 3), head('a', 2)]) await store.setHead(each);
    expect(await store.heads()).toEqual([head('a', 3), head('b', 7)]);
  });

  test('a closed store refuses everything', async () => {
    const { store } = await opened();
    store.close();
    const attempts = [
      () => store.charge([charge(1)]),
      () => store.level(charge(1)),
      () => store.heads(),
      () => store.setHead({ file: 'a', seq: 1, mac: 'm' }),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Failure);
      expect(error).toMatchObject({ code: 'POLICY_UNAVAILABLE', message: 'The state store is closed.' });
    }
  });
};
