import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addHit,
  emptyWindow,
  type Now,
  settle,
  takeBack,
  usedOf,
  type Window,
  waitMs,
} from '../../src/state/window.ts';

const WINDOW_MS = 60_000;
const QUANTUM_MS = 938;
const MAX = 7;

/** What may happen to a machine: time, calls, somebody at the wall clock, a reboot during which time passes. */
type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'call'; readonly amount: number }
  | { readonly kind: 'wall'; readonly ms: number }
  | { readonly kind: 'reboot'; readonly ms: number };

type World = { trueMs: number; now: Now; window: Window; readonly admitted: { at: number; amount: number }[] };

const start = (): World => {
  const now = { monoMs: 5_000.5, wallMs: 1_800_000_000_000, bootId: 'boot-0' };
  return { trueMs: 0, now, window: emptyWindow(now), admitted: [] };
};

const take = (world: World, step: Step, index: number): void => {
  const { now } = world;
  if (step.kind === 'wall') world.now = { ...now, wallMs: now.wallMs + step.ms };
  if (step.kind === 'pass' || step.kind === 'reboot') {
    world.trueMs += step.ms;
    const passed = { ...now, wallMs: now.wallMs + step.ms };
    world.now =
      step.kind === 'pass'
        ? { ...passed, monoMs: now.monoMs + step.ms }
        : { ...passed, monoMs: 100.25, bootId: `boot-${index}` };
  }
  if (step.kind === 'call') {
    world.window = settle(world.window, now, WINDOW_MS).window;
    if (usedOf(world.window) + step.amount > MAX) return;
    world.window = addHit(world.window, now, WINDOW_MS, step.amount, `hit-${index}`).window;
    world.admitted.push({ at: world.trueMs, amount: step.amount });
  }
};

const fullest = ({ admitted }: World): number =>
  Math.max(
    0,
    ...admitted.map(({ at }) =>
      admitted
        .filter(other => other.at >= at && other.at < at + WINDOW_MS)
        .reduce((sum, { amount }) => sum + amount, 0),
    ),
  );

const pass = fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 20_000 }) });
const call = fc.record({ kind: fc.constant('call' as const), amount: fc.integer({ min: 1, max: 3 }) });
const anyStep = fc.record({
  kind: fc.constant('wall' as const),
  ms: fc.integer({ min: -100_000_000, max: 100_000_000 }),
});
const stepBack = fc.record({ kind: fc.constant('wall' as const), ms: fc.integer({ min: -100_000_000, max: 0 }) });
const reboot = fc.record({ kind: fc.constant('reboot' as const), ms: fc.integer({ min: 0, max: 90_000 }) });

test.each([
  { title: 'whatever anybody does to the wall clock', steps: [pass, call, call, anyStep] },
  { title: 'over reboots, with a wall clock that is right or late', steps: [pass, call, call, stepBack, reboot] },
])('no span of the window ever holds more than the maximum, $title', ({ steps }) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...steps), { maxLength: 80 }), story => {
      const world = start();
      for (const [index, step] of story.entries()) take(world, step, index);
      expect(fullest(world)).toBeLessThanOrEqual(MAX);
    }),
    { numRuns: 2_000 },
  );
});

test('everything is free again after one window and a bucket in which nobody touched the clock', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(pass, call, call, anyStep, reboot), { maxLength: 60 }), story => {
      const world = start();
      for (const [index, step] of story.entries()) take(world, step, index);
      const { now } = world;
      const seen = settle(world.window, now, WINDOW_MS).window;
      const ms = WINDOW_MS + QUANTUM_MS;
      const later = { ...now, monoMs: now.monoMs + ms, wallMs: now.wallMs + ms };
      expect(usedOf(settle(seen, later, WINDOW_MS).window)).toBe(0);
    }),
    { numRuns: 1_000 },
  );
});

test('the wait for any excess is exact to the millisecond', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pass, call), { maxLength: 60 }),
      fc.integer({ min: 1, max: MAX }),
      (story, excess) => {
        const world = start();
        for (const [index, step] of story.entries()) take(world, step, index);
        const window = settle(world.window, world.now, WINDOW_MS).window;
        fc.pre(usedOf(window) >= excess);
        const ms = waitMs(window, world.now, WINDOW_MS, excess);
        const usedAfter = (passed: number): number =>
          usedOf(
            settle(
              window,
              { ...world.now, monoMs: world.now.monoMs + passed, wallMs: world.now.wallMs + passed },
              WINDOW_MS,
            ).window,
          );
        expect(usedOf(window) - usedAfter(ms)).toBeGreaterThanOrEqual(excess);
        expect(usedOf(window) - usedAfter(ms - 1)).toBeLessThan(excess);
      },
    ),
  );
});

test('ten thousand admissions a day are kept in at most 66 buckets', () => {
  const day = 86_400_000;
  let now: Now = { monoMs: 17.75, wallMs: 1_800_000_000_000, bootId: 'boot' };
  let window = emptyWindow(now);
  for (let i = 0; i < 20_000; i++) {
    window = addHit(settle(window, now, day).window, now, day, 1, `${i}`).window;
    expect(window.hits.length).toBeLessThanOrEqual(66);
    now = { ...now, monoMs: now.monoMs + 8_640, wallMs: now.wallMs + 8_640 };
  }
});

test('two writers whose monotonic clocks differ age by the wall clock, and neither holds the other up for ever', () => {
  const at = (ms: number, aheadMs: number): Now => ({
    monoMs: 1_000_000 + ms + aheadMs,
    wallMs: 1_800_000_000_000 + ms,
    bootId: 'boot',
  });
  for (const aheadMs of [30_000, -30_000, 86_400_000, -900_000]) {
    let window = addHit(emptyWindow(at(0, 0)), at(0, 0), WINDOW_MS, 1, 'hit').window;
    const seen: number[] = [];
    for (let ms = 0; ms <= 121_000; ms += 1_000) {
      window = settle(window, at(ms, (ms / 1_000) % 2 === 0 ? 0 : aheadMs), WINDOW_MS).window;
      if (usedOf(window) === 0) seen.push(ms);
    }
    expect(seen[0]).toBeGreaterThanOrEqual(WINDOW_MS);
    expect(seen[0]).toBeLessThanOrEqual(2 * WINDOW_MS);
  }
});

test('what is taken back leaves every other bucket as it was', () => {
  const now: Now = { monoMs: 1_000, wallMs: 1_800_000_000_000, bootId: 'boot' };
  const later: Now = { ...now, monoMs: 5_000, wallMs: now.wallMs + 4_000 };
  const first = addHit(emptyWindow(now), now, WINDOW_MS, 3, 'a');
  const second = addHit(first.window, later, WINDOW_MS, 2, 'b');
  expect([first.id, second.id]).toEqual(['a', 'b']);
  expect(takeBack(second.window, 'a', 3).hits.map(({ id, amount }) => [id, amount])).toEqual([['b', 2]]);
  expect(takeBack(second.window, 'a', 1).hits.map(({ id, amount }) => [id, amount])).toEqual([
    ['a', 2],
    ['b', 2],
  ]);
  expect(takeBack(second.window, 'gone', 1)).toEqual(second.window);
});
