import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { expandPath } from '../../../src/config/ssh-config/tokens.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { testInventory } from '../../support/ssh-config.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { CASES, type Case } from './cases.ts';

const run = promisify(execFile);

/** The hosts of an ssh_config in a folder that is also the home folder. */
const hostsOf = async (temp: TempFolder, { config, files = {} }: Pick<Case, 'config' | 'files'>) => {
  await mkdir(join(temp.path, '.ssh'), { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) await temp.write(name, text);
  const file = await temp.write('ssh_config', config);
  const more = { SENT_1: 'one', SSH_AUTH_SOCK: '/run/agent' };
  const { inventory, said, env } = await testInventory(temp, { env: more });
  await inventory.ready();
  const says = async (name: string, ...args: readonly string[]) =>
    (await run('ssh', ['-T', '-G', '-F', file, ...args, '--', name], { env, cwd: temp.path })).stdout;
  return { inventory, problems: said, says, file, env };
};

/** A host in the words of `ssh -G`, as far as it has them; the others are left out on both sides. */
const inItsWords = (host: Host): Record<string, readonly string[]> => {
  const some = (keyword: string, values: readonly (string | undefined)[]) => ({
    [keyword]: values.filter(value => value !== undefined),
  });
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : String(ms / 1_000));
  return {
    ...some('hostname', [host.address]),
    ...some('user', [host.user]),
    ...some('port', [String(host.port)]),
    ...some('hostkeyalias', [host.keyAlias]),
    ...some('connecttimeout', [seconds(host.connectTimeoutMs) ?? 'none']),
    ...some('serveraliveinterval', [seconds(host.aliveMs) ?? '0']),
    ...some(
      'setenv',
      Object.entries(host.env ?? {}).flatMap(([name, value]) => (name.startsWith('SENT') ? [] : [`${name}=${value}`])),
    ),
  };
};

const linesOf = (text: string, keyword: string): readonly string[] =>
  text.split('\n').flatMap(line => (line.startsWith(`${keyword} `) ? [line.slice(keyword.length + 1)] : []));

describe.each(CASES)('$title', ({ names, ...row }) => {
  test('gives the hosts that it names, and each is what ssh says', async () => {
    await using temp = await tempFolder();
    const { inventory, problems, says } = await hostsOf(temp, row);
    expect(problems).toEqual([]);
    expect(inventory.all().map(({ name }) => name)).toEqual(names);
    const plain = await says('localhost', '-F', 'none');
    for (const host of inventory.all()) {
      const said = await says(host.name);
      const ours = inItsWords(host);
      expect(ours).toEqual(Object.fromEntries(Object.keys(ours).map(keyword => [keyword, linesOf(said, keyword)])));
      const [algorithms = ''] = linesOf(said, 'hostkeyalgorithms');
      const isUsual = algorithms === linesOf(plain, 'hostkeyalgorithms')[0];
      expect(host.keyAlgorithms).toEqual(isUsual ? undefined : algorithms.split(','));
      expect(host.env?.SENT_1).toBe(linesOf(said, 'sendenv').includes('SENT_*') ? 'one' : undefined);
    }
  });
});

/** The account, address and port of each hop, the first one first. */
const wayOf = ({ via }: Host): readonly string[] =>
  via === undefined ? [] : [...wayOf(via), `${via.user}@${via.address}:${via.port}`];

const me = userInfo().username;

test.each([
  { title: 'a jump', config: CASES.find(row => row.title === 'a jump')?.config ?? '', way: ['j@10.0.0.1:22'] },
  {
    title: 'a chain whose first hop has a jump of its own',
    config: 'Host web\n ProxyJump a,me@[::1]:2200\nHost a\n ProxyJump first\nHost ::1\n ProxyJump never\n',
    way: [`${me}@first:22`, `${me}@a:22`, 'me@::1:2200'],
  },
  { title: 'no jump', config: 'Host web\n ProxyJump none\nHost *\n ProxyJump gw\n', way: [] },
  { title: 'a jump by tokens', config: 'Host web\n ProxyJump %n-gw\n', way: [`${me}@web-gw:22`] },
  { title: 'a jump as a URI', config: 'Host web\n ProxyJump ssh://me@gw:2200\n', way: ['me@gw:2200'] },
  {
    title: 'a jump whose name stands for more',
    config: 'Host web\n ProxyJump gw\nHost gw\n HostName 10.0.0.9\n Port 99\nHost gw2\n',
    way: [`${me}@10.0.0.9:99`],
  },
])('ProxyJump: $title', async ({ config, way }) => {
  await using temp = await tempFolder();
  const { inventory, problems } = await hostsOf(temp, { config });
  const web = inventory.get('web');
  expect(problems).toEqual([]);
  expect(web === undefined ? undefined : wayOf(web)).toEqual(way);
});

test('tokens in the path of a key stand for what ssh makes of them', async () => {
  await using temp = await tempFolder();
  const { file, env } = await hostsOf(temp, {
    config:
      'Host web\n HostName w.corp\n User ops\n Port 7\n HostKeyAlias ka\n IdentityFile /k/%%/%h/%i/%k/%l/%L/%n/%p/%r/%u/%C\n',
  });
  // What it dials is of no matter: the keys are named before.
  const args = ['-v', '-F', file, '-o', 'ProxyCommand=false', '--', 'web'];
  const { stderr } = await run('ssh', args, { env }).catch((error: { stderr: string }) => error);
  const [, path] = /identity file (\/k\/.*) type/.exec(stderr) ?? [];
  const tokens = {
    home: temp.path,
    localUser: me,
    localHost: hostname(),
    uid: userInfo().uid,
    asked: 'web',
    address: 'w.corp',
    port: 7,
    user: 'ops',
    keyAlias: 'ka',
    jump: '',
  };
  expect(expandPath('/k/%%/%h/%i/%k/%l/%L/%n/%p/%r/%u/%C', tokens)).toBe(path);
});

test('paths of known_hosts may have blanks in them, and are those that ssh reads', async () => {
  await using temp = await tempFolder();
  const config =
    'Host web\n HostName w\n UserKnownHostsFile /kh/%h "/kh/a b" /x\n GlobalKnownHostsFile /g\nHost no\n UserKnownHostsFile none\n GlobalKnownHostsFile /dev/null\nHost usual\n';
  const { inventory } = await hostsOf(temp, { config });
  expect(inventory.all().map(({ knownHosts }) => knownHosts)).toEqual([
    ['/kh/w', '/kh/a b', '/x', '/g'],
    [],
    undefined,
  ]);
});
