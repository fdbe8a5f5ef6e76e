import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/call.ts';
import { type Database, type Driver, findDriver } from '../../src/state/driver.ts';
import { openSqlite, type SqliteOptions } from '../../src/state/sqlite.ts';
import type { Store } from '../../src/state/store.ts';
import { manualClock, realClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { bundle } from './bundle.ts';
import { admitted, charge, slot } from './charges.ts';

const driver = await findDriver();
const folder = await tempFolder();
const stores: Store[] = [];
afterAll(async () => {
  for (const store of stores) store.close();
  await folder.remove();
});

let count = 0;
const newFile = (): string => join(folder.path, `${++count}`, 'state.db');
const open = async (file: string, clock: Clock, more: Partial<SqliteOptions> = {}): Promise<Store> => {
  const store = await openSqlite({ file, clock, log: () => undefined, driver, uid: process.getuid?.(), ...more });
  stores.push(store);
  return store;
};
/** Everything in the one file, and nothing beside it: some drivers close late. */
const checkpointed = (file: string): void => {
  const database = driver.open(file);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
};
const failing = (message: RegExp) => ({ code: 'POLICY_UNAVAILABLE', message: expect.stringMatching(message) });

describe('time', () => {
  test('a restart keeps the counts', async () => {
    const [file, clock] = [newFile(), manualClock()];
    const first = await open(file, clock);
    expect(await admitted(first, charge(5), 3)).toBe(3);
    first.close();
    expect(await admitted(await open(file, clock), charge(5), 9)).toBe(2);
  });

  test('a reboot keeps the counts, aged by the wall clock', async () => {
    const file = newFile();
    const before = await open(file, manualClock({ wallMs: 1_800_000_000_000, monoMs: 90_000_000, bootId: 'one' }));
    expect(await admitted(before, charge(5), 5)).toBe(5);
    before.close();
    const clock = manualClock({ wallMs: 1_800_000_040_000, monoMs: 12_000, bootId: 'two' });
    const after = await open(file, clock);
    expect(await admitted(after, charge(5), 5)).toBe(0);
    clock.advance(19_000);
    expect(await admitted(after, charge(5), 5)).toBe(0);
    clock.advance(2_000);
    expect(await admitted(after, charge(5), 9)).toBe(5);
  });

  test('after a reboot with a wall clock set back by years, everything counts as new, and then ages', async () => {
    const file = newFile();
    const before = await open(file, manualClock({ wallMs: 1_800_000_000_000, bootId: 'one' }));
    await admitted(before, charge(5), 5);
    before.close();
    const clock = manualClock({ wallMs: 0, monoMs: 1_000, bootId: 'two' });
    const after = await open(file, clock);
    expect(await after.charge([charge(5)])).toEqual({ ok: false, short: charge(5), retryAfterMs: 60_000 });
    clock.advance(59_999);
    expect(await admitted(after, charge(5), 1)).toBe(0);
    clock.advance(1);
    expect(await admitted(after, charge(5), 9)).toBe(5);
  });

  test('what means nothing any more is thrown away', async () => {
    const [file, clock] = [newFile(), manualClock()];
    const first = await open(file, clock);
    for (let i = 0; i < 500; i++) await first.charge([charge(1, { key: `session ${i}` })]);
    first.close();
    clock.advance(62_000);
    const second = await open(file, clock);
    expect(await second.level(charge(1, { key: 'session 7' }))).toEqual({ used: 0, max: 1 });
    second.close();
    const database = driver.open(file);
    expect(database.prepare('SELECT count(*) AS n FROM page').all()).toMatchObject([{ n: 0 }]);
    database.close();
  });
});

test('time that passes while a charge waits for the lock is not taken off its window', async () => {
  const [file, clock] = [newFile(), manualClock()];
  const slow: Driver = {
    name: driver.name,
    open: path => {
      const database = driver.open(path);
      const exec = (sql: string): void => {
        database.exec(sql);
        if (sql === 'BEGIN IMMEDIATE') clock.advance(5_000);
      };
      return { exec, prepare: sql => database.prepare(sql), close: () => database.close() };
    },
  };
  const store = await open(file, clock, { driver: slow });
  await store.charge([charge(1)]);
  const after = await open(file, clock);
  clock.advance(59_999);
  expect((await after.charge([charge(1)])).ok).toBe(false);
});

describe('processes', () => {
  /** Two holders of one file, whose timers run when the test says so. */
  const two = async () => {
    const [file, clock] = [newFile(), manualClock()];
    const ticks: (() => void)[] = [];
    const every = (_ms: number, work: () => void) => {
      ticks.push(work);
      return () => undefined;
    };
    const [first, second] = [await open(file, clock, { every }), await open(file, clock, { every })];
    const tick = async (which: number): Promise<void> => {
      ticks[which]?.();
      await nextTurn();
    };
    return { clock, first, second, tick };
  };

  test('two holders of one file share every budget', async () => {
    const { first, second } = await two();
    expect(await admitted(first, charge(5), 3)).toBe(3);
    expect(await admitted(second, charge(5), 9)).toBe(2);
  });

  test('the slot of a holder that is gone is free after one lease, and not before', async () => {
    const { clock, first, second } = await two();
    await first.charge([slot(1)]);
    clock.advance(14_999);
    expect((await second.charge([slot(1)])).ok).toBe(false);
    clock.advance(1);
    expect((await second.charge([slot(1)])).ok).toBe(true);
  });

  test('a slot that is renewed lasts as long as its holder', async () => {
    const { clock, first, second, tick } = await two();
    const held = await first.charge([slot(1)]);
    for (let i = 0; i < 20; i++) {
      clock.advance(10_000);
      await tick(0);
      expect((await second.charge([slot(1)])).ok).toBe(false);
    }
    if (held.ok) await first.release(held.ticket);
    await tick(0);
    expect((await second.charge([slot(1)])).ok).toBe(true);
  });

  test('a holder that was frozen past its lease counts again once it wakes', async () => {
    const { clock, first, second, tick } = await two();
    await first.charge([slot(2)]);
    clock.advance(60_000);
    expect(await second.level(slot(2))).toMatchObject({ used: 0 });
    await tick(0);
    expect(await second.level(slot(2))).toMatchObject({ used: 1 });
    expect(await admitted(second, slot(2), 3)).toBe(1);
  });

  test('after a reboot no slot is held longer than one lease, whatever the wall clock says', async () => {
    const file = newFile();
    const before = await open(file, manualClock({ wallMs: 1_800_000_000_000, bootId: 'one' }));
    await before.charge([slot(1)]);
    before.close();
    const clock = manualClock({ wallMs: 0, monoMs: 1_000, bootId: 'two' });
    const after = await open(file, clock);
    expect((await after.charge([slot(1)])).ok).toBe(false);
    clock.advance(15_000);
    expect((await after.charge([slot(1)])).ok).toBe(true);
  });
});

describe('a store that cannot count refuses', () => {
  test('a file locked by another process is refused within a second, without holding up anything, and then works again', async () => {
    const file = newFile();
    const store = await open(file, realClock);
    const other = driver.open(file);
    other.exec('BEGIN IMMEDIATE');
    const from = performance.now();
    let longestMs = 0;
    let last = from;
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 1);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.charge([charge(99)])));
    clearInterval(watch);
    const tookMs = performance.now() - from;
    other.exec('ROLLBACK');
    other.close();
    expect(results.map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
    expect(results[0]).toMatchObject({ reason: failing(/state\.db cannot be used: another process holds it\.$/) });
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(2_000);
    expect(longestMs).toBeLessThan(250);
    expect(await admitted(store, charge(99), 3)).toBe(3);
  });

  test('a file that is deleted while it is open is refused until it is back, and its counts with it', async () => {
    const [file, clock] = [newFile(), manualClock()];
    const store = await open(file, clock);
    expect(await admitted(store, charge(5), 3)).toBe(3);
    const aside = `${file}.aside`;
    for (const end of ['', '-wal', '-shm']) renameSync(`${file}${end}`, `${aside}${end}`);
    await expect(store.charge([charge(5)])).rejects.toMatchObject(failing(/it has gone; put it back/));
    expect(existsSync(file)).toBe(false);
    for (const end of ['', '-wal', '-shm'])
      if (existsSync(`${aside}${end}`)) renameSync(`${aside}${end}`, `${file}${end}`);
    expect(await admitted(store, charge(5), 9)).toBe(2);
  });

  test('a log of changes that is deleted under open files loses nothing', async () => {
    const [file, clock] = [newFile(), manualClock()];
    const [first, second] = [await open(file, clock), await open(file, clock)];
    expect(await admitted(first, charge(5), 2)).toBe(2);
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`);
    expect(await admitted(first, charge(5), 2)).toBe(2);
    expect(await admitted(second, charge(5), 9)).toBe(1);
  });

  const FULL_PAGE = 4096;
  test.each([
    { title: 'an empty file', damage: (file: string) => truncateSync(file, 0) },
    { title: 'a file cut to its first page', damage: (file: string) => truncateSync(file, FULL_PAGE) },
    {
      title: 'a file of something else',
      damage: (file: string) =>
        writeFileSync(file, 'not a database at all, and long enough to be read as one'.repeat(99)),
    },
    {
      title: 'a file with one name changed, which only breaks the order',
      damage: (file: string) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill('zzz', bytes.indexOf('w:60000:aaa') + 8, bytes.indexOf('w:60000:aaa') + 11));
      },
    },
    {
      title: 'a file with a page of zeros',
      damage: (file: string) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0, FULL_PAGE, 2 * FULL_PAGE));
      },
    },
  ])('$title is refused and left as it is', async ({ damage }) => {
    const [file, clock] = [newFile(), manualClock()];
    const sound = await open(file, clock);
    for (const key of ['aaa', 'bbb', 'ccc']) await sound.charge([charge(5, { key })]);
    sound.close();
    checkpointed(file);
    damage(file);
    const before = readFileSync(file);
    await expect(open(file, clock)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    expect(readFileSync(file)).toEqual(before);
  });

  test('a database of somebody else, or of a later version, is refused', async () => {
    const [file, clock] = [newFile(), manualClock()];
    (await open(file, clock)).close();
    const edit = (sql: string): void => {
      const database = driver.open(file);
      database.exec(sql);
      database.close();
    };
    edit('PRAGMA user_version=2');
    await expect(open(file, clock)).rejects.toMatchObject(failing(/has format 2; this version reads 1/));
    edit('PRAGMA application_id=7');
    await expect(open(file, clock)).rejects.toMatchObject(failing(/is not a state file of Sallyport/));
  });

  test('a count that was tampered with is refused, never read as nothing', async () => {
    for (const text of [
      '[]',
      '{}',
      '',
      '["boot-1",["a",1,1]]',
      '["boot-1",["a",1,1,-5]]',
      '["boot-1",["a",1,1,1.5]]',
    ]) {
      const [file, clock] = [newFile(), manualClock()];
      const store = await open(file, clock);
      await admitted(store, charge(5), 5);
      const other = driver.open(file);
      other.prepare('UPDATE page SET text = ?').run(text);
      other.close();
      await expect(store.charge([charge(5)])).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
      expect(await admitted(store, charge(5, { key: 'another' }), 1)).toBe(1);
    }
  });
});

describe('private files', () => {
  test('the folder is made 0700 and the files are 0600', async () => {
    const file = newFile();
    const store = await open(file, manualClock());
    await admitted(store, charge(5), 1);
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(dirname(file))).toBe('700');
    expect(readdirSync(dirname(file)).map(name => [name, mode(join(dirname(file), name))])).toEqual([
      ['state.db', '600'],
      ['state.db-shm', '600'],
      ['state.db-wal', '600'],
    ]);
  });

  test.each([
    {
      title: 'a folder that the group may write to',
      spoil: (file: string) => chmodSync(dirname(file), 0o770),
      message: /is open to other users \(mode 0770\): run chmod 700 /,
    },
    {
      title: 'a file that anybody may write to',
      spoil: (file: string) => chmodSync(file, 0o602),
      message: /is open to other users \(mode 0602\): run chmod 600 /,
    },
    {
      title: 'a symbolic link in place of the file',
      spoil: (file: string) => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
      message: /is not a plain file/,
    },
    {
      title: 'a symbolic link in place of the folder',
      spoil: (file: string) => {
        renameSync(dirname(file), `${dirname(file)}.real`);
        symlinkSync(`${dirname(file)}.real`, dirname(file));
      },
      message: /is not a folder, or only a link to one/,
    },
  ])('$title is refused', async ({ spoil, message }) => {
    const [file, clock] = [newFile(), manualClock()];
    (await open(file, clock)).close();
    spoil(file);
    await expect(open(file, clock)).rejects.toMatchObject(failing(message));
  });

  test('a file of another user is refused', async () => {
    const [file, clock] = [newFile(), manualClock()];
    (await open(file, clock)).close();
    const root = process.getuid?.() === 0;
    if (root) chownSync(file, 12_345, 12_345);
    const uid = root ? 0 : 12_345;
    await expect(open(file, clock, { uid })).rejects.toMatchObject(failing(/belongs to user \d+, not to user \d+/));
  });
});

describe('faults', () => {
  /** A driver whose n-th operation from now fails with one of SQLite's codes, and `times - 1` more after it. */
  const faulty = (
    code: number,
  ): Driver & { readonly failAt: (n: number, times?: number) => void; readonly operations: () => number } => {
    let left = Number.POSITIVE_INFINITY;
    let failures = 1;
    let operations = 0;
    const step = (): void => {
      operations += 1;
      left -= 1;
      if (left <= 0 && left > -failures) throw Object.assign(new Error(`injected ${code}`), { errcode: code });
    };
    const guard = <Out>(work: () => Out): Out => {
      step();
      return work();
    };
    const wrap = (database: Database): Database => ({
      exec: sql => guard(() => database.exec(sql)),
      prepare: sql => {
        const statement = database.prepare(sql);
        return {
          all: (...values) => guard(() => statement.all(...values)),
          run: (...values) => guard(() => statement.run(...values)),
        };
      },
      close: () => database.close(),
    });
    return {
      name: driver.name,
      open: file => wrap(driver.open(file)),
      failAt: (n, times = 1) => {
        left = n;
        failures = times;
      },
      operations: () => operations,
    };
  };

  const CODES = [
    { name: 'an I/O error', code: 10 },
    { name: 'a full disk', code: 13 },
    { name: 'a read-only disk', code: 8 },
    { name: 'no memory', code: 7 },
    { name: 'damage', code: 11 },
    { name: 'a file that cannot be opened', code: 14 },
    { name: 'a fault without a name', code: 1 },
  ];
  test.each(CODES)(
    '$name at any step of a charge refuses it or keeps it whole, and the next one works',
    async ({ code }) => {
      const [file, clock] = [newFile(), manualClock()];
      const faults = faulty(code);
      const store = await open(file, clock, { driver: faults });
      const [wide, narrow] = [charge(1_000, { key: 'wide' }), slot(1_000)];
      await store.charge([wide, narrow]);
      const before = faults.operations();
      await store.charge([wide, narrow]);
      const steps = faults.operations() - before;
      expect(steps).toBeGreaterThan(4);
      let ok = 2;
      for (let n = 2; n <= 2 * (steps + 1); n++) {
        faults.failAt(Math.floor(n / 2), 1 + (n % 2));
        const one = await store.charge([wide, narrow]).catch((error: unknown) => error);
        if (typeof one === 'object' && one !== null && 'ok' in one) ok += 1;
        else expect(one).toMatchObject({ code: 'POLICY_UNAVAILABLE' });
        faults.failAt(Number.POSITIVE_INFINITY);
        expect([(await store.level(wide)).used, (await store.level(narrow)).used]).toEqual([ok, ok]);
        expect((await store.charge([wide, narrow])).ok).toBe(true);
        ok += 1;
      }
    },
  );

  test('a release that failed is done by the next renewal', async () => {
    const [file, clock] = [newFile(), manualClock()];
    const faults = faulty(13);
    const ticks: (() => void)[] = [];
    const every = (_ms: number, work: () => void) => {
      ticks.push(work);
      return () => undefined;
    };
    const store = await open(file, clock, { driver: faults, every });
    const held = await store.charge([slot(1)]);
    faults.failAt(2);
    if (held.ok) await expect(store.release(held.ticket)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    expect((await store.charge([slot(1)])).ok).toBe(false);
    ticks[0]?.();
    await nextTurn();
    expect((await store.charge([slot(1)])).ok).toBe(true);
  });

  test('a file that may not grow refuses, keeps what it had, and counts on once it may grow again', async () => {
    await using place = await tempFolder();
    const program = await bundle('test/state/grow.worker.ts', place.path);
    const file = join(place.path, 'state', 'state.db');
    const limited = spawnSync('sh', ['-c', `ulimit -f 200 && exec "$@"`, 'sh', process.execPath, program, file], {
      encoding: 'utf8',
    });
    const { ok, refused, codes } = JSON.parse(limited.stdout);
    expect({ refused: refused > 0, codes }).toEqual({ refused: true, codes: ['POLICY_UNAVAILABLE'] });
    const store = await open(file, realClock);
    const day = { kind: 'window', windowMs: 86_400_000 } as const;
    expect((await store.level(charge(1_000_000, { key: 'all', span: day }))).used).toBe(ok);
    expect((await store.charge([charge(1_000_000, { key: 'all', span: day })])).ok).toBe(true);
  });
});
