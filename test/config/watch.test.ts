import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { lookAt, type Senses, type Sight, senses, watchFile } from '../../src/config/watch.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

const UID = process.getuid?.();

/** Senses that notice, and time that passes, only when a test says so. */
const manual = ({ blind = false } = {}) => {
  const folders = new Map<string, { readonly changed: () => void; readonly lost: () => void }>();
  const timers: { readonly ms: number; readonly run: () => void }[] = [];
  let polls: (() => void)[] = [];
  const by: Senses = {
    folder: (path, changed, lost) => {
      if (blind) return undefined;
      folders.set(path, { changed, lost });
      return () => void folders.delete(path);
    },
    every: (_ms, run) => {
      polls.push(run);
      return () => {
        polls = polls.filter(one => one !== run);
      };
    },
    after: (ms, run) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  return {
    by,
    folders,
    timers,
    poll: () => {
      for (const run of polls) run();
    },
    notice: (folder: string) => folders.get(folder)?.changed(),
    /** The next timer comes. */
    pass: () => timers.shift()?.run(),
    /** Timers come until none is left. */
    settle: () => {
      for (let left = 20; timers.length > 0 && left > 0; left -= 1) timers.shift()?.run();
    },
  };
};

const watching = (path: string, options = {}) => {
  const hand = manual(options);
  const told: Sight[] = [];
  const end = watchFile({ path, uid: UID, known: lookAt(path, UID) }, sight => told.push(sight), hand.by);
  hand.settle();
  return { ...hand, told, end };
};

const text = (text: string): Sight => ({ kind: 'text', text });

test('what is known already is not told, and nothing is left waiting', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, timers, notice } = watching(path);
  notice(temp.path);
  expect(timers.map(({ ms }) => ms)).toEqual([100]);
  expect(told).toEqual([]);
});

test('a change between reading and watching is told', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'two');
  const hand = manual();
  const told: Sight[] = [];
  watchFile({ path, uid: UID, known: text('one') }, sight => told.push(sight), hand.by);
  hand.settle();
  expect(told).toEqual([text('two')]);
});

test('what still moves is not told before two looks find the same', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, notice, pass } = watching(path);
  await writeFile(path, '{"half":');
  notice(temp.path);
  await writeFile(path, '{"half": 1');
  pass();
  expect(told).toEqual([]);
  await writeFile(path, '{"half": 1}');
  pass();
  expect(told).toEqual([]);
  pass();
  expect(told).toEqual([text('{"half": 1}')]);
});

test('a file rewritten with the same text while it is looked at has moved', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, notice, pass } = watching(path);
  await writeFile(path, 'two');
  notice(temp.path);
  await rm(path);
  await writeFile(path, 'two', { mode: 0o600 });
  pass();
  expect(told).toEqual([]);
  pass();
  expect(told).toEqual([text('two')]);
});

const OTHERS: readonly {
  readonly title: string;
  readonly act: (path: string, temp: TempFolder) => Promise<unknown>;
  readonly sight: unknown;
}[] = [
  { title: 'that vanished', act: path => rm(path), sight: { kind: 'absent' } },
  {
    title: 'that others may write',
    act: path => chmod(path, 0o666),
    sight: { kind: 'refused', message: expect.stringContaining('is open to other users (mode 0666)') },
  },
  {
    title: 'that is a folder by now',
    act: path => rm(path).then(() => mkdir(path)),
    sight: { kind: 'refused', message: expect.stringContaining('is not a plain file') },
  },
];

test.each(OTHERS)('a file $title is told once, and again when it is good', async ({ act, sight }) => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, notice, settle, poll } = watching(path);
  await act(path, temp);
  for (const stir of [() => notice(temp.path), poll, () => notice(temp.path)]) {
    stir();
    settle();
  }
  expect(told).toEqual([sight]);
  await rm(path, { recursive: true, force: true });
  await temp.write('policy.json', 'one');
  poll();
  settle();
  expect(told.at(-1)).toEqual(text('one'));
});

test('where nothing can be watched, looking now and then finds it', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, poll, settle, timers } = watching(path, { blind: true });
  poll();
  expect(timers).toEqual([]);
  await writeFile(path, 'two');
  poll();
  settle();
  expect(told).toEqual([text('two')]);
});

test('both folders of a link are watched, and the new one after it was swapped', async () => {
  await using temp = await tempFolder();
  const one = await temp.write('a/policy.json', 'one');
  const two = await temp.write('b/policy.json', 'two');
  await mkdir(join(temp.path, 'etc'), { mode: 0o700 });
  const path = join(temp.path, 'etc/policy.json');
  await symlink(one, path);
  const { told, folders, notice, settle } = watching(path);
  expect([...folders.keys()].sort()).toEqual([dirname(one), dirname(path)].sort());
  await symlink(two, `${path}.new`);
  await rename(`${path}.new`, path);
  notice(dirname(path));
  settle();
  expect([...folders.keys()].sort()).toEqual([dirname(two), dirname(path)].sort());
  await writeFile(two, 'three');
  notice(dirname(two));
  settle();
  expect(told).toEqual([text('two'), text('three')]);
});

test('a watch that was lost is taken up again by the next look', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { folders, poll } = watching(path);
  folders.get(temp.path)?.lost();
  folders.clear();
  poll();
  expect([...folders.keys()]).toEqual([temp.path]);
});

test('after its end it notices nothing', async () => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const { told, folders, timers, notice, poll, end } = watching(path);
  const before = folders.get(temp.path);
  await writeFile(path, 'two');
  notice(temp.path);
  end();
  before?.changed();
  poll();
  expect([folders.size, timers.length, told]).toEqual([0, 0, []]);
});

const put = (path: string, content: string): Promise<void> => writeFile(path, content, { mode: 0o600 });

const WAYS: readonly { readonly way: string; readonly change: (path: string) => Promise<void> }[] = [
  { way: 'rewritten in place', change: path => put(path, 'two') },
  { way: 'replaced', change: path => put(`${path}.new`, 'two').then(() => rename(`${path}.new`, path)) },
  { way: 'removed and written', change: path => rm(path).then(() => put(path, 'two')) },
  {
    way: 'made a link',
    change: async path => {
      await put(`${path}.real`, 'two');
      await symlink(`${path}.real`, `${path}.new`);
      await rename(`${path}.new`, path);
    },
  },
];

test.each(WAYS)('the operating system says so at once when a file is $way', async ({ change }) => {
  await using temp = await tempFolder();
  const path = await temp.write('policy.json', 'one');
  const never: Senses = { ...senses, every: () => () => undefined };
  let end = (): void => undefined;
  const told = new Promise<Sight>(resolve => {
    end = watchFile({ path, uid: UID, known: lookAt(path, UID) }, resolve, never);
  });
  await change(path);
  expect(await told).toEqual(text('two'));
  end();
});
