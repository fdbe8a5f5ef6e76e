import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Transfer } from '../../../src/call.ts';
import { Failure } from '../../../src/errors.ts';
import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import { leaveOf } from '../../support/leave.ts';
import { type Ground, layGround, sha256, sumOf } from './ground.ts';

const ROUNDS = 200;
const SIZE = 1_500_000;
const TEXT = 'x'.repeat(200_000);

/** What a transfer of each manner does: `name` is what it makes. */
const MANNERS = {
  up: name => ({ direction: 'upload', localPath: 'file', resume: false, remote: name }),
  'up again': name => ({ direction: 'upload', localPath: 'file', resume: true, remote: name }),
  'text up': name => ({ direction: 'upload', from: { content: TEXT }, resume: false, remote: name }),
  down: name => ({ direction: 'download', localPath: name, resume: false, remote: 'file' }),
  'down again': name => ({ direction: 'download', localPath: name, resume: true, remote: 'file' }),
  'text down': () => ({
    direction: 'download',
    to: 'text',
    offset: 3,
    maxBytes: 30_000,
    resume: false,
    remote: 'file',
  }),
  'tree up': name => ({ direction: 'upload', localPath: 'tree', resume: false, remote: name, tree: TREE }),
  'tree down': name => ({ direction: 'download', localPath: name, resume: false, remote: 'tree', tree: TREE }),
} satisfies Record<string, (name: string) => object>;

const TREE = { links: 'skip', deleteExtra: false } as const;
type Manner = keyof typeof MANNERS;

const start = async (ground: Ground, manner: Manner, name: string, signal?: AbortSignal): Promise<unknown> => {
  const { remote, ...what } = MANNERS[manner](name);
  const action = { kind: 'transfer', target: targetOf(ground.host), remotePath: join(ground.there, remote), ...what };
  const call = { id: 'call_1', grant: 'local', tool: 'test', input: {}, action: action as Transfer, at: 0 };
  const permit = mint(call, {}, new AbortController().signal, leaveOf());
  return await ground.fleet.transfer(permit, signal === undefined ? {} : { signal });
};

/** Turns of the event loop until something has settled, while `each` is called in every one of them. */
const turnsOf = async (work: Promise<unknown>, each: (turns: number) => void = () => undefined): Promise<number> => {
  let [turns, over] = [0, false];
  const done = work
    .catch(() => undefined)
    .finally(() => {
      over = true;
    });
  for (; !over; turns++) {
    each(turns);
    await turn();
  }
  await done;
  return turns;
};

/** Whole numbers below a bound. */
const pseudoRandom = (seed: number): ((below: number) => number) => {
  let state = seed % 2_147_483_647;
  return below => {
    state = (state * 48_271) % 2_147_483_647;
    return state % Math.max(1, below);
  };
};

/** The plain files in a folder and below. */
const filesIn = async (folder: string): Promise<readonly { readonly path: string; readonly size: number }[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return await Promise.all(paths.map(async path => ({ path, size: (await stat(path)).size })));
};

const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

test('calls that are cancelled at any moment leave nothing under a final name that is not whole, no channel, and no descriptor', async () => {
  await using ground = await layGround();
  const { here, there } = ground;
  for (const folder of [here, there]) {
    await writeFile(join(folder, 'file'), randomBytes(SIZE));
    await mkdir(join(folder, 'tree', 'in'), { recursive: true });
    for (let at = 0; at < 12; at++)
      await writeFile(join(folder, 'tree', at % 2 ? 'in' : '.', `f${at}`), `${at}`.repeat(999));
    await writeFile(join(folder, 'tree', 'big'), randomBytes(SIZE));
  }
  const whole = new Set([sha256(TEXT)]);
  for (const { path } of [...(await filesIn(here)), ...(await filesIn(there))]) whole.add(await sumOf(path));
  const manners = Object.keys(MANNERS) as Manner[];
  const lengths = new Map<Manner, number>();
  for (const manner of manners) {
    lengths.set(manner, await turnsOf(start(ground, manner, `first ${manner}`)));
  }
  const before = await descriptors();
  // A descriptor that was forgotten may be found by the garbage collector, which says so.
  const warned: string[] = [];
  process.on('warning', ({ message }) => warned.push(message));
  const next = pseudoRandom(20_261_121);
  const codes: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    const manner = manners[round % manners.length] ?? 'up';
    // Those that go on have something to go on with now and then.
    const name = manner.endsWith('again') ? manner : `${manner} ${round}`;
    const abort = new AbortController();
    const at = next(lengths.get(manner) ?? 0);
    const work = start(ground, manner, name, abort.signal);
    await turnsOf(work, turns => {
      if (turns === at) abort.abort();
    });
    const code = await work.then(
      () => 'done',
      error => (error instanceof Failure ? error.code : String(error)),
    );
    codes[code] = (codes[code] ?? 0) + 1;
    if (manner.endsWith('again')) for (const folder of [here, there]) await rm(join(folder, name), { force: true });
  }
  expect(Object.keys(codes).filter(code => code !== 'done' && code !== 'CANCELLED')).toEqual([]);
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
  expect(warned).toEqual([]);
  const left = (await Promise.all([here, there].map(filesIn))).flat();
  const parts = left.filter(({ path }) => path.endsWith('.part'));
  expect(parts.filter(({ path, size }) => size < 65_536 || path.includes('.text '))).toEqual([]);
  const sums = await Promise.all(left.filter(one => !parts.includes(one)).map(({ path }) => sumOf(path)));
  expect(sums.filter(sum => !whole.has(sum))).toEqual([]);
  // More channels than a server gives at a time have been opened: none of them is lost.
  await Promise.all(manners.slice(0, 4).map(manner => start(ground, manner, `last ${manner}`)));
}, 120_000);
