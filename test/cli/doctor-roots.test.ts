import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { examine, foundOf, settle } from './examined.ts';
import { person } from './person.ts';

const PIN = `SHA256:${'A'.repeat(43)}`;

test('doctor says which folders for files no transfer will touch, and why', async () => {
  await using somebody = await person();
  const at = (name: string) => join(somebody.home.path, name);
  await mkdir(at('good'), { mode: 0o700 });
  await mkdir(at('open'));
  await chmod(at('open'), 0o777);
  await somebody.home.write('plain', '');
  await settle(somebody, {}, { files: { root: ['~/good', '~/open', '~/plain', '~/missing', '~'] } });
  const found = foundOf(await examine(somebody), 'files');
  expect(found.map(({ status, says }) => `${status} ${says}`)).toEqual([
    `ok transfers may read and write ${at('good')}`,
    `wrong no transfer may touch it: ${at('open')} can be written by others: run chmod go-w ${at('open')}.`,
    `wrong no transfer may touch it: ${at('plain')} is no folder.`,
    `wrong no transfer may touch it: ${at('missing')} does not exist.`,
    `wrong no transfer may touch it: ${somebody.home.path} is too near to ${at('.config/sallyport/config.json')}, which no transfer may touch: name a folder beside it.`,
  ]);
});

test.each([
  { names: 'who may approve', more: { approvals: { allowedSigners: '~/work/x' } } },
  { names: 'what signs an approval', more: { approvals: { key: '~/work/x' } } },
  { names: 'which hosts are trusted', more: { knownHosts: ['~/work/x'] } },
  { names: 'how hosts are reached', more: { sshConfig: '~/work/x' } },
  { names: 'what a grant may do', more: { grants: { other: { policy: '~/work/x' } } } },
  {
    names: 'what logs in',
    hosts: { web: { address: '127.0.0.1', user: 'me', auth: { key: '~/work/x' }, hostKey: PIN } },
  },
])('a folder for files that holds the file which says $names is touched by no transfer', async one => {
  await using somebody = await person();
  const at = (name: string) => join(somebody.home.path, name);
  await mkdir(at('work'), { mode: 0o700 });
  await somebody.home.write('work/x', '');
  await settle(somebody, one.hosts ?? {}, { ...one.more, files: { root: '~/work' } });
  const [found] = foundOf(await examine(somebody), 'files');
  expect(found?.says).toBe(
    `no transfer may touch it: ${at('work')} is too near to ${at('work/x')}, which no transfer may touch: name a folder beside it.`,
  );
});
