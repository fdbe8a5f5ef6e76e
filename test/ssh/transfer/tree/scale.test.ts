import { execFileSync, spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mayChooseAccount } from '../../../support/sshd.ts';
import { layTreeGround, type TreeGround } from './ground.ts';
import { failureOf, layIn, manyFiles } from './lay.ts';
import { diff } from './same.ts';

let ground: TreeGround;
beforeAll(async () => {
  ground = await layTreeGround();
});
afterAll(async () => await ground[Symbol.asyncDispose]());

test('ten thousand files go up, are known again, and come back the same', { timeout: 120_000 }, async () => {
  const from = await layIn(await ground.folder(), manyFiles(10_000, 50));
  const [there, back] = [ground.nothing(), ground.nothing()];
  const whole = { files: 10_000, unchanged: 0, leftOutCount: 0 };
  const nothing = { files: 0, unchanged: 10_000, bytes: 0, leftOutCount: 0 };
  expect(await ground.upload(from, there)).toMatchObject(whole);
  expect(await ground.upload(from, there)).toMatchObject(nothing);
  expect(await ground.download(there, back)).toMatchObject(whole);
  expect(await ground.download(there, back)).toMatchObject(nothing);
  expect([await diff(from, there), await diff(from, back)]).toEqual(['', '']);
});

describe.runIf(mayChooseAccount())('a disk here that is full', () => {
  test('ends the whole, and says so; what has a final name is whole, and nothing else is left', async () => {
    const files = manyFiles(3_000, 7);
    const from = await layIn(await ground.folder(), files);
    const to = await ground.folder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'none', to]);
    try {
      const failure = await failureOf(ground.download(from, join(to, 'tree')));
      expect([failure.code, failure.message]).toEqual(['LOCAL_FAILED', expect.stringContaining('(ENOSPC)')]);
      const names = (await readdir(to, { recursive: true, withFileTypes: true }))
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(join(to, 'tree/').length));
      for (const name of names)
        expect([name, await readFile(join(to, 'tree', name), 'utf8')]).toEqual([name, files[name]]);
      expect(failure.details.copied).toMatchObject({ files: names.length });
      expect(names.length).toBeGreaterThan(50);
    } finally {
      spawnSync('umount', ['-l', to]);
    }
  });
});
