import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findHosts } from '../../src/cli/found-hosts.ts';
import { makeKey } from '../support/sshd.ts';
import { tempFolder } from '../support/temp.ts';
import { type Person, person } from './person.ts';

const configOf = (somebody: Person): Promise<string> =>
  readFile(join(somebody.home.path, '.config/sallyport/config.json'), 'utf8');

const withConfig = async (text: string): Promise<Person> => {
  const somebody = await person();
  await somebody.home.write('.ssh/config', text);
  return somebody;
};

const KEYS = (path: string): string => `UserKnownHostsFile ${path}/.ssh/known_hosts\nIdentityFile ${path}/.ssh/none\n`;

test('the hosts of ssh_config are in the first configuration, by name in a comment, and every command knows them', async () => {
  await using somebody = await withConfig('Host web-1 db *.internal !no\n  HostName 127.0.0.1\n  User deploy\n');
  const { code, stderr } = await somebody.type('init');
  expect(code).toBe(0);
  expect(await configOf(somebody)).toBe(`{
  // The hosts that ssh knows by name, as ssh reaches them; the policy says what may run on which:
  // web-1, db
  "sshConfig": "~/.ssh/config",

  // More hosts, or what is other than in ssh_config. A secret is never written here, only where it lies:
  // {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}.
  "hosts": {
    // "web": { "address": "10.0.0.5", "user": "deploy", "auth": [{ "agent": true }, { "key": "~/.ssh/id_ed25519" }] }
  }
}
`);
  expect(stderr).toContain('ssh_config names 2 hosts: web-1, db\n');
  expect(stderr).toContain(
    'Next:\n  1. sallyport hosts list\n  2. sallyport hosts trust web-1\n  3. sallyport hosts trust db\n  4. sallyport doctor\n  5. register',
  );
  const listed = JSON.parse((await somebody.type('hosts', '--json')).stdout);
  expect(listed.hosts.map(({ name, user }: { name: string; user: string }) => `${user}@${name}`)).toEqual([
    'deploy@web-1',
    'deploy@db',
  ]);
});

test('of many hosts twenty are named in the file, and all of them by --print, which writes and asks nothing', async () => {
  const names = Array.from({ length: 25 }, (_, at) => `host-${at}`);
  await using somebody = await withConfig(`Host ${names.join(' ')}\n  HostName 127.0.0.1\n`);
  const printed = await somebody.type('init', '--print');
  await expect(configOf(somebody)).rejects.toThrow('ENOENT');
  expect(printed.stderr).toContain(`ssh_config names 25 hosts: ${names.join(', ')}\n`);
  const { stderr } = await somebody.type('init');
  expect(stderr).toContain('host-18, host-19 and 5 more\n');
  expect(stderr).toContain('hosts trust host-2\n  5. the same for 22 more, which hosts list names\n');
  const text = await configOf(somebody);
  expect(printed.stdout).toContain(text);
  const comment = text.split('\n').filter(line => /^ {2}\/\/ .*host-/.test(line));
  expect(comment.join(' ')).toContain('host-19 and 5 more');
  expect(Math.max(...comment.map(line => line.length))).toBeLessThan(110);
});

test('what is trusted already is no step, and a hop comes before what lies behind it', async () => {
  await using somebody = await person();
  const key = await makeKey(join(somebody.home.path, 'host'));
  await somebody.home.write('.ssh/known_hosts', `10.0.0.1 ${key.publicKey}\n`);
  await somebody.home.write(
    '.ssh/config',
    `Host behind\n  HostName 10.0.0.2\n  ProxyJump hop\nHost known\n  HostName 10.0.0.1\nHost hop\n  HostName 10.0.0.3\nHost *\n  User u\n${KEYS(somebody.home.path)}`,
  );
  const { stderr } = await somebody.type('init');
  expect(stderr).toContain(
    '  1. sallyport hosts list\n  2. sallyport hosts trust hop\n  3. sallyport hosts trust behind\n  4. sallyport doctor\n',
  );
});

test('a configuration that is there already stays, and the line for it is shown once', async () => {
  await using somebody = await withConfig('Host web\n  HostName 127.0.0.1\n');
  const path = await somebody.home.write('.config/sallyport/config.json', '{"hosts": {}}');
  const { stderr } = await somebody.type('init');
  expect(await configOf(somebody)).toBe('{"hosts": {}}');
  expect(stderr).toContain(
    `1. put "sshConfig": "~/.ssh/config" beside "hosts" in ${path}, to have those of ssh_config\n`,
  );
  await somebody.home.write('.config/sallyport/config.json', '{"sshConfig": "~/.ssh/config"}');
  expect((await somebody.type('init')).stderr).not.toContain('beside "hosts"');
});

const NOT: readonly {
  readonly title: string;
  readonly arrange: (somebody: Person) => Promise<unknown>;
  readonly says: RegExp;
}[] = [
  {
    title: 'has patterns alone',
    arrange: ({ home }) => home.write('.ssh/config', 'Host *\n  User u\nMatch host x\n  User v\n'),
    says: /^(?!.*ssh_config)/s,
  },
  {
    title: 'others may write to',
    arrange: ({ home }) => home.write('.ssh/config', 'Host web\n', 0o666),
    says: /ssh_config is left alone: .*chmod/,
  },
  {
    title: 'includes itself',
    arrange: ({ home }) => home.write('.ssh/config', `Include ${home.path}/.ssh/config\nHost web\n`),
    says: /ssh_config is left alone: /,
  },
  {
    title: 'leads nowhere',
    arrange: async ({ home }) => {
      await mkdir(join(home.path, '.ssh'));
      await symlink('/nowhere', join(home.path, '.ssh/config'));
    },
    says: /^(?!.*ssh_config)/s,
  },
];

test.each(NOT)('an ssh_config that $title is not proposed, and the rest is done', async ({ arrange, says }) => {
  await using somebody = await person();
  await arrange(somebody);
  const { code, stderr } = await somebody.type('init');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(says) });
  expect(await configOf(somebody)).not.toContain('sshConfig');
});

test('names that could end the comment, or are options, are not in the file', async () => {
  await using somebody = await withConfig('Host -oProxyCommand=x "a b" $(id) ok "},{"\n  HostName 127.0.0.1\n');
  await somebody.type('init');
  expect(await configOf(somebody)).toContain('  // ok\n');
  expect((await somebody.type('hosts', '--json')).code).toBe(0);
});

describe('hosts of known_hosts', () => {
  test('are counted where they stand in plain, and mentioned', async () => {
    await using somebody = await withConfig('Host web\n  HostName 127.0.0.1\n');
    const rest = 'ssh-ed25519 AAAA';
    await somebody.home.write(
      '.ssh/known_hosts',
      [
        `web,10.0.0.1 ${rest}`,
        `db ${rest}`,
        `[db]:2222 ${rest}`,
        `*.x ${rest}`,
        `|1|abc|def ${rest}`,
        `@revoked old ${rest}`,
        '# no',
        `10.0.0.9 ${rest}`,
        '',
      ].join('\n'),
    );
    const { stderr } = await somebody.type('init');
    expect(stderr).toContain('known_hosts has 2 hosts more: ');
  });
});

test('where $HOME is the home of the account, it is its own ssh_config that is meant, as ssh finds it', async () => {
  await using home = await tempFolder();
  await home.write('.ssh/config', 'Host web\n');
  const io = { env: { HOME: home.path }, uid: process.getuid?.() };
  const account = { env: io.env, home: home.path, user: 'u', uid: io.uid, machine: 'm' };
  expect(findHosts(io, account)).toEqual({ sshConfig: true, names: expect.arrayContaining(['web']), known: 0 });
  expect(findHosts(io, { ...account, home: '/nowhere' })).toEqual({
    sshConfig: '~/.ssh/config',
    names: ['web'],
    known: 0,
  });
});
