import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../../state/bundle.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { type Ground, layGround, namesIn, sha256, sumOf } from './ground.ts';
import type { Told } from './upload.worker.ts';
import { watch } from './watcher.ts';

let ground: Ground;
let folder: TempFolder;
let program: string;
beforeAll(async () => {
  folder = await tempFolder();
  [ground, program] = await Promise.all([layGround(), bundle('test/ssh/transfer/upload.worker.ts', folder.path)]);
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
  await folder.remove();
});

/** Another process of ours that uploads a file. */
const start = (localPath: string, name: string) => {
  const { host, here, there, sshd } = ground;
  const told: Told = { host, knownHosts: sshd.knownHosts, here, localPath, remotePath: join(there, name) };
  const child = spawn(process.execPath, [program, JSON.stringify(told)], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, lines: createInterface({ input: child.stdout }), closed: once(child, 'close') };
};

test('a process that was killed in the middle leaves a part, with which another one goes on', async () => {
  const size = 300_000_000;
  await writeFile(join(ground.here, 'big'), '');
  await truncate(join(ground.here, 'big'), size);
  const watcher = await watch(join(ground.there, 'big'), size);
  const { child, lines, closed } = start('big', 'big');
  let steps = 0;
  for await (const _line of lines) if (++steps === 60) child.kill('SIGKILL');
  await closed;
  const parts = (await namesIn(ground.there)).filter(name => name.endsWith('.part'));
  expect(parts).toHaveLength(1);
  const result = await ground.up('big', 'big', { resume: true });
  const { resumedFrom = 0 } = result as { resumedFrom?: number };
  expect(resumedFrom).toBeGreaterThan(65_536);
  expect(result.bytes).toBe(size - resumedFrom);
  expect(await sumOf(join(ground.there, 'big'))).toBe(await sumOf(join(ground.here, 'big')));
  expect((await watcher.end()).wrong).toEqual([]);
  expect(await namesIn(ground.there)).toEqual(['big']);
}, 60_000);

test('of processes that upload to one name at once, one has it whole at the end', async () => {
  const size = 3_000_000;
  const contents = [0, 1, 2].map(() => randomBytes(size));
  await Promise.all(contents.map((bytes, index) => writeFile(join(ground.here, `own${index}`), bytes)));
  const watcher = await watch(join(ground.there, 'one'), size);
  const others = [0, 1].map(index => start(`own${index}`, 'one'));
  await ground.up('one', 'own2');
  await Promise.all(others.map(({ closed }) => closed));
  expect(contents.map(sha256)).toContain(await sumOf(join(ground.there, 'one')));
  expect((await watcher.end()).wrong).toEqual([]);
  expect((await namesIn(ground.there)).filter(name => name !== 'big')).toEqual(['one']);
}, 30_000);
