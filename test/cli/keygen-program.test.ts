import { chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keygenProgram } from '../../src/cli/keygen-program.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

/** Somebody who runs none of this, and owns nothing here but what is given to them. */
const SOMEBODY = 54_321;
let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder('sallyport-keygen-');
});
afterAll(() => temp.remove());

/** A folder with an ssh-keygen of its own, which would say yes to everything. */
const planted = async (name: string): Promise<string> => {
  const folder = join(temp.path, name);
  await mkdir(folder);
  await writeFile(join(folder, 'ssh-keygen'), '#!/bin/sh\necho Good\n', { mode: 0o755 });
  return folder;
};
const found = (...folders: readonly string[]) =>
  keygenProgram({ uid: SOMEBODY, env: { PATH: [...folders, '/usr/bin'].join(':') } });

test('a program that the account has put before the real one is passed over, wherever PATH names it', async () => {
  const own = await planted('own');
  if (process.getuid?.() === 0) await chown(own, SOMEBODY, SOMEBODY);
  expect(found(own, '', '.', 'bin')).toBe('/usr/bin/ssh-keygen');
});

test('a link is as good as what it leads to, and never better than its own folder', async () => {
  const folder = join(temp.path, 'links');
  await mkdir(folder);
  await symlink('/usr/bin/ssh-keygen', join(folder, 'ssh-keygen'));
  expect(found(folder)).toBe('/usr/bin/ssh-keygen');
});

test('where there is none but the own, there is none', async () => {
  const own = await planted('only');
  expect(keygenProgram({ uid: SOMEBODY, env: { PATH: own } })).toBeUndefined();
});

test('without PATH the folders of the system are looked at', () => {
  expect(keygenProgram({ uid: SOMEBODY, env: {} })).toBe('/usr/bin/ssh-keygen');
});
