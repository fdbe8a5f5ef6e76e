import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type AuditOptions, openAudit } from '../../src/audit/log.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { bundle } from '../state/bundle.ts';
import { manualClock } from '../support/clock.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { MemoryDisk } from './disk.ts';
import { admitted, ended, refused } from './records.ts';

const FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** An audit in a folder of its own, whose timers run when the test says so. */
const setUp = async (place: TempFolder, more: Partial<AuditOptions> = {}) => {
  const clock = manualClock();
  const store = memoryStore(clock);
  const timers: { ms: number; work: () => void; off: boolean }[] = [];
  const later = (ms: number, work: () => void) => {
    const timer = { ms, work, off: false };
    timers.push(timer);
    return () => {
      timer.off = true;
    };
  };
  const lines: string[] = [];
  const log = (level: string, message: string): void => void lines.push(`${level}: ${message}`);
  const folder = join(place.path, 'audit');
  const keyFile = join(place.path, 'audit.key');
  const audit = await openAudit({
    folder,
    keyFile,
    clock,
    store,
    log,
    random: randomBytes,
    uid: process.getuid?.(),
    later,
    ...more,
  });
  const tick = async (ms: number): Promise<void> => {
    for (const timer of timers.splice(0).filter(one => !one.off && one.ms <= ms)) timer.work();
    await nextTurn();
  };
  return { audit, store, folder, keyFile, clock, lines, tick };
};

const onDisk = (folder: string): readonly Record<string, unknown>[] =>
  readdirSync(folder)
    .filter(name => name.endsWith('.jsonl'))
    .sort()
    .flatMap(name => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    .map(line => JSON.parse(line));

const linesIn = (bytes: Buffer): readonly Record<string, unknown>[] =>
  bytes
    .toString()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));

const inMemory = (disk: MemoryDisk): readonly Record<string, unknown>[] => [...disk.files.values()].flatMap(linesIn);

const eventsOf = (records: readonly Record<string, unknown>[]): readonly unknown[] =>
  records.map(({ event, call_id }) => (call_id === undefined ? event : `${event} ${call_id}`));

const codeOf = (work: Promise<void>): Promise<unknown> =>
  work.then(
    () => 'on disk',
    (error: unknown) => (typeof error === 'object' && error !== null && 'code' in error ? error.code : error),
  );

describe('what is written', () => {
  test('one JSON object a line, chained, from started to stopped', async () => {
    await using place = await tempFolder();
    const { audit, folder, clock } = await setUp(place, { about: { version: '1.2.3' } });
    clock.advance(1_500);
    await audit.admit(admitted(1));
    audit.note(ended(1));
    audit.close();
    const records = onDisk(folder);
    expect(records).toEqual([
      {
        v: 1,
        seq: 1,
        time: '2026-01-01T00:00:00.000Z',
        event: 'started',
        detail: { version: '1.2.3', key: expect.stringMatching(/^[0-9a-f]{16}$/) },
        prev: expect.any(String),
        mac: expect.any(String),
      },
      {
        v: 1,
        seq: 2,
        time: '2026-01-01T00:00:01.500Z',
        ...admitted(1),
        prev: records[0]?.mac,
        mac: expect.any(String),
      },
      { v: 1, seq: 3, time: '2026-01-01T00:00:01.500Z', ...ended(1), prev: records[1]?.mac, mac: expect.any(String) },
      {
        v: 1,
        seq: 4,
        time: '2026-01-01T00:00:01.500Z',
        event: 'stopped',
        detail: {},
        prev: records[2]?.mac,
        mac: expect.any(String),
      },
    ]);
    expect(readdirSync(folder)[0]).toMatch(/^20260101T000000Z-[0-9a-f]{12}\.jsonl$/);
  });

  test('every process has a file of its own, and all share one key that only they can read', async () => {
    await using place = await tempFolder();
    const all = await Promise.all([setUp(place), setUp(place), setUp(place)]);
    for (const { audit } of all) audit.close();
    expect(readdirSync(join(place.path, 'audit')).length).toBe(3);
    const keys = new Set(
      onDisk(join(place.path, 'audit')).flatMap(({ detail }) =>
        typeof detail === 'object' && detail !== null && 'key' in detail ? [detail.key] : [],
      ),
    );
    expect(keys.size).toBe(1);
    expect((statSync(join(place.path, 'audit.key')).mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(join(place.path, 'audit.key')).length).toBe(32);
    expect(readdirSync(place.path).sort()).toEqual(['audit', 'audit.key']);
  });

  test('what a client made huge is kept by size and digest when refused, and whole when admitted', async () => {
    await using place = await tempFolder();
    const { audit, folder } = await setUp(place);
    const huge = 'x'.repeat(70_000);
    audit.note(refused(1, huge));
    await audit.admit(admitted(2, huge));
    audit.close();
    const [, note, admission] = onDisk(folder);
    expect(note?.tool).toEqual({
      bytes: 70_002,
      sha256: 'a56af2e9bfeba185d9f1ae0b88280e46325c593088cd0c3b1a308dc0df0e3677',
    });
    expect(admission).toMatchObject(admitted(2, huge));
  });

  test('the state store is told where the file ends', async () => {
    await using place = await tempFolder();
    const { audit, folder, store, tick } = await setUp(place);
    await audit.admit(admitted(1));
    await tick(100);
    const [head] = await store.heads();
    expect(head).toMatchObject({ file: readdirSync(folder)[0], seq: 2, mac: onDisk(folder)[1]?.mac });
    audit.note(ended(1));
    audit.close();
    expect(await store.heads()).toMatchObject([{ seq: 4, mac: onDisk(folder)[3]?.mac }]);
  });

  test('a store that takes no heads delays and refuses nothing, and is complained of once', async () => {
    await using place = await tempFolder();
    const clock = manualClock();
    const store = { ...memoryStore(clock), setHead: () => Promise.reject(new Error('down')) };
    const { audit, lines, tick } = await setUp(place, { store });
    await audit.admit(admitted(1));
    await tick(100);
    await audit.admit(admitted(2));
    await tick(100);
    audit.close();
    expect(lines).toEqual(['warn: the end of the audit is not vouched for']);
  });
});

describe('in groups and in order', () => {
  test('everything that is asked for while one sync runs shares the next', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit } = await setUp(place, { disk });
    const before = disk.syncs;
    const { promise, resolve } = deferred();
    disk.syncing = () => promise;
    const first = audit.admit(admitted('first'));
    await nextTurn();
    const rest = Array.from({ length: 64 }, (_, n) => audit.admit(admitted(n)));
    resolve();
    await Promise.all([first, ...rest]);
    expect(disk.syncs - before).toBe(2);
    expect(inMemory(disk).length).toBe(66);
  });

  test('sixty-four calls of one turn share one sync', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit } = await setUp(place, { disk });
    const before = disk.syncs;
    await Promise.all(Array.from({ length: 64 }, (_, n) => audit.admit(admitted(n))));
    expect(disk.syncs - before).toBe(1);
  });

  test('an admission is promised only after its sync [G7]', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit } = await setUp(place, { disk });
    const { promise, resolve } = deferred();
    disk.syncing = () => promise;
    let settled = false;
    const admission = audit.admit(admitted(1)).then(() => {
      settled = true;
    });
    await nextTurn();
    await nextTurn();
    expect([settled, inMemory(disk).length]).toEqual([false, 2]);
    resolve();
    await admission;
    expect(settled).toBe(true);
  });

  test('notes and admissions keep the order in which they came', async () => {
    await using place = await tempFolder();
    const { audit, folder } = await setUp(place);
    audit.note(refused(1));
    const one = audit.admit(admitted(2));
    audit.note(refused(3));
    const two = audit.admit(admitted(4));
    audit.note(ended(2));
    await Promise.all([one, two]);
    audit.close();
    expect(eventsOf(onDisk(folder))).toEqual([
      'started',
      'refused call-1',
      'admitted call-2',
      'refused call-3',
      'admitted call-4',
      'ended call-2',
      'stopped',
    ]);
  });

  test('a note alone is on disk with the next beat of at most 100 ms', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit, tick } = await setUp(place, { disk });
    audit.note(refused(1));
    audit.note(refused(2));
    await nextTurn();
    expect(eventsOf(inMemory(disk))).toEqual(['started']);
    const before = disk.syncs;
    await tick(100);
    expect(eventsOf(inMemory(disk))).toEqual(['started', 'refused call-1', 'refused call-2']);
    expect(disk.syncs - before).toBe(1);
  });
});

describe('a disk that fails', () => {
  const LONG = 'x'.repeat(5_000);
  const KINDS = [
    { title: 'a full disk', trouble: { write: FULL } },
    { title: 'a write that is cut short without an error', trouble: { write: 10 } },
    { title: 'a sync that fails', trouble: { sync: new Error('EIO: i/o error, fdatasync') } },
    { title: 'a full disk that cannot even be truncated', trouble: { write: 3_000, truncate: new Error('EIO') } },
  ];
  test.each(KINDS)('$title refuses admissions until it works again, and then says so', async ({ trouble }) => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit, lines, tick, clock } = await setUp(place, { disk });
    await audit.admit(admitted(1));
    disk.trouble = trouble;
    expect(await Promise.all([codeOf(audit.admit(admitted(2, LONG))), codeOf(audit.admit(admitted(3)))])).toEqual([
      'AUDIT_UNAVAILABLE',
      'AUDIT_UNAVAILABLE',
    ]);
    expect(await codeOf(audit.admit(admitted(4)))).toBe('AUDIT_UNAVAILABLE');
    audit.note(refused(5));
    await tick(1_000);
    clock.advance(60_000);
    disk.trouble = {};
    expect(await codeOf(audit.admit(admitted(6)))).toBe('on disk');
    const records = inMemory(disk);
    expect(eventsOf(records)).toEqual(['started', 'admitted call-1', 'recovered', 'refused call-5', 'admitted call-6']);
    expect(records[2]?.detail).toEqual({
      since: '2026-01-01T00:00:00.000Z',
      failed_writes: 3,
      refused_calls: 3,
      lost_notes: 0,
    });
    expect(records[3]?.time).toBe('2026-01-01T00:00:00.000Z');
    expect(lines).toEqual([
      'error: the audit cannot be written: calls are refused',
      'info: the audit is written again',
    ]);
    audit.close();
  });

  test('a short write is taken back at once, so that the file ends with a whole record', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit } = await setUp(place, { disk });
    const [bytes] = disk.files.values();
    disk.trouble = { write: 10 };
    await codeOf(audit.admit(admitted(1)));
    expect([...disk.files.values()]).toEqual([bytes]);
  });

  test('notes are written by themselves once the disk works again', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit, tick } = await setUp(place, { disk });
    disk.trouble = { write: FULL };
    audit.note(refused(1));
    await tick(100);
    disk.trouble = {};
    await tick(1_000);
    expect(eventsOf(inMemory(disk))).toEqual(['started', 'recovered', 'refused call-1']);
  });

  test('more notes than can be kept are counted, the oldest are kept', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit, tick } = await setUp(place, { disk });
    disk.trouble = { write: FULL };
    for (let n = 0; n < 1_300; n++) audit.note(refused(n));
    await tick(100);
    disk.trouble = {};
    await tick(1_000);
    const records = inMemory(disk);
    expect(records.length).toBe(2 + 1_000);
    expect(records[1]?.detail).toMatchObject({ failed_writes: 1, lost_notes: 300 });
  });

  test('a real file that may not grow ends with a whole record, and holds every admission that was promised', async () => {
    await using place = await tempFolder();
    const program = await bundle('test/audit/grow.worker.ts', place.path);
    const state = join(place.path, 'state');
    const limited = spawnSync('sh', ['-c', 'ulimit -f 40 && exec "$@"', 'sh', process.execPath, program, state], {
      encoding: 'utf8',
    });
    const outcomes: string[] = JSON.parse(limited.stdout);
    const promised = outcomes.filter(outcome => outcome === 'on disk').length;
    expect(promised).toBeGreaterThan(5);
    expect(outcomes[promised]).toMatch(/^The audit cannot be written: the disk is full: it took \d+ of \d+ bytes\.$/);
    expect(new Set(outcomes.slice(promised))).not.toContain('on disk');
    const records = onDisk(join(state, 'audit'));
    expect(eventsOf(records)).toEqual([
      'started',
      ...Array.from({ length: promised }, (_, call) => `admitted call-${call}`),
      'recovered',
      'stopped',
    ]);
    expect(records.at(-2)?.detail).toMatchObject({ refused_calls: 60 - promised, failed_writes: 60 - promised });
  });

  test('no audit is opened on a disk that takes nothing, and no file is left behind', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    disk.trouble = { write: FULL };
    await expect(setUp(place, { disk })).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: 'The audit cannot be written: ENOSPC: no space left on device, write.',
    });
    expect([[...disk.files], disk.misuses]).toEqual([[], []]);
  });
});

describe('a file that goes away', () => {
  test.each([
    { title: 'deleted', take: (path: string) => rmSync(path) },
    { title: 'renamed', take: (path: string) => renameSync(path, `${path}.1`) },
    {
      title: 'replaced',
      take: (path: string) => {
        rmSync(path);
        writeFileSync(path, '');
      },
    },
  ])('when its file is $title, the record goes on in another that names it', async ({ take }) => {
    await using place = await tempFolder();
    const { audit, folder, store, clock } = await setUp(place);
    await audit.admit(admitted(1));
    const [name = ''] = readdirSync(folder);
    take(join(folder, name));
    clock.advance(5_000);
    await audit.admit(admitted(2));
    audit.close();
    const other = readdirSync(folder).find(file => file !== name && file.endsWith('.jsonl')) ?? '';
    const records = readFileSync(join(folder, other), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(eventsOf(records)).toEqual(['started', 'admitted call-2', 'stopped']);
    expect(records[0].detail.after).toMatchObject({ file: name, seq: 2 });
    expect((await store.heads()).map(({ file, seq }) => [file, seq])).toEqual([
      [name, 2],
      [other, 3],
    ]);
  });

  test('when the whole folder is deleted, it is made again', async () => {
    await using place = await tempFolder();
    const { audit, folder } = await setUp(place);
    rmSync(folder, { recursive: true });
    await audit.admit(admitted(1));
    audit.close();
    expect(eventsOf(onDisk(folder))).toEqual(['started', 'admitted call-1', 'stopped']);
  });
});

test('a file that has grown to 64 MiB is followed by another', async () => {
  await using place = await tempFolder();
  const disk = new MemoryDisk();
  const { audit, store, tick } = await setUp(place, { disk });
  const huge = 'x'.repeat(23 * 1024 * 1024);
  for (const id of [1, 2, 3, 4]) await audit.admit(admitted(id, huge));
  await tick(100);
  audit.close();
  const [first, second] = [...disk.files.values()].map(bytes => eventsOf(linesIn(bytes)));
  expect([first, second]).toEqual([
    ['started', 'admitted call-1', 'admitted call-2', 'admitted call-3'],
    ['started', 'admitted call-4', 'stopped'],
  ]);
  expect((await store.heads()).map(({ seq }) => seq)).toEqual([4, 3]);
}, 60_000);

describe('closing', () => {
  test('writes what waits, refuses what was to be admitted, and lets nothing in afterwards', async () => {
    await using place = await tempFolder();
    const { audit, folder } = await setUp(place);
    audit.note(refused(1));
    const late = codeOf(audit.admit(admitted(2)));
    audit.close();
    audit.note(refused(3));
    expect([await late, await codeOf(audit.admit(admitted(4)))]).toEqual(['AUDIT_UNAVAILABLE', 'AUDIT_UNAVAILABLE']);
    expect(eventsOf(onDisk(folder))).toEqual(['started', 'refused call-1', 'admitted call-2', 'stopped']);
  });

  test.each(['before its write', 'during its sync'])(
    'in the middle of a write, %s, every record is there once',
    async when => {
      await using place = await tempFolder();
      const disk = new MemoryDisk();
      const { audit } = await setUp(place, { disk });
      const { promise, resolve } = deferred();
      disk.syncing = () => promise;
      const admission = codeOf(audit.admit(admitted(1)));
      if (when === 'during its sync') await nextTurn();
      else await undefined;
      audit.note(refused(2));
      audit.close();
      resolve();
      expect(await admission).toBe('AUDIT_UNAVAILABLE');
      await nextTurn();
      expect(eventsOf(inMemory(disk))).toEqual(['started', 'admitted call-1', 'refused call-2', 'stopped']);
      expect([disk.closed.size, disk.misuses]).toEqual([1, []]);
    },
  );

  test('on a full disk leaves the file ending with a whole record', async () => {
    await using place = await tempFolder();
    const disk = new MemoryDisk();
    const { audit, lines } = await setUp(place, { disk });
    audit.note(refused(1));
    disk.trouble = { write: 20 };
    audit.close();
    expect(eventsOf(inMemory(disk))).toEqual(['started']);
    expect(lines).toEqual(['error: the end of the audit was not written']);
  });
});

describe('private files', () => {
  const spoilers: readonly { title: string; spoil: (place: string) => void; message: RegExp }[] = [
    {
      title: 'a key that others can read',
      spoil: place => chmodSync(join(place, 'audit.key'), 0o640),
      message: /audit\.key is open to other users \(mode 0640\): run chmod 600/,
    },
    {
      title: 'a key of another length',
      spoil: place => writeFileSync(join(place, 'audit.key'), 'short'),
      message: /audit\.key is not a key: it has 5 bytes, not 32/,
    },
    {
      title: 'a link in place of the key',
      spoil: place => {
        renameSync(join(place, 'audit.key'), join(place, 'other'));
        symlinkSync(join(place, 'other'), join(place, 'audit.key'));
      },
      message: /audit\.key is a symbolic link/,
    },
    {
      title: 'a folder that others may write to',
      spoil: place => chmodSync(join(place, 'audit'), 0o777),
      message: /audit is open to other users \(mode 0777\): run chmod 700/,
    },
  ];
  test.each(spoilers)('$title is refused', async ({ spoil, message }) => {
    await using place = await tempFolder();
    const { audit } = await setUp(place);
    audit.close();
    spoil(place.path);
    await expect(setUp(place)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });

  test('no file is left behind by making a key', async () => {
    await using place = await tempFolder();
    const { audit } = await setUp(place);
    audit.close();
    expect(existsSync(join(place.path, 'audit.key'))).toBe(true);
    expect(readdirSync(place.path).length).toBe(2);
  });
});

const deferred = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
};
