import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Senses } from '../../src/config/watch.ts';
import { marksOf, watchMarks } from '../../src/config/watch-marks.ts';
import { tempFolder } from '../support/temp.ts';

/** Senses that notice, and time that passes, only when a test says so. */
const manual = () => {
  const folders = new Map<string, () => void>();
  const timers: (() => void)[] = [];
  const polls: (() => void)[] = [];
  const by: Senses = {
    folder: (path, changed) => {
      folders.set(path, changed);
      return () => void folders.delete(path);
    },
    every: (_ms, run) => {
      polls.push(run);
      return () => void polls.splice(polls.indexOf(run), 1);
    },
    after: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
  };
  const poll = (): void => {
    for (const run of polls) run();
  };
  return { by, folders, timers, polls, poll, pass: () => timers.shift()?.() };
};

const watching = (paths: readonly string[]) => {
  const hand = manual();
  let [standing, told] = [{ paths, marks: marksOf(paths) }, 0];
  const end = watchMarks(
    () => standing,
    () => {
      told += 1;
    },
    hand.by,
  );
  const stand = (now: readonly string[]): void => {
    standing = { paths: now, marks: marksOf(now) };
  };
  return { ...hand, end, stand, told: () => told };
};

test('a change is told once it stands still, and once however often it is looked at', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('a', 'one');
  const { poll, pass, told, stand, timers } = watching([path]);
  poll();
  expect(timers).toEqual([]);
  await temp.write('a', 'other');
  poll();
  await temp.write('a', 'yet another');
  pass();
  expect(told()).toBe(0);
  pass();
  expect(told()).toBe(1);
  poll();
  expect({ told: told(), timers: timers.length }).toEqual({ told: 1, timers: 0 });
  stand([path]);
  await rm(path);
  poll();
  pass();
  expect(told()).toBe(2);
});

test('folders are listened to, also those of files that came later, until it ends', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('a', 'one');
  const absent = join(temp.path, 'd', 'b');
  const { folders, polls, poll, stand, timers, end } = watching([path]);
  expect([...folders.keys()]).toEqual([temp.path]);
  stand([path, absent]);
  poll();
  expect([...folders.keys()]).toEqual([temp.path, join(temp.path, 'd')]);
  await temp.write('a', 'other');
  folders.get(temp.path)?.();
  expect(timers).toHaveLength(1);
  end();
  expect({ folders: folders.size, polls: polls.length, timers: timers.length }).toEqual({
    folders: 0,
    polls: 0,
    timers: 0,
  });
});
