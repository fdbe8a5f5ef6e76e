import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { type Person, person } from './person.ts';

let sshd: Sshd;
let bastion: Sshd;
beforeAll(async () => {
  [sshd, bastion] = await Promise.all([startSshd(), startSshd()]);
});
afterAll(async () => {
  await Promise.all([sshd.close(), bastion.close()]);
});

const fingerprintOf = ({ hostKeys }: Sshd): string => hostKeys[0]?.fingerprint ?? '';
const publicKeyOf = ({ hostKeys }: Sshd): string => hostKeys[0]?.publicKey ?? '';

const place = async (server: Sshd, more: object = {}) => ({
  address: '127.0.0.1',
  port: server.port,
  user: server.user,
  auth: { key: (await server.userKey()).path },
  ...more,
});

/** Somebody on a terminal with these hosts and an empty known_hosts file. */
const somebodyWith = async (hosts: object): Promise<Person> => {
  const somebody = await person({ tty: true });
  await somebody.home.write('.config/sallyport/config.json', JSON.stringify({ hosts, knownHosts: ['known'] }));
  return somebody;
};
const fileOf = (somebody: Person, name = 'known'): string => join(somebody.home.path, '.config/sallyport', name);

test('the key is drawn as ssh draws it, beside its fingerprint', async () => {
  await using somebody = await somebodyWith({ web: await place(sshd) });
  const { stderr } = await somebody.answering('no\n', 'hosts', 'trust', 'web');
  expect(stderr).toMatch(/\n {2}\+--\[ED25519 256\]--\+\n(?: {2}\|.{17}\|\n){9} {2}\+----\[SHA256\]-----\+\n/);
  expect(stderr).toContain(fingerprintOf(sshd));
});

test('a host with an alias and a file of its own is enrolled under the alias, there', async () => {
  await using somebody = await somebodyWith({ web: await place(sshd, { keyAlias: 'web-alias', knownHosts: 'own' }) });
  const { code, stdout, stderr } = await somebody.answering('yes\n', 'hosts', 'trust', 'web');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `web: ssh-ed25519 ${fingerprintOf(sshd)}: enrolled in ${fileOf(somebody, 'own')}\n`,
  });
  expect(stderr).toContain(`web (127.0.0.1:${sshd.port}, known as web-alias) presents the key`);
  expect(await readFile(fileOf(somebody, 'own'), 'utf8')).toBe(`web-alias ${publicKeyOf(sshd)}\n`);
  expect(await somebody.type('hosts', 'test', 'web')).toMatchObject({ code: 0 });
});

test('a hop is trusted before what lies behind it can be looked at', async () => {
  const hosts = { hop: await place(bastion), web: await place(sshd, { via: 'hop' }) };
  await using somebody = await somebodyWith(hosts);
  const before = sshd.counts().connections;
  const first = await somebody.answering('yes\n', 'hosts', 'trust', 'web');
  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first.stderr).toContain('HOST_KEY_UNKNOWN');
  expect(first.stderr).toContain('hosts trust hop');
  expect(sshd.counts().connections).toBe(before);
  expect(await somebody.answering('yes\n', 'hosts', 'trust', 'hop')).toMatchObject({ code: 0 });
  const then = await somebody.answering('yes\n', 'hosts', 'trust', 'web');
  expect(then).toMatchObject({ code: 0 });
  expect(then.stderr).toContain(`web (127.0.0.1:${sshd.port}, by way of hop) presents the key`);
  expect(await readFile(fileOf(somebody), 'utf8')).toBe(
    `[127.0.0.1]:${bastion.port} ${publicKeyOf(bastion)}\n[127.0.0.1]:${sshd.port} ${publicKeyOf(sshd)}\n`,
  );
  expect(await somebody.type('hosts', 'test', 'web')).toMatchObject({ code: 0 });
});

test('a changed key is shown beside the old one, with the command that removes that, and yes is not asked for', async () => {
  await using somebody = await somebodyWith({ web: await place(sshd) });
  const old = await makeKey(join(somebody.home.path, 'old'));
  const text = `[127.0.0.1]:${sshd.port} ${old.publicKey}\n`;
  await somebody.home.write('.config/sallyport/known', text);
  const { code, stdout, stderr } = await somebody.answering('yes\n', 'hosts', 'trust', 'web');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const words of [
    fingerprintOf(sshd),
    old.fingerprint,
    '+--[ED25519 256]--+',
    'If nobody changed it, do not connect.',
    `this removes it: ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${fileOf(somebody)}.`,
  ])
    expect(stderr).toContain(words);
  expect(stderr).not.toContain('Type yes');
  expect(await readFile(fileOf(somebody), 'utf8')).toBe(text);
});

test('a script is shown nothing of a changed key but the refusal', async () => {
  await using somebody = await somebodyWith({ web: await place(sshd) });
  const old = await makeKey(join(somebody.home.path, 'old'));
  await somebody.home.write('.config/sallyport/known', `[127.0.0.1]:${sshd.port} ${old.publicKey}\n`);
  const ran = await somebody.type('hosts', 'trust', 'web', '--fingerprint', fingerprintOf(sshd));
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toContain('HOST_KEY_CHANGED');
  expect(ran.stderr).not.toContain('+--[');
});

test('where nothing can be kept nothing is enrolled', async () => {
  await using somebody = await somebodyWith({ web: await place(sshd, { knownHosts: '/dev/null' }) });
  const ran = await somebody.answering('yes\n', 'hosts', 'trust', 'web');
  expect(ran).toMatchObject({ code: 4, stdout: '' });
  expect(ran.stderr).toContain('The known_hosts file is no file: nothing can be kept there.');
});
