import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Configure, Target } from '../../src/call.ts';
import { readConfig } from '../../src/config/config.ts';
import { entriesIn } from '../../src/config/edit.ts';
import { createHostList } from '../../src/config/host-list.ts';
import { placeTaken } from '../../src/config/newcomer.ts';
import type { Rewriting } from '../../src/config/rewrite.ts';
import { mint } from '../../src/gate/permit.ts';
import { targetOf } from '../../src/ssh/directory.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory } from '../../src/ssh/inventory.ts';
import type { HostList } from '../../src/tools/host-change.ts';
import { manualClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';

const CONFIG = `{
  "hosts": {
    // the way in
    "gate": { "address": "192.0.2.1", "user": "jump", "auth": { "key": "~/.ssh/gate" } },
    "staging-1": {
      "address": "10.20.0.1", "user": "deploy", "via": "gate", "hostKey": "SHA256:${'A'.repeat(43)}",
      "auth": [{ "agent": true, "only": "a.pub" }, { "key": "k", "passphrase": { "env": "P" } }, { "password": { "env": "SECRET" } }],
      "sudoPassword": { "env": "SUDO" }, "tags": ["staging", "prod"]
    },
    "plain": { "address": "10.20.0.2", "user": "deploy" },
    "locked": { "address": "10.20.0.3", "user": "deploy", "auth": { "password": { "command": ["pass", "x"] } } },
    "odd": { "address": "odd.example.com", "user": "deploy", "transport": "openssh" },
    "v6": { "address": "fd20::1", "user": "deploy" }
  }
}
`;

const ALIAS = expect.stringMatching(/^sallyport-added\.staging-9\.[0-9a-f]{16}$/);

type Setting = AsyncDisposable & {
  readonly hosts: HostList;
  readonly path: string;
  readonly file: Rewriting;
  readonly text: () => string;
  readonly add: (more: Partial<Target>, like?: string, grant?: string) => ReturnType<HostList['add']>;
  readonly remove: (name: string, grant?: string) => Promise<void>;
  readonly reloads: () => number;
  readonly logged: readonly string[];
};

const setting = async (text = CONFIG): Promise<Setting> => {
  const folder = await tempFolder();
  const path = await folder.write('c/config.json', text);
  const env = { HOME: '/home/me', SSH_AUTH_SOCK: '/run/agent' };
  const inventory = fixedInventory(readConfig(text, path, env).hosts);
  const file: Rewriting = {
    ...{ path, history: `${folder.path}/undo`, uid: process.getuid?.(), clock: manualClock() },
    unique: () => randomBytes(8).toString('hex'),
    pause: async () => undefined,
  };
  const logged: string[] = [];
  let reloads = 0;
  const reload = async (): Promise<void> => {
    reloads += 1;
  };
  const hosts = createHostList({ file, env, inventory, reload, log: (_level, text) => void logged.push(text) });
  const permit = (action: Configure, grant: string) =>
    mint({ id: 'call_1', grant, tool: 'test', input: {}, action, at: 0 }, {});
  const target = (more: Partial<Target>): Target => ({
    ...{ host: 'staging-9', user: 'deploy', address: '10.20.0.9', port: 22, tags: [] },
    ...more,
  });
  const likeOf = (name: string): Target => {
    const found = inventory.get(name);
    return found === undefined ? target({ host: name }) : targetOf(found);
  };
  return {
    ...{ hosts, path, file, text: () => readFileSync(path, 'utf8'), reloads: () => reloads, logged },
    add: async (more, like = 'staging-1', grant = 'local') =>
      await hosts.add(permit({ kind: 'configure', change: 'add', target: target(more), like: likeOf(like) }, grant)),
    remove: async (host, grant = 'local') =>
      await hosts.remove(permit({ kind: 'configure', change: 'remove', target: target({ host }), own: true }, grant)),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
};

test('a host that is added has the account, the keys and the way of the other, and none of its secrets, pins and tags', async () => {
  await using at = await setting();
  const added = await at.add({ tags: ['web'], port: 2222 });
  expect(added).toEqual({
    target: { host: 'staging-9', user: 'deploy', address: '10.20.0.9', port: 2222, tags: ['web'] },
    logins: ['agent', 'key'],
    via: 'gate',
  });
  const { 'staging-9': written, ...others } = entriesIn(at.text(), at.path);
  expect(written).toEqual({
    address: '10.20.0.9',
    port: 2222,
    user: 'deploy',
    auth: [
      { agent: true, only: 'a.pub' },
      { key: 'k', passphrase: { env: 'P' } },
    ],
    via: 'gate',
    keyAlias: ALIAS,
    tags: ['web'],
    addedBy: 'local',
  });
  expect(others).toEqual(entriesIn(CONFIG, at.path));
  expect([at.text().includes('// the way in'), at.reloads()]).toEqual([true, 1]);
  expect(readConfig(at.text(), at.path, {}).hosts.at(-1)).toMatchObject({
    name: 'staging-9',
    keyAlias: ALIAS,
    addedBy: 'local',
    hostKeys: [],
    via: { name: 'gate' },
  });
});

test('without a login written, it is the agent', async () => {
  await using at = await setting();
  expect((await at.add({}, 'plain')).logins).toEqual(['agent']);
  expect(entriesIn(at.text(), at.path)['staging-9']).toEqual({
    address: '10.20.0.9',
    user: 'deploy',
    auth: [{ agent: true }],
    keyAlias: ALIAS,
    addedBy: 'local',
  });
});

test('one that is added again under its name is a stranger again, wherever it is', async () => {
  await using at = await setting();
  const aliases: unknown[] = [];
  for (const address of ['10.20.0.9', '10.20.0.8', '10.20.0.9']) {
    await at.add({ address });
    aliases.push(entriesIn(at.text(), at.path)['staging-9']?.keyAlias);
    await at.remove('staging-9');
  }
  expect(aliases).toEqual([ALIAS, ALIAS, ALIAS]);
  expect(new Set(aliases).size).toBe(3);
});

describe('what must not be added is not, and the file stays as it is', () => {
  test.each([
    [
      'a name that is taken',
      { host: 'staging-1' },
      'staging-1',
      'INVALID_INPUT',
      'There is a host called staging-1 already.',
    ],
    [
      'a name that is taken, in capitals',
      { host: 'Staging-1' },
      'staging-1',
      'INVALID_INPUT',
      'There is a host called staging-1 already.',
    ],
    [
      'the address of another',
      { address: '192.0.2.1' },
      'staging-1',
      'INVALID_INPUT',
      '192.0.2.1 is the address of gate.',
    ],
    [
      'it on another port',
      { address: '192.0.2.1', port: 2222 },
      'staging-1',
      'INVALID_INPUT',
      '192.0.2.1 is the address of gate.',
    ],
    [
      'it in IPv6 clothes',
      { address: '::ffff:192.0.2.1' },
      'staging-1',
      'INVALID_INPUT',
      '::ffff:192.0.2.1 is the address of gate.',
    ],
    [
      'it in long',
      { address: 'fd20:0:0:0:0:0:0:1' },
      'staging-1',
      'INVALID_INPUT',
      'fd20:0:0:0:0:0:0:1 is the address of v6.',
    ],
    [
      'the DNS name of another',
      { address: 'ODD.example.com' },
      'staging-1',
      'INVALID_INPUT',
      'ODD.example.com is the address of odd.',
    ],
    [
      'a name that is the address of another',
      { address: 'odd.example.com' },
      'staging-1',
      'INVALID_INPUT',
      'odd.example.com is the address of odd.',
    ],
    [
      'a login by password',
      {},
      'locked',
      'UNSUPPORTED',
      'A host cannot be like locked: it logs in with nothing but a password, and passwords are never handed on.',
    ],
    [
      'the OpenSSH client',
      {},
      'odd',
      'UNSUPPORTED',
      'A host cannot be like odd: it is reached by the OpenSSH client, as it alone is configured.',
    ],
    ['a host that has gone', {}, 'gone', 'CANCELLED', 'gone was configured anew in the meantime.'],
    ['another account', { user: 'root' }, 'staging-1', 'CANCELLED', 'staging-1 was configured anew in the meantime.'],
  ])('%s', async (_what, more, like, code, message) => {
    await using at = await setting();
    await expect(at.add(more, like)).rejects.toMatchObject({ code, message });
    expect([at.text(), at.reloads()]).toEqual([CONFIG, 0]);
  });

  test('what another process has added meanwhile is taken too', async () => {
    await using at = await setting();
    await at.add({});
    await expect(at.add({ host: 'staging-8' })).rejects.toMatchObject({
      message: '10.20.0.9 is the address of staging-9.',
    });
    await expect(at.add({ address: '10.20.0.8' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('a file that is broken is for the operator, and its place is not told to a client', async () => {
    await using at = await setting();
    writeFileSync(at.path, '{ "hosts": { ');
    const error: unknown = await at.add({}).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      code: 'CONFIG_UNAVAILABLE',
      message: 'The configuration file cannot be changed so.',
      operator: expect.stringContaining(at.path),
    });
    expect(at.logged).toEqual(['added staging-9: it failed']);
  });
});

test.each([
  ['LATER', '10.20.0.9', 'There is a host called later already.'],
  ['staging-9', '192.0.2.77', '192.0.2.77 is the address of hop.'],
  ['hop', '10.20.0.9', 'There is a host called hop already.'],
  ['staging-9', '10.20.0.9', undefined],
])('nobody lays a way that a person wrote: %s at %s', (host, address, message) => {
  const one: Host = {
    ...{ name: 'db', address: '192.0.2.5', port: 22, user: 'me', hostKeys: [], tags: [] },
    auth: [{ kind: 'agent', socket: '' }],
  };
  const hosts = [{ ...one, via: { ...one, name: 'hop', address: '192.0.2.77' } }];
  const target = { host, address, user: 'me', port: 22, tags: [] };
  expect(placeTaken(target, hosts, { far: { via: 'later' } })?.message).toBe(message);
});

describe('only what an agent of the same grant has added is removed', () => {
  test('it goes, and the file is as it was before', async () => {
    await using at = await setting();
    await at.add({});
    await at.remove('staging-9');
    expect([at.text(), at.reloads()]).toEqual([CONFIG, 2]);
  });

  test.each([
    ['of another grant', 'staging-9', 'ci'],
    ['of a person', 'staging-1', 'local'],
    ['that does not exist', 'staging-7', 'local'],
  ])('a host %s stays', async (_what, name, grant) => {
    await using at = await setting();
    await at.add({});
    const before = at.text();
    await expect(at.remove(name, grant)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(at.text()).toBe(before);
  });

  test('one that a person made the way to another stays', async () => {
    await using at = await setting();
    await at.add({});
    writeFileSync(at.path, at.text().replace('"plain": {', '"plain": { "via": "staging-9",'));
    await expect(at.remove('staging-9')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'staging-9 is the way to plain.',
    });
  });
});
