import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askSsh } from '../../../src/config/ssh-config/ask.ts';
import { testInventory } from '../../support/ssh-config.ts';
import { tempFolder } from '../../support/temp.ts';

const USUAL = 'localhost';

test.each([
  { title: 'an option', name: '-oProxyCommand=touch${IFS}pwned' },
  { title: 'a command in place of a name', name: '$(touch pwned)' },
  { title: 'a name with blanks in it', name: '"a b"' },
  { title: 'a name with a semicolon', name: 'a;touch' },
  { title: 'a name with a backtick', name: '`touch`' },
  { title: 'a name with letters of another script', name: 'wéb' },
  { title: 'a name with a slash', name: '../x' },
  { title: 'a name with a zero byte', name: 'a\0b' },
  { title: 'a name with an escape', name: 'a\x1b[31m' },
  { title: 'a name of 129 letters', name: 'a'.repeat(129) },
])('$title on a Host line is left out, and ssh is not asked about it', async ({ name }) => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', `Host ${name} web\n HostName 10.0.0.5\n`);
  const { inventory, asked } = await testInventory(temp);
  await inventory.ready();
  expect(inventory.all().map(host => host.name)).toEqual(['web']);
  expect(asked).toEqual([USUAL, 'web']);
  expect(existsSync(join(temp.path, 'pwned'))).toBe(false);
});

test.each([
  { title: 'an option', jump: '-oProxyCommand=touch', says: 'Invalid ProxyJump' },
  { title: 'a command', jump: '$(touch)', says: 'Invalid ProxyJump' },
])('$title as a ProxyJump is asked about by nobody', async ({ jump }) => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', `Host web\n ProxyJump ${jump}\n`);
  const { inventory, asked, said } = await testInventory(temp);
  await inventory.ready();
  expect(inventory.all()).toEqual([]);
  expect(asked).toEqual([USUAL, 'web']);
  expect(said).toHaveLength(1);
});

test.each([
  { title: 'ProxyCommand', line: 'ProxyCommand touch pwned' },
  { title: 'KnownHostsCommand', line: 'KnownHostsCommand /usr/bin/touch pwned' },
  { title: 'LocalCommand', line: 'PermitLocalCommand yes\n LocalCommand touch pwned' },
  { title: 'a token with a command', line: 'IdentityFile "~/$(touch pwned)"' },
])('$title runs nothing while hosts are read', async ({ line }) => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', `Host web\n ${line}\n`);
  const { inventory } = await testInventory(temp);
  await inventory.ready();
  expect(inventory.all()).toHaveLength(1);
  expect(existsSync(join(temp.path, 'pwned'))).toBe(false);
});

const MEGABYTE = 1024 * 1024;

test.each([
  {
    title: 'a file of 10 MB',
    make: async (path: string) => execFileSync('truncate', ['-s', String(10 * MEGABYTE), path]),
    says: ['error: ssh_config is not read: ~/more is larger than 1048576 bytes'],
  },
  {
    title: 'a pipe',
    make: async (path: string) => execFileSync('mkfifo', ['-m', '600', path]),
    says: ['error: ssh_config is not read: ~/more is not a plain file.'],
  },
  {
    title: 'a file that others may write to',
    make: async (path: string) => {
      execFileSync('touch', [path]);
      await chmod(path, 0o666);
    },
    says: ['error: ssh_config is not read: ~/more is open to other users (mode 0666): run chmod 600 ~/more.'],
  },
  {
    title: 'a file that includes itself',
    make: async (path: string) => await symlink('ssh_config', path),
    says: ['error: ssh_config is not read: ~/more: ssh_config includes too many files, or itself'],
  },
])('$title keeps ssh_config from being read, and hosts of config.json work', async ({ make, says }) => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web\nInclude ~/more\n');
  await make(join(temp.path, 'more'));
  const { inventory, asked, said } = await testInventory(temp, {
    config: { hosts: { db: { address: '10.0.0.6', user: 'dba' } } },
  });
  await inventory.ready();
  expect({ asked, said }).toEqual({ asked: [], said: says });
  expect(inventory.all().map(({ name }) => name)).toEqual(['db']);
});

test('of 10,000 names on a line 1,000 are taken, and the rest is said', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', `Host ${Array.from({ length: 10_000 }, (_, at) => `h${at}`).join(' ')}\n`);
  const text = execFileSync('ssh', ['-T', '-G', '-F', 'none', '--', 'web'], { encoding: 'utf8' });
  const { inventory, asked, said } = await testInventory(temp, { ask: async () => ({ text }) });
  await inventory.ready();
  expect(asked).toHaveLength(1_001);
  expect(inventory.all()).toHaveLength(1_000);
  expect(said).toEqual(['error: ssh_config has more than 1000 hosts: 9000 of them are left out']);
});

test('a folder in the place of a file, and one that cannot be looked into, are passed over', async () => {
  await using temp = await tempFolder();
  await mkdir(join(temp.path, 'd', 'x.conf'), { recursive: true });
  await temp.write('ssh_config', 'Include ~/d/*.conf ~/absent/*/x\nHost web\n');
  const { inventory } = await testInventory(temp);
  await inventory.ready();
  expect(inventory.all().map(({ name }) => name)).toEqual(['web']);
});

test('a line that ssh does not take is said once, in its place, and hosts of config.json work', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web db app\n Prot 22\n');
  const { inventory, said } = await testInventory(temp, {
    config: { hosts: { own: { address: '10.0.0.6', user: 'dba' } } },
  });
  await inventory.ready();
  expect(said).toEqual(['error: ssh -G: ~/ssh_config: line 2: Bad configuration option: prot']);
  expect(inventory.all().map(({ name }) => name)).toEqual(['own']);
});

test('without an ssh on PATH the hosts of ssh_config are left out, which is said once', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host web\n');
  const { inventory, said } = await testInventory(temp, {
    config: { hosts: { own: { address: '10.0.0.6', user: 'dba' } } },
    ask: askSsh({ env: { PATH: temp.path }, cwd: temp.path }),
  });
  await inventory.ready();
  await inventory.reload();
  expect(inventory.all().map(({ name }) => name)).toEqual(['own']);
  expect(said).toEqual([
    'error: There is no ssh on PATH: hosts of ssh_config are left out, and those of config.json work',
  ]);
});

test('hosts that lead back to each other are left out, and each is named', async () => {
  await using temp = await tempFolder();
  await temp.write('ssh_config', 'Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost c\n');
  const { inventory, said } = await testInventory(temp);
  await inventory.ready();
  expect(inventory.all().map(({ name }) => name)).toEqual(['c']);
  expect(said).toEqual([
    'error: a of ssh_config is left out: its way leads back to itself: a, b, a',
    'error: b of ssh_config is left out: its way leads back to itself: b, a, b',
  ]);
});

test.each([
  { title: 'of many stars', include: `~/d/${'*a'.repeat(30)}b`, says: [] },
  {
    title: 'through every folder there is',
    include: '/*/*/*/*/*/*/*/*',
    says: ['error: ssh_config is not read: Include /*/*/*/*/*/*/*/* leads through more than 4096 folders'],
  },
])(
  'an Include $title holds nobody up',
  async ({ include, says }) => {
    await using temp = await tempFolder();
    await temp.write(`d/${'a'.repeat(200)}`, '');
    await temp.write('ssh_config', `Include ${include}\nHost web\n`);
    const { inventory, said } = await testInventory(temp);
    await inventory.ready();
    expect(said).toEqual(says);
    expect(inventory.all().map(({ name }) => name)).toEqual(says.length === 0 ? ['web'] : []);
  },
  5_000,
);
