import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyOf, partName } from '../../../src/ssh/transfer/part.ts';
import { relayTo } from '../../support/relay.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { failureOf, type Ground, groundOn, namesIn, sumOf } from './ground.ts';
import { atStep, hurriedClock } from './hurried-clock.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(async () => {
  await sshd.close();
});

const SIZE = 48_000_001;
const MOST_LOOSE = 16_777_216;
/** Steps of a quarter of a mebibyte that are told until the half of it has gone. */
const HALF = 90;

/** A ground behind a line of twelve milliseconds, on which more than one conversation writes a large file. */
const farGround = async () => {
  const relay = await relayTo(sshd.port, { delayMs: 6 });
  const ground = await groundOn(sshd, { port: relay.port, clock: hurriedClock() });
  await writeFile(join(ground.here, 'big'), randomBytes(SIZE));
  const part = async () => (await namesIn(ground.there)).find(name => name.includes('.sallyport-'));
  return {
    ...{ relay, ground, part },
    [Symbol.asyncDispose]: async () => {
      await ground[Symbol.asyncDispose]();
      relay[Symbol.dispose]();
    },
  };
};

/** The processes that have a file of this folder open, those that began last at the end. */
const writersIn = async (folder: string): Promise<readonly number[]> => {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async pid => {
      const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const links = await Promise.all(open.map(fd => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
      return links.some(link => link.startsWith(`${folder}/`)) ? [pid] : [];
    }),
  );
  return found.flat().sort((a, b) => a - b);
};

const killOne = (pid: number | undefined): void => {
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
};

const same = async ({ here, there }: Ground): Promise<boolean> =>
  (await sumOf(join(here, 'big'))) === (await sumOf(join(there, 'big')));

describe('a large file over a long line', () => {
  test('is written by five, is whole, and nothing else is left beside it', async () => {
    await using far = await farGround();
    let writers: Promise<readonly number[]> | undefined;
    const progress = atStep(HALF, () => {
      writers = writersIn(far.ground.there);
    });
    expect(await far.ground.up('big', 'big', { progress })).toMatchObject({ size: SIZE, bytes: SIZE });
    expect(await writers).toHaveLength(5);
    expect([await same(far.ground), await namesIn(far.ground.there)]).toEqual([true, ['big']]);
  });

  test('that is given up leaves a part without gaps, of which nothing moves again', async () => {
    await using far = await farGround();
    const giveUp = new AbortController();
    const progress = atStep(HALF, () => giveUp.abort());
    const failure = await failureOf(far.ground.up('big', 'big', { signal: giveUp.signal, progress }));
    expect(failure.code).toBe('CANCELLED');
    const kept = Number(failure.details.resumable_bytes);
    expect(kept).toBeGreaterThan(65_535);
    const there = await readFile(join(far.ground.there, (await far.part()) ?? ''));
    const here = await readFile(join(far.ground.here, 'big'));
    expect([there.length, there.equals(here.subarray(0, kept))]).toEqual([kept, true]);
    const result = await far.ground.up('big', 'big', { resume: true });
    expect(result).toMatchObject({ resumedFrom: kept, bytes: SIZE - kept });
    expect([await same(far.ground), await namesIn(far.ground.there)]).toEqual([true, ['big']]);
  });

  test('of whose five writers one dies leaves a part without gaps, of which nothing moves again', async () => {
    await using far = await farGround();
    const progress = atStep(20, () => {
      void writersIn(far.ground.there).then(pids => killOne(pids.at(-1)));
    });
    const failure = await failureOf(far.ground.up('big', 'big', { progress }));
    expect(failure.code).toBe('CONNECTION_LOST');
    const kept = Number(failure.details.resumable_bytes);
    const result = await far.ground.up('big', 'big', { resume: true });
    expect(result).toMatchObject({ resumedFrom: kept, bytes: SIZE - kept });
    expect([await same(far.ground), await namesIn(far.ground.there)]).toEqual([true, ['big']]);
  });

  test('whose line is cut goes on with at least what was promised, and is whole', async () => {
    await using far = await farGround();
    const progress = atStep(HALF * 1.5, () => far.relay.reset());
    const failure = await failureOf(far.ground.up('big', 'big', { progress }));
    expect(failure.code).toBe('CONNECTION_LOST');
    const promised = Number(failure.details.resumable_bytes ?? 0);
    const result = await far.ground.up('big', 'big', { resume: true });
    if (result.what !== 'file') throw new Error('it is no file');
    expect(result.resumedFrom ?? 0).toBeGreaterThanOrEqual(promised);
    expect([await same(far.ground), await namesIn(far.ground.there)]).toEqual([true, ['big']]);
  });
});

describe('a small file over a long line', () => {
  const DELAY_MS = 30;

  /** The best of a few, in round trips. */
  const roundTrips = async (one: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let at = 0; at < 5; at++) {
      const begun = performance.now();
      await one();
      times.push(performance.now() - begun);
    }
    return Math.min(...times) / (2 * DELAY_MS);
  };

  test('takes eight round trips up, new or not, and seven down', async () => {
    using relay = await relayTo(sshd.port, { delayMs: DELAY_MS });
    await using ground = await groundOn(sshd, { port: relay.port });
    await writeFile(join(ground.here, 'small'), 'small');
    let count = 0;
    await ground.up('same', 'small');
    expect(await roundTrips(() => ground.up(`new-${++count}`, 'small'))).toBeLessThan(8.95);
    expect(await roundTrips(() => ground.up('same', 'small'))).toBeLessThan(8.95);
    expect(await roundTrips(() => ground.down('same', 'back'))).toBeLessThan(7.95);
  });
});

describe('a part that a cut line has left', () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await groundOn(sshd);
  });
  afterAll(async () => await ground[Symbol.asyncDispose]());

  /** Lays a source, and a part of 40,000,000 bytes of it with zeros at a place. */
  const lay = async (gapAt: number | undefined) => {
    const bytes = randomBytes(SIZE);
    await writeFile(join(ground.here, 'big'), bytes);
    const { mtimeMs } = await stat(join(ground.here, 'big'));
    const to = join(ground.there, 'big');
    const key = keyOf({ grant: 'local', to, size: SIZE, modifiedMs: Math.trunc(mtimeMs) });
    const part = join(ground.there, partName('big', randomBytes, key));
    await writeFile(part, bytes.subarray(0, 40_000_000));
    if (gapAt === undefined) return;
    const file = await open(part, 'r+');
    await file.write(Buffer.alloc(100), 0, 100, gapAt);
    await file.close();
  };

  test.each([
    { what: 'without gaps goes on at its end', gapAt: undefined, from: 40_000_000 },
    { what: 'with a gap in what was on its way goes on before that', gapAt: 39_000_000, from: 40_000_000 - MOST_LOOSE },
    { what: 'with a gap elsewhere is begun anew', gapAt: 10_000_000, from: undefined },
  ])('$what', async ({ gapAt, from }) => {
    await lay(gapAt);
    const result = await ground.up('big', 'big', { resume: true });
    expect(result).toMatchObject({ bytes: SIZE - (from ?? 0) });
    expect('resumedFrom' in result ? result.resumedFrom : undefined).toBe(from);
    expect([await same(ground), await namesIn(ground.there)]).toEqual([true, ['big']]);
  });
});
