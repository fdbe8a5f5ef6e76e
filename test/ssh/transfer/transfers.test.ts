import { randomBytes } from 'node:crypto';
import { mkdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stop, Transfer } from '../../../src/call.ts';
import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import { Overseer } from '../../../src/ssh/overseer.ts';
import { lifeOf } from '../../support/fleet.ts';
import { changingInventory } from '../../support/inventory.ts';
import { leaveOf } from '../../support/leave.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { failureOf, type Ground, groundOn, namesIn, sha256 } from './ground.ts';
import { atStep, hurriedClock } from './hurried-clock.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(async () => {
  await sshd.close();
});

/** A leave that lets bytes move only when it is told to. */
const holding = () => {
  let open = (): void => undefined;
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  let met = (): void => undefined;
  const reached = new Promise<void>(resolve => {
    met = resolve;
  });
  const leave = leaveOf(undefined, async bytes => {
    if (bytes === 0) return undefined;
    met();
    await opened;
    return undefined;
  });
  return { leave, open, reached };
};

const SIZE = 20_000_000;
const made = async (ground: Ground, ...names: readonly string[]): Promise<void> => {
  for (const name of names) await writeFile(join(ground.here, name), randomBytes(SIZE));
};

test('four transfers of a grant move at a time, and the fifth waits for its turn; another grant is not held up', async () => {
  await using ground = await groundOn(sshd);
  await writeFile(join(ground.here, 'f'), 'abc');
  const held = holding();
  const said: string[] = [];
  const first = [0, 1, 2, 3].map(index => ground.up(`f${index}`, 'f', { leave: held.leave }));
  await held.reached;
  await expect.poll(() => held.leave.asked.filter(asked => 'bytes' in asked && asked.bytes === 3).length).toBe(4);
  const fifth = ground.up('f4', 'f', { progress: message => said.push(message) });
  await ground.up('other', 'f', { grant: 'other' });
  expect(await namesIn(ground.there)).not.toContain('f4');
  held.open();
  await Promise.all([...first, fifth]);
  expect(said[0]).toBe('waits: 4 transfers are under way');
  expect((await namesIn(ground.there)).filter(name => !name.startsWith('.'))).toEqual([
    'f0',
    'f1',
    'f2',
    'f3',
    'f4',
    'other',
  ]);
});

test('more than sixty-four do not wait, and who gives up waiting is out of the queue', async () => {
  await using ground = await groundOn(sshd, { caps: { transfersPerGrant: 1 } });
  await writeFile(join(ground.here, 'f'), 'abc');
  const held = holding();
  const first = ground.up('first', 'f', { leave: held.leave });
  await held.reached;
  const [one, rest] = [new AbortController(), new AbortController()];
  let queued = 0;
  const progress = (): void => {
    queued += 1;
  };
  const waiting = Array.from({ length: 64 }, (_, index) =>
    failureOf(ground.up(`w${index}`, 'f', { progress, signal: index === 0 ? one.signal : rest.signal })),
  );
  await expect.poll(() => queued).toBe(64);
  expect((await failureOf(ground.up('late', 'f'))).code).toBe('BUSY');
  one.abort();
  expect((await waiting[0])?.code).toBe('CANCELLED');
  const next = ground.up('next', 'f');
  rest.abort();
  held.open();
  await Promise.all([first, next]);
  expect(new Set((await Promise.all(waiting)).map(({ code }) => code))).toEqual(new Set(['CANCELLED']));
  expect(await namesIn(ground.there)).toEqual(['first', 'next']);
});

test('what is under way is seen by its grant and by the operator, who can end it', async () => {
  const overseer = new Overseer();
  await using ground = await groundOn(sshd, { overseer });
  await made(ground, 'f');
  const held = holding();
  const moving = failureOf(ground.up('f', 'f', { leave: held.leave }));
  await held.reached;
  const status = await ground.fleet.status(
    mint({ id: 'c', grant: 'local', tool: 't', input: {}, action: { kind: 'observe', what: 'status' }, at: 0 }, {}),
  );
  expect(status.transfers).toEqual([
    {
      ...{ host: 'web', direction: 'upload', remotePath: join(ground.there, 'f') },
      ...{ bytes: 0, totalBytes: SIZE, durationMs: expect.any(Number) },
    },
  ]);
  const [seen] = overseer.all();
  expect(seen).toMatchObject({
    kind: 'transfer',
    grant: 'local',
    host: 'web',
    what: `upload ${join(ground.there, 'f')}`,
  });
  const ended = seen?.end();
  held.open();
  expect(await ended).toEqual({ outcome: 'confirmed', signals: [], remaining: [] });
  expect(await seen?.ended).toBe('cancelled');
  expect((await moving).message).toBe('The operator of this machine has stopped the transfer.');
  expect([overseer.all(), await namesIn(ground.there)]).toEqual([[], []]);
});

test.each([
  { how: 'a disconnect of its grant', code: 'CANCELLED' },
  { how: 'a host that is configured anew', code: 'UNKNOWN_HOST' },
  { how: 'the end of the server', code: 'SHUTTING_DOWN' },
] as const)('$how ends it, and it can be gone on with', async ({ how, code }) => {
  const inventory = changingInventory([]);
  const host = await sshd.host({ hostKeys: sshd.hostKeys.map(key => key.fingerprint) });
  inventory.change([host]);
  await using ground = await groundOn(sshd, { inventory, clock: hurriedClock() });
  await made(ground, 'f');
  const end = async (): Promise<void> => {
    const action: Stop = { kind: 'stop', what: 'connection', target: targetOf(host) };
    if (code === 'UNKNOWN_HOST') inventory.change([{ ...host, user: 'other' }]);
    else if (code === 'SHUTTING_DOWN') await ground.fleet.shutdown(5_000);
    else await ground.fleet.disconnect(mint({ id: 'c', grant: 'local', tool: 't', input: {}, action, at: 0 }, {}));
  };
  let ending: Promise<void> | undefined;
  const failure = await failureOf(
    ground.up('f', 'f', {
      progress: atStep(40, () => {
        ending = end();
      }),
    }),
  );
  await ending;
  expect([failure.code, how]).toEqual([code, how]);
  expect(failure.details.resumable_bytes).toBeGreaterThan(65_535);
  expect(await namesIn(ground.there)).toEqual([expect.stringMatching(/^\.f\.sallyport-.*\.part$/)]);
});

test('a disconnect of one grant leaves what another one moves', async () => {
  await using ground = await groundOn(sshd);
  await made(ground, 'f');
  const held = holding();
  const moving = ground.up('f', 'f', { leave: held.leave, grant: 'other' });
  await held.reached;
  const action: Stop = { kind: 'stop', what: 'connection', target: targetOf(ground.host) };
  await ground.fleet.disconnect(mint({ id: 'c', grant: 'local', tool: 't', input: {}, action, at: 0 }, {}));
  held.open();
  expect(await moving).toMatchObject({ size: SIZE });
});

test('its life is in the record by bytes and sums, for as long as it moves', async () => {
  await using ground = await groundOn(sshd);
  await writeFile(join(ground.here, 'f'), 'abc');
  const about = {
    kind: 'transfer',
    target: targetOf(ground.host),
    remotePath: join(ground.there, 'f'),
    resume: false,
  } as const;
  const action: Transfer = { ...about, direction: 'upload', localPath: 'f' };
  const permitOf = (given: Transfer) =>
    mint(
      { id: 'c', grant: 'local', tool: 't', input: {}, action: given, at: 0 },
      {},
      new AbortController().signal,
      leaveOf(),
    );
  const [up, down] = [permitOf(action), permitOf({ ...about, direction: 'download', localPath: 'no/folder/f' })];
  await ground.fleet.transfer(up, {});
  await failureOf(ground.fleet.transfer(down, {}));
  expect(await lifeOf(up)).toEqual({
    ...{ how: 'done', real_path: join(ground.there, 'f'), bytes: 3, size: 3, sha256: sha256('abc') },
    duration_ms: expect.any(Number),
  });
  expect(await lifeOf(down)).toEqual({
    how: 'failed',
    code: 'NO_SUCH_FILE',
    bytes: 0,
    duration_ms: expect.any(Number),
  });
});

test('what this machine refuses is refused before a host is dialled', async () => {
  await using ground = await groundOn(sshd, { port: 1 });
  const failures = await Promise.all([
    failureOf(ground.up('f', '/etc/passwd')),
    failureOf(ground.down('f', '/etc/passwd')),
    failureOf(ground.up('/a/../b', { content: '' })),
  ]);
  expect(failures.map(({ code }) => code)).toEqual(['LOCAL_DENIED', 'LOCAL_DENIED', 'INVALID_INPUT']);
});

test('a file that root replaces stays whose it was', async context => {
  if (process.getuid?.() !== 0) return context.skip();
  await using ground = await groundOn(sshd);
  const { chown } = await import('node:fs/promises');
  await writeFile(join(ground.there, 'theirs'), 'old');
  await chown(join(ground.there, 'theirs'), 65_534, 65_533);
  await ground.up('theirs', { content: 'new' });
  const { uid, gid } = await stat(join(ground.there, 'theirs'));
  expect([uid, gid]).toEqual([65_534, 65_533]);
});

test('a tree goes up and comes back', async () => {
  await using ground = await groundOn(sshd);
  await mkdir(join(ground.here, 'tree', 'folder'), { recursive: true });
  await writeFile(join(ground.here, 'tree', 'folder', 'f'), 'abc');
  await writeFile(join(ground.here, 'tree', 'big'), '');
  await truncate(join(ground.here, 'tree', 'big'), 3_000_000);
  const tree = { links: 'skip', deleteExtra: false } as const;
  const about = {
    kind: 'transfer',
    target: targetOf(ground.host),
    remotePath: join(ground.there, 'tree'),
    resume: false,
    tree,
  } as const;
  const run = async (action: Transfer) =>
    await ground.fleet.transfer(
      mint(
        { id: 'c', grant: 'local', tool: 't', input: {}, action, at: 0 },
        {},
        new AbortController().signal,
        leaveOf(),
      ),
      {},
    );
  const up = await run({ ...about, direction: 'upload', localPath: 'tree' });
  const down = await run({ ...about, direction: 'download', localPath: 'back' });
  expect([up, down]).toMatchObject(Array(2).fill({ what: 'tree', files: 2, unchanged: 0, leftOutCount: 0 }));
  expect(await namesIn(join(ground.here, 'back'))).toEqual(['big', 'folder']);
});
