import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { examine, foundOf, settle, statuses } from './examined.ts';
import { type Person, person } from './person.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

/** A person whose hosts are those of an ssh_config; each ends in the lines that lead to the sshd. */
const withHosts = async (text: string, env: Record<string, string> = {}): Promise<Person> => {
  const somebody = await person({ env });
  const rest = [
    'Host *',
    '  HostName 127.0.0.1',
    `  Port ${sshd.port}`,
    `  User ${sshd.user}`,
    `  IdentityFile ${(await sshd.userKey()).path}`,
    `  UserKnownHostsFile ${sshd.knownHosts}`,
    '',
  ];
  await somebody.home.write('.ssh/config', `${text}\n${rest.join('\n')}`);
  await settle(somebody, {}, { sshConfig: '~/.ssh/config' });
  return somebody;
};

test('hosts of ssh_config are counted, logged in to, and known to the policy', async () => {
  await using somebody = await withHosts('Host web db');
  const rule = { id: 'look', effect: 'allow', commands: ['uptime'], timeout: '1m', hosts: ['web', 'bd'] };
  await somebody.home.write(
    '.config/sallyport/policy.json',
    JSON.stringify({ version: '1', default: 'deny', tools: { ssh_exec: {}, ssh_cancel_command: {} }, rules: [rule] }),
  );
  const report = await examine(somebody);
  expect(foundOf(report, 'configuration')).toMatchObject([{ status: 'ok', says: expect.stringMatching(/, 0 hosts$/) }]);
  expect(foundOf(report, 'ssh_config')).toEqual([
    { check: 'ssh_config', status: 'ok', says: '2 hosts beside those of config.json' },
  ]);
  expect(statuses(report).slice(-2)).toEqual(['ok host web', 'ok host db']);
  const advised = foundOf(report, 'policy').filter(({ status }) => status === 'advice');
  expect(advised.map(({ says }) => says).join('\n')).toMatch(/"db"/);
  expect(advised).toHaveLength(1);
});

test('what is not obeyed is said once for all of its hosts, with a mend of its kind', async () => {
  await using somebody = await withHosts(
    'Host a b\n  StrictHostKeyChecking accept-new\nHost c\n  BindAddress 127.0.0.1',
  );
  const found = foundOf(await examine(somebody), 'ssh_config').filter(({ status }) => status !== 'ok');
  expect(found).toEqual([
    {
      check: 'ssh_config',
      status: 'advice',
      says: 'not obeyed: StrictHostKeyChecking accept-new (a, b)',
      mend: expect.stringContaining('docs/connecting.md'),
    },
    {
      check: 'ssh_config',
      status: 'advice',
      says: 'not obeyed: BindAddress (only with "transport": "openssh") (c)',
      mend: expect.stringContaining('give the host "transport": "openssh"'),
    },
  ]);
});

test('a key with a passphrase is worth a word where no agent is asked, and none where one is', async () => {
  await using plain = await withHosts('Host web');
  const locked = await makeKey(join(plain.home.path, 'locked'), 'ed25519-locked');
  const text = `Host web\n  IdentityFile ${locked.path}\n  IdentityAgent`;
  await using alone = await withHosts(`${text} none`);
  const found = foundOf(await examine(alone), 'ssh_config').filter(({ status }) => status !== 'ok');
  expect(found).toMatchObject([
    {
      status: 'advice',
      says: expect.stringMatching(/^IdentityFile \S+ has a passphrase: .* \(web\)$/),
      mend: expect.stringContaining('ssh-add'),
    },
  ]);
  await using asked = await withHosts(`${text} ${join(plain.home.path, 'agent.sock')}`);
  expect(foundOf(await examine(asked), 'ssh_config').map(({ status }) => status)).toEqual(['ok']);
});

test('a line that ssh does not take is wrong, with its place', async () => {
  await using somebody = await withHosts('Host web\n  Prot 22');
  const [, found] = foundOf(await examine(somebody), 'ssh_config');
  expect(found).toMatchObject({
    status: 'wrong',
    says: expect.stringMatching(/line 2: .*prot/),
    mend: expect.stringContaining('ssh -G'),
  });
});

test('without ssh its hosts are missed, and those of config.json are looked at all the same', async () => {
  await using somebody = await withHosts('Host web', { PATH: '/nowhere' });
  const own = { address: '127.0.0.1', port: sshd.port, user: sshd.user, auth: { key: (await sshd.userKey()).path } };
  await settle(somebody, { own }, { sshConfig: '~/.ssh/config', knownHosts: [sshd.knownHosts] });
  const report = await examine(somebody);
  expect(foundOf(report, 'ssh')).toMatchObject([
    { status: 'unavailable', says: 'no OpenSSH client answers: the hosts of ssh_config are left out' },
  ]);
  expect(foundOf(report, 'ssh_config').map(({ status }) => status)).toEqual(['ok', 'wrong']);
  expect(statuses(report).slice(-1)).toEqual(['ok host own']);
  expect(report.code).toBe(4);
});

test('a host with a ProxyCommand is not dialled, and says who could', async () => {
  await using somebody = await withHosts('Host web\n  ProxyCommand nc %h %p');
  expect(foundOf(await examine(somebody), 'host web')).toMatchObject([
    { says: expect.stringContaining('ProxyCommand'), mend: expect.stringContaining('openssh') },
  ]);
});

test('a hop that only ProxyJump names can be asked for by that name', async () => {
  await using somebody = await withHosts(`Host web\n  ProxyJump ${sshd.user}@localhost:${sshd.port}`);
  const report = await examine(somebody, 'localhost');
  expect(report.findings.filter(({ check }) => check === 'host localhost')).toHaveLength(1);
});

test('a host of ssh_config that refuses the login is looked into by its name', async () => {
  await using somebody = await withHosts('Host web\n  User nobody-here');
  const [found] = foundOf(await examine(somebody), 'host web');
  expect(found).toMatchObject({ status: 'unavailable', says: expect.stringContaining('AUTH_FAILED') });
  expect(found?.mend).toContain(`ssh -v -F ${somebody.home.path}/.ssh/config web`);
});
