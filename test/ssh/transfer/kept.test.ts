import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultOfRoot, localPlace } from '../../../src/ssh/transfer/local-place.ts';
import { tempFolder } from '../../support/temp.ts';

/** A home with what says who may do what in it, and folders that an operator could name for files. */
const account = async () => {
  const temp = await tempFolder();
  await temp.write('.config/sallyport/policy.json', '{}');
  await temp.write('.ssh/id_ed25519', 'secret');
  await mkdir(join(temp.path, 'files'), { mode: 0o700 });
  await mkdir(join(temp.path, '.config/sallyport/files'), { mode: 0o700 });
  await symlink(temp.path, join(temp.path, 'files', 'home'));
  await symlink(temp.path, join(temp.path, 'alias'));
  const kept = ['.config/sallyport/policy.json', '.ssh', '.local/state/sallyport'].map(name => join(temp.path, name));
  return { temp, kept, at: (name: string) => join(temp.path, name), [Symbol.asyncDispose]: () => temp.remove() };
};

test.each([
  { root: '', shared: '.config/sallyport/policy.json' },
  { root: '.config', shared: '.config/sallyport/policy.json' },
  { root: '.config/sallyport', shared: '.config/sallyport/policy.json' },
  { root: 'alias', shared: '.config/sallyport/policy.json' },
  { root: 'files/home', shared: '.config/sallyport/policy.json' },
  { root: '.ssh', shared: '.ssh' },
])('a folder for files that holds what a transfer is judged by, or what logs in, is none: ~/$root', async one => {
  await using home = await account();
  const { kept, at } = home;
  expect(await faultOfRoot(at(one.root), { kept })).toBe(
    `${at(one.root)} is too near to ${at(one.shared)}, which no transfer may touch: name a folder beside it.`,
  );
  const asked = localPlace({ roots: [at(one.root)], kept }, join(at(one.root), 'x'));
  await expect(asked).rejects.toMatchObject({ code: 'LOCAL_DENIED' });
});

test('a folder inside of one that is kept is none either, also while that one is not there yet', async () => {
  await using home = await account();
  const { kept, at } = home;
  await mkdir(at('.local/state/sallyport/files'), { recursive: true, mode: 0o700 });
  expect(await faultOfRoot(at('.local/state/sallyport/files'), { kept })).toContain('is too near to');
  expect(await faultOfRoot(at('.local'), { kept: [at('.local/later/policy.json')] })).toContain('is too near to');
});

test.each(['files', '.config/sallyport/files'])('a folder beside them is one: ~/%s', async root => {
  await using home = await account();
  const { kept, at } = home;
  expect(await faultOfRoot(at(root), { kept })).toBeUndefined();
  expect(await localPlace({ roots: [at(root)], kept }, 'x')).toMatchObject({ path: join(at(root), 'x') });
});
