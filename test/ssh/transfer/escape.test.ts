import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Transfer } from '../../../src/call.ts';
import { Failure } from '../../../src/errors.ts';
import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import type { TransferMoment, Transferred } from '../../../src/ssh/transfer/transfer.ts';
import { leaveOf } from '../../support/leave.ts';
import { failureOf, type Ground, groundOn, layGround, namesIn, sumOf } from './ground.ts';
import { atStep, hurriedClock } from './hurried-clock.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround({}, { clock: hurriedClock() });
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

const WAYS = ['up', 'down'] as const;
type Way = (typeof WAYS)[number];
const sidesOf = (way: Way) =>
  way === 'up' ? { source: ground.here, goal: ground.there } : { source: ground.there, goal: ground.here };

/** Acts once, when the bytes of a file have been charged and none of them has moved. */
const acting = (act: () => Promise<unknown>) =>
  leaveOf(undefined, async bytes => {
    if (bytes > 0) await act();
    return undefined;
  });

const denied = new Failure('POLICY_DENIED', 'It is not granted any more.');

test.each(WAYS)(
  'a file that is not granted any more when its last byte has moved gets no final name, and no part stays (%s)',
  async way => {
    const { source, goal } = sidesOf(way);
    await writeFile(join(source, `late-${way}`), randomBytes(1_000_000));
    let over = false;
    const leave = leaveOf(
      () => (over ? denied : undefined),
      async bytes => {
        if (bytes > 0) over = true;
        return undefined;
      },
    );
    expect(await failureOf(ground[way](`late-${way}`, `late-${way}`, { leave }))).toBe(denied);
    expect((await namesIn(goal)).filter(name => name.includes(`late-${way}`))).toEqual([]);
  },
);

describe('what takes the final name while a file is on its way', () => {
  test.each(WAYS)('a folder stays, and what is in it (%s)', async way => {
    const { source, goal } = sidesOf(way);
    await writeFile(join(source, `turns-${way}`), randomBytes(1_000_000));
    const leave = acting(async () => {
      await mkdir(join(goal, `turns-${way}`));
      await writeFile(join(goal, `turns-${way}`, 'kept'), 'kept');
    });
    expect((await failureOf(ground[way](`turns-${way}`, `turns-${way}`, { leave }))).code).toBe('FILE_FAILED');
    expect(await readFile(join(goal, `turns-${way}`, 'kept'), 'utf8')).toBe('kept');
  });

  test.each(WAYS)('a link is not followed, and what it leads to is not touched (%s)', async way => {
    const { source, goal } = sidesOf(way);
    const name = `links-${way}`;
    await writeFile(join(source, name), randomBytes(1_000_000));
    await writeFile(join(ground.here, '..', 'outside'), 'outside');
    const leave = acting(async () => await symlink(join(ground.here, '..', 'outside'), join(goal, name)));
    expect((await failureOf(ground[way](name, name, { leave }))).code).toBe('FILE_MOVED');
    expect(await readFile(join(ground.here, '..', 'outside'), 'utf8')).toBe('outside');
    expect(await readlink(join(goal, name))).toBe(join(ground.here, '..', 'outside'));
  });

  test.each(WAYS)(
    'its folder, moved away and replaced by a link, gives nothing to where that leads (%s)',
    async way => {
      const { source, goal } = sidesOf(way);
      await writeFile(join(source, `in-${way}`), randomBytes(1_000_000));
      const elsewhere = join(ground.here, '..', `elsewhere-${way}`);
      await Promise.all([mkdir(join(goal, `f-${way}`)), mkdir(elsewhere)]);
      const leave = acting(async () => {
        await rename(join(goal, `f-${way}`), join(goal, `moved-${way}`));
        await symlink(elsewhere, join(goal, `f-${way}`));
      });
      const [name, to] = way === 'up' ? [`f-${way}/x`, `in-${way}`] : [`in-${way}`, `f-${way}/x`];
      const failure = await failureOf(ground[way](name, to, { leave }));
      expect(['FILE_MOVED', 'NO_SUCH_FILE']).toContain(failure.code);
      expect(await namesIn(elsewhere)).toEqual([]);
    },
  );

  test.each(WAYS)('a file where its folder was is no defect (%s)', async way => {
    const { source, goal } = sidesOf(way);
    await writeFile(join(source, `on-${way}`), randomBytes(1_000_000));
    await mkdir(join(goal, `g-${way}`));
    const leave = acting(async () => {
      await rename(join(goal, `g-${way}`), join(goal, `gone-${way}`));
      await writeFile(join(goal, `g-${way}`), 'a file');
    });
    const [name, to] = way === 'up' ? [`g-${way}/x`, `on-${way}`] : [`on-${way}`, `g-${way}/x`];
    const failure = await failureOf(ground[way](name, to, { leave }));
    expect(failure.text).not.toContain(ground.here);
    expect(await readFile(join(goal, `g-${way}`), 'utf8')).toBe('a file');
  });
});

describe('a part that somebody has planted', () => {
  const size = 20_000_000;

  test.each(WAYS)('a link by its name is not followed (%s)', async way => {
    const { source, goal } = sidesOf(way);
    const name = `planted-${way}`;
    const victim = join(ground.here, '..', `victim-${way}`);
    await writeFile(join(source, name), randomBytes(size));
    const abort = new AbortController();
    await failureOf(ground[way](name, name, { signal: abort.signal, progress: atStep(30, () => abort.abort()) }));
    const [part = ''] = (await namesIn(goal)).filter(one => one.startsWith(`.${name}`));
    await rename(join(goal, part), victim);
    await symlink(victim, join(goal, part));
    const before = await sumOf(victim);
    expect(await ground[way](name, name, { resume: true })).toMatchObject({ bytes: size, size });
    expect([await sumOf(victim), await sumOf(join(goal, name))]).toEqual([before, await sumOf(join(source, name))]);
  });

  test.each(WAYS)('a source that has changed begins anew (%s)', async way => {
    const { source, goal } = sidesOf(way);
    const name = `changed-${way}`;
    await writeFile(join(source, name), randomBytes(size));
    const abort = new AbortController();
    await failureOf(ground[way](name, name, { signal: abort.signal, progress: atStep(30, () => abort.abort()) }));
    await writeFile(join(source, name), randomBytes(size));
    expect(await ground[way](name, name, { resume: true })).toMatchObject({ bytes: size, size });
    expect(await sumOf(join(goal, name))).toBe(await sumOf(join(source, name)));
  });
});

describe('a folder for files', () => {
  test('is left by no name that the system makes up for what is open', async () => {
    await symlink('/proc/self/fd', join(ground.here, 'open'));
    await symlink('/proc/self/root', join(ground.here, 'system'));
    await symlink('/dev/fd/0', join(ground.here, 'input'));
    for (const name of ['open/0', 'open', 'system/etc/passwd', 'input', '/proc/self/fd/0', '/dev/stdin']) {
      const failure = await failureOf(ground.up('leaked', name));
      expect([name, failure.code]).toEqual([name, 'LOCAL_DENIED']);
    }
    expect(await namesIn(ground.there)).not.toContain('leaked');
  });

  test('may be a link, and one in another one', async () => {
    await mkdir(join(ground.here, 'nested'), { mode: 0o700 });
    await symlink(join(ground.here, 'nested'), join(ground.here, '..', 'door'));
    await using own = await groundOn(ground.sshd, { files: { roots: [join(ground.here, '..', 'door'), ground.here] } });
    await own.up('source', { content: 'abc' });
    await own.down('source', 'got');
    expect(await readFile(join(ground.here, 'nested', 'got'), 'utf8')).toBe('abc');
    await own.down('source', join(ground.here, 'above'));
    expect(await readFile(join(ground.here, 'above'), 'utf8')).toBe('abc');
    await rm(join(ground.here, 'nested'), { recursive: true });
  });
});

/** Copies a whole folder between `here` and `there`. */
const tree = async (
  direction: 'upload' | 'download',
  [remote, localPath]: readonly [remote: string, localPath: string],
  { resume = false, deleteExtra = false, ...moment }: TransferMoment & { resume?: boolean; deleteExtra?: boolean } = {},
): Promise<Transferred> => {
  const about = { kind: 'transfer', target: targetOf(ground.host), remotePath: join(ground.there, remote) } as const;
  const action: Transfer = { ...about, direction, localPath, resume, tree: { links: 'skip', deleteExtra } };
  const call = { id: 'call_1', grant: 'local', tool: 'test', input: {}, action, at: 0 };
  return await ground.fleet.transfer(mint(call, {}, new AbortController().signal, leaveOf()), moment);
};

test.runIf(process.getuid?.() === 0)('a part in a tree that somebody else owns is not gone on with', async () => {
  const size = 20_000_000;
  const to = join(ground.here, 'mine');
  await mkdir(join(ground.there, 'theirs'));
  await writeFile(join(ground.there, 'theirs', 'big'), randomBytes(size));
  const abort = new AbortController();
  await failureOf(
    tree('download', ['theirs', 'mine'], { signal: abort.signal, progress: atStep(30, () => abort.abort()) }),
  );
  const [part = ''] = await readdir(to);
  await chown(join(to, part), 65_534, 65_534);
  expect(await tree('download', ['theirs', 'mine'], { resume: true })).toMatchObject({ files: 1, bytes: size });
  expect((await stat(join(to, 'big'))).uid).toBe(0);
});

test('extra entries are told by their bytes, also where the root is a link', async () => {
  await Promise.all([mkdir(join(ground.here, 'few')), mkdir(join(ground.there, 'many'))]);
  await symlink(join(ground.there, 'many'), join(ground.there, 'way'));
  const name = (last: number): Buffer =>
    Buffer.concat([Buffer.from(join(ground.there, 'many', 'n')), Buffer.from([last])]);
  for (const path of [name(0xff), name(0xfe)]) await writeFile(path, '');
  for (const file of ['a', 'A', 'e\u0301', '\u00e9']) await writeFile(join(ground.there, 'many', file), '');
  for (const file of ['a', '\u00e9']) await writeFile(join(ground.here, 'few', file), '');
  await writeFile(Buffer.concat([Buffer.from(join(ground.here, 'few', 'n')), Buffer.from([0xff])]), '');
  expect(await tree('upload', ['way', 'few'], { deleteExtra: true })).toMatchObject({ deleted: 3, leftOutCount: 0 });
  const left = await readdir(join(ground.there, 'many'), { encoding: 'buffer' });
  expect(left.map(bytes => bytes.toString('hex')).sort()).toEqual(['61', '6eff', 'c3a9']);
  expect(await readlink(join(ground.there, 'way'))).toBe(join(ground.there, 'many'));
});

test.runIf(process.platform === 'linux')('a file that never ends is given up, and nothing of it stays', async () => {
  const failure = await failureOf(ground.down('/proc/self/pagemap', 'endless'));
  expect([failure.code, failure.message]).toEqual([
    'FILE_FAILED',
    expect.stringContaining('has no size, and more than'),
  ]);
  expect((await namesIn(ground.here)).filter(name => name.includes('endless'))).toEqual([]);
});
