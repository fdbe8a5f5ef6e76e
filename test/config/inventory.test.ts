import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../../src/ssh/host.ts';
import { testInventory } from '../support/ssh-config.ts';
import { tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

const OWN = { address: '10.0.0.6', user: 'dba' };
const names = (hosts: readonly Host[]) => hosts.map(({ name }) => name);

test('hosts of config.json are there at once, and ssh is not asked before somebody waits for it', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web\n');
  const { inventory, asked } = await testInventory(temp, { config: { hosts: { own: OWN } } });
  expect({ asked, hosts: names(inventory.all()) }).toEqual({ asked: [], hosts: ['own'] });
  await Promise.all([inventory.ready(), inventory.ready()]);
  await inventory.ready();
  expect({ asked, hosts: names(inventory.all()) }).toEqual({ asked: ['localhost', 'web'], hosts: ['own', 'web'] });
});

test('while ssh is asked anew nobody waits, and the hosts that were are there', async () => {
  await using temp = await tempFolder();
  const ssh = await temp.write('ssh_config', 'Host a\n');
  const text = execFileSync('ssh', ['-T', '-G', '-F', 'none', '--', 'a'], { encoding: 'utf8' });
  let answer = (): void => undefined;
  const slow = async () => {
    await new Promise<void>(resolve => {
      answer = resolve;
    });
    return { text };
  };
  const asks = [async () => ({ text }), async () => ({ text }), slow];
  const { inventory } = await testInventory(temp, {
    ask: async () => await (asks.shift() ?? (async () => ({ text })))(),
  });
  await inventory.ready();
  await writeFile(ssh, 'Host a b\n');
  const reloaded = inventory.reload();
  await untilTrue(() => asks.length === 0);
  await inventory.ready();
  expect(names(inventory.all())).toEqual(['a']);
  answer();
  await reloaded;
  expect(names(inventory.all())).toEqual(['a', 'b']);
});

test('config.json goes before ssh_config, which fills what it leaves out', async () => {
  await using temp = await tempFolder();
  await temp.write(
    'ssh_config',
    'Host web\n HostName 10.0.0.5\n User deploy\n Port 7\n HostKeyAlias k\nHost *\n User any\n',
  );
  const { inventory, said } = await testInventory(temp, {
    config: { hosts: { web: { user: 'ops', tags: ['prod'] }, other: { address: '10.0.0.7' }, own: OWN } },
    env: { SSH_AUTH_SOCK: '/run/agent' },
  });
  await inventory.ready();
  const agent = [{ kind: 'agent', socket: '/run/agent' }];
  expect(said).toEqual([]);
  expect(inventory.all()).toMatchObject([
    { name: 'web', address: '10.0.0.5', user: 'ops', port: 7, keyAlias: 'k', tags: ['prod'], auth: agent },
    { name: 'other', address: '10.0.0.7', user: 'any', port: 22 },
    { name: 'own', ...OWN, port: 22, auth: agent, tags: [] },
  ]);
});

test('a host may lead to another across both files, and each way that leads nowhere is said in its place', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host gw\n HostName 10.0.0.1\n User j\nHost far\n ProxyJump own\n');
  const { inventory, said } = await testInventory(temp, {
    config: { hosts: { own: { ...OWN, via: 'gw' }, lost: { ...OWN, via: 'gww' }, more: { ...OWN, via: 'lost' } } },
  });
  await inventory.ready();
  expect(inventory.get('far')?.via).toMatchObject({ name: 'own', address: '10.0.0.6', via: { name: 'gw', user: 'j' } });
  expect(said).toEqual([
    'error: ~/config.json:1:137 /hosts/lost/via "gww" is no configured host; did you mean "gw"?',
    'error: ~/config.json:1:192 /hosts/more/via "lost" cannot be used itself',
  ]);
});

test('what an agent added takes nothing from ssh_config, and is in the way of no host of it', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web\n HostName 10.0.0.5\n Port 7\nHost far\n ProxyJump gw.corp\n');
  const { inventory } = await testInventory(temp, {
    config: { hosts: { web: { ...OWN, addedBy: 'local' }, 'gw.corp': { ...OWN, addedBy: 'local' } } },
  });
  await inventory.ready();
  expect(inventory.get('web')).toMatchObject({ ...OWN, port: 22 });
  expect(inventory.get('far')?.via?.address).toBe('gw.corp');
});

test('a change is told by the names that are gone or are others now, and hosts that stay are the same objects', async () => {
  await using temp = await tempFolder();
  const ssh = await temp.write('ssh_config', 'Host a b\nHost far\n ProxyJump gw\nHost near\n ProxyJump gw\n');
  const { inventory } = await testInventory(temp);
  await inventory.ready();
  const told: (readonly string[])[] = [];
  inventory.onChange(changed => told.push(changed));
  const [a, , far, near] = inventory.all();
  expect(far?.via).toBe(near?.via);
  await writeFile(ssh, 'Host a c\nHost far\n ProxyJump gw\nHost near\n Port 7\n ProxyJump gw\n');
  await inventory.reload();
  expect(told).toEqual([['b', 'near']]);
  expect(inventory.get('a')).toBe(a);
  expect(inventory.get('near')?.via).toBe(far?.via);
  await writeFile(ssh, 'Host a c d\nHost far\n ProxyJump gw\nHost near\n Port 7\n ProxyJump gw\n');
  await inventory.reload();
  expect(told).toEqual([['b', 'near'], []]);
});

test('ssh is asked again only when a file on which its answers rest has changed', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Include ~/d/*.conf\nHost web\n IdentityFile ~/key\n');
  const { inventory, asked } = await testInventory(temp);
  await inventory.ready();
  await inventory.reload();
  expect(asked.splice(0)).toEqual(['localhost', 'web']);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(temp.path, 'key')]);
  await inventory.reload();
  expect(asked.splice(0)).toEqual(['localhost', 'web']);
  expect(inventory.get('web')?.auth).toEqual([{ kind: 'key', path: join(temp.path, 'key') }]);
  await temp.write('d/more.conf', 'Host db\n');
  await inventory.reload();
  expect(asked).toEqual(['localhost', 'db', 'web']);
});

test.each([
  { title: 'Match exec', line: 'Match exec "touch %d/ran"\n' },
  { title: 'Match with exec in quotes', line: 'Match "exec" "touch %d/ran"\n' },
  { title: 'an Include that only ssh can read', line: 'Include ~nobody/x\n' },
])('$title is read at the start, and once it runs what ssh_config said before stays', async ({ line }) => {
  await using temp = await tempFolder();
  const ssh = await temp.write('ssh_config', `Host web\n Port 7\n${line}`);
  const { inventory, asked, said } = await testInventory(temp);
  await inventory.ready();
  expect(asked.splice(0)).toEqual(['localhost', 'web']);
  await writeFile(ssh, `Host web other\n Port 8\n${line}`);
  await inventory.reload();
  await inventory.reload();
  expect({ asked, port: inventory.get('web')?.port, hosts: names(inventory.all()) }).toEqual({
    asked: [],
    port: 7,
    hosts: ['web'],
  });
  expect(said).toEqual([
    'error: ssh_config was changed, and reading it runs commands (Match exec), which only a start does: what it said before stays. Restart sallyport to have it read',
  ]);
});

test('a command that is written into ssh_config while this runs is not run, whatever broke before', async () => {
  await using temp = await tempFolder();
  const ssh = await temp.write('ssh_config', 'Host web\n', 0o666);
  const { inventory, asked } = await testInventory(temp);
  await inventory.ready();
  await rm(ssh);
  await temp.write('ssh_config', `Host web\nMatch exec "touch ${temp.path}/ran"\n Port 7\n`);
  await inventory.reload();
  expect({ asked, ran: existsSync(join(temp.path, 'ran')), hosts: inventory.all() }).toEqual({
    asked: [],
    ran: false,
    hosts: [],
  });
});

test.each([
  {
    title: 'broken',
    change: async (file: string) => await writeFile(file, '{ "hosts": '),
    says: '~/config.json is not taken',
  },
  { title: 'gone', change: async (file: string) => await rm(file), says: '~/config.json does not exist any more' },
  {
    title: 'one that others may write to',
    change: async (file: string) => {
      await rm(file);
      await writeFile(file, '{}', { mode: 0o600 });
      execFileSync('chmod', ['666', file]);
    },
    says: '~/config.json cannot be trusted',
  },
])('a configuration that is $title leaves the hosts as they were', async ({ change, says }) => {
  await using temp = await tempFolder();
  const { inventory, said } = await testInventory(temp, { config: { sshConfig: false, hosts: { own: OWN } } });
  const told: unknown[] = [];
  inventory.onChange(changed => told.push(changed));
  await inventory.ready();
  await change(join(temp.path, 'config.json'));
  await inventory.reload();
  expect({ told, hosts: names(inventory.all()) }).toEqual({ told: [], hosts: ['own'] });
  expect(said[0]).toContain(says);
});

test('an ssh_config that ssh does not take any more leaves its hosts unchanged, and that is said', async () => {
  await using temp = await tempFolder();
  const ssh = await temp.write('ssh_config', 'Host far\n ProxyJump gw\nHost gone\n');
  const { inventory, said } = await testInventory(temp);
  await inventory.ready();
  const [far] = inventory.all();
  const told: unknown[] = [];
  inventory.onChange(changed => told.push(changed));
  await writeFile(ssh, 'Host far\n ProxyJump gw\n Prot 7\nHost new\n');
  await inventory.reload();
  expect(inventory.all()).toEqual([far]);
  expect(told).toEqual([['gone']]);
  expect(said).toEqual([
    'error: ssh -G: ~/ssh_config: line 3: Bad configuration option: prot',
    'error: ssh -G: ~/ssh_config: line 3: Bad configuration option: prot; what it said before stays',
  ]);
  await writeFile(ssh, 'Host far\n ProxyJump gw\nHost new\n');
  await inventory.reload();
  expect(names(inventory.all())).toEqual(['far', 'new']);
});

test('what else changes in the file than its hosts is said to hold at the next start', async () => {
  await using temp = await tempFolder();
  const { inventory, said } = await testInventory(temp, { config: { sshConfig: false, hosts: { own: OWN } } });
  await temp.write('config.json', JSON.stringify({ hosts: { web: OWN }, networks: { deny: ['10.0.0.0/8'] } }));
  await inventory.reload();
  expect(names(inventory.all())).toEqual(['web']);
  expect(said).toEqual([
    'warn: ~/config.json has changed beside its hosts: that holds when sallyport is started again',
  ]);
});

/** Resolves at the next change with its names. */
const nextChange = (inventory: { onChange: (listener: (names: readonly string[]) => void) => void }) =>
  new Promise<readonly string[]>(resolve => inventory.onChange(resolve));

test('while the files are followed, what is put in their place is in force by itself', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Include ~/d/*\nHost web\n');
  const { inventory } = await testInventory(temp, { config: { hosts: { own: OWN } } });
  await temp.write('d/0.conf', 'Host first\n');
  const unfollow = inventory.follow();
  try {
    await inventory.ready();
    const added = nextChange(inventory);
    await temp.write('d/1.conf', 'Host second\n');
    await added;
    expect(names(inventory.all())).toEqual(['own', 'first', 'second', 'web']);
    const changed = nextChange(inventory);
    await temp.write('new', JSON.stringify({ hosts: { own: { ...OWN, port: 7 } } }));
    await rename(join(temp.path, 'new'), join(temp.path, 'config.json'));
    expect(await changed).toEqual(['own', 'first', 'second', 'web']);
    expect(inventory.all()).toMatchObject([{ name: 'own', port: 7 }]);
  } finally {
    unfollow();
  }
});
