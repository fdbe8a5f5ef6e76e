import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { bundle } from './bundle.ts';
import { charge } from './charges.ts';

const PROCESSES = 8;
const MAX = 40;
const WINDOW_MS = 1_500;
const AT_LEAST_MS = 8_000;
/** On a machine that is busy with other things, fewer processes come to life. */
const AT_MOST_MS = 30_000;
const KILLS = 40;

/** Numbers from 0 to 1 that one seed always gives again (mulberry32). */
const seeded = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

type Admission = { readonly from: number; readonly to: number };

/** The most admissions that surely fell into one span: each happened somewhere between its two readings of the clock. */
const worst = (admissions: readonly Admission[]): number => {
  const sure = admissions.map(
    ({ from }) => admissions.filter(other => other.from >= from && other.to < from + WINDOW_MS).length,
  );
  return Math.max(0, ...sure);
};

test('eight processes that are killed at random never admit more than the maximum in any window [G6]', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`hammer: SEED=${seed}`);
  const random = seeded(seed);
  await using folder = await tempFolder();
  const program = await bundle('test/state/hammer.worker.ts', folder.path);
  const [file, journal] = [join(folder.path, 'state', 'state.db'), join(folder.path, 'journal')];
  const start = (): ChildProcess =>
    spawn(process.execPath, [program, file, journal, `${MAX}`, `${WINDOW_MS}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const kill = async (child: ChildProcess): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const children = Array.from({ length: PROCESSES }, start);
  const begunAt = Date.now();
  let kills = 0;
  while (Date.now() - begunAt < (kills < KILLS ? AT_MOST_MS : AT_LEAST_MS)) {
    await pause(20 + random() * 180);
    const victim = Math.floor(random() * PROCESSES);
    const child = children[victim];
    if (child !== undefined) await kill(child);
    children[victim] = start();
    kills += 1;
  }
  await Promise.all(children.map(kill));

  const words = readFileSync(journal, 'utf8')
    .split('\n')
    .filter(line => /^\S+ \S+ \S+$/.test(line));
  const rows = words
    .map(line => line.split(' '))
    .map(([word = '', from, to]) => ({ word, from: Number(from), to: Number(to) }));
  const admissions = rows.filter(({ word }) => word === 'admitted');
  const refusals = rows.filter(({ word }) => word === 'refused');
  const faults = rows.filter(({ word }) => word !== 'admitted' && word !== 'refused');
  const most = worst(admissions);
  console.log(
    `hammer: ${kills} kills, ${admissions.length} admitted, ${refusals.length} refused, ${faults.length} faults, worst ${most}/${MAX}`,
  );
  expect(most).toBeLessThanOrEqual(MAX);
  expect(admissions.length).toBeGreaterThan(2 * MAX);
  expect(refusals.length).toBeGreaterThan(0);
  expect([...new Set(faults.map(({ word }) => word))]).toEqual([]);

  const store = await openSqlite({ file, clock: realClock, log: () => undefined });
  const wide = charge(1_000_000, { key: 'wide', span: { kind: 'window', windowMs: 3_600_000 } });
  expect((await store.level(wide)).used).toBeGreaterThanOrEqual(admissions.length);
  expect((await store.level(wide)).used).toBeLessThanOrEqual(admissions.length + kills + PROCESSES);
  store.close();
}, 60_000);
