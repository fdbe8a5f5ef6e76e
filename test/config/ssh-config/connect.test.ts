import { expect, test } from 'vitest';
import { testConnections } from '../../support/connections.ts';
import { testInventory } from '../../support/ssh-config.ts';
import { startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

test('a host is reached by the name that ssh knows it by, and another through it', async () => {
  await using sshd = await startSshd();
  await using temp = await tempFolder();
  const key = await sshd.userKey();
  const lines = [
    'Host gate far',
    '  HostName 127.0.0.1',
    `  Port ${sshd.port}`,
    `  User ${sshd.user}`,
    `  IdentityFile ${key.path}`,
    '  IdentityAgent none',
    `  UserKnownHostsFile ${sshd.knownHosts}`,
    'Match host 127.0.0.1 originalhost far',
    '  ProxyJump gate',
  ];
  await temp.write('ssh_config', `${lines.join('\n')}\n`);
  const { inventory, said } = await testInventory(temp);
  await inventory.ready();
  using connections = testConnections([], { inventory, knownHosts: [] });
  const [gate] = sshd.hostKeys;
  const peer = { fingerprint: gate?.fingerprint };
  expect(await connections.get('far').ready()).toMatchObject(peer);
  expect(await connections.get('gate').ready()).toMatchObject(peer);
  await sshd.caughtUp();
  expect({ said, dials: connections.dials.length, logins: sshd.counts().logins }).toEqual({
    said: [],
    dials: 1,
    logins: 2,
  });
});

test('a hop that no list has stays connected while other hosts come and go', async () => {
  await using sshd = await startSshd();
  await using temp = await tempFolder();
  const key = await sshd.userKey();
  const lines = [
    'Host far*',
    `  ProxyJump ${sshd.user}@gate:${sshd.port}`,
    'Host *',
    '  HostName 127.0.0.1',
    `  Port ${sshd.port}`,
    `  IdentityFile ${key.path}`,
    '  IdentityAgent none',
    `  UserKnownHostsFile ${sshd.knownHosts}`,
  ];
  await temp.write('ssh_config', `Host far\n${lines.join('\n')}\n`);
  const { inventory } = await testInventory(temp);
  await inventory.ready();
  using connections = testConnections([], { inventory, knownHosts: [] });
  const far = connections.get('far');
  await far.ready();
  await temp.write('ssh_config', `Host far far-2\n${lines.join('\n')}\n`);
  await inventory.reload();
  expect(inventory.all().map(({ name }) => name)).toEqual(['far', 'far-2']);
  expect(connections.get('far')).toBe(far);
  await connections.get('far-2').ready();
  await sshd.caughtUp();
  expect({ state: far.state(), logins: sshd.counts().logins }).toEqual({ state: 'ready', logins: 3 });
});

test('a host whose way only OpenSSH knows is not dialled past it', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web\n HostName 127.0.0.1\n ProxyCommand nc %h %p\n');
  const { inventory } = await testInventory(temp);
  await inventory.ready();
  using connections = testConnections([], { inventory, knownHosts: [] });
  await expect(connections.get('web').ready()).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'web is not dialled: its ssh_config has ProxyCommand, which only OpenSSH honours.',
    next: 'The operator may write "transport": "openssh" for web in config.json.',
  });
  expect(connections.dials).toEqual([]);
});
