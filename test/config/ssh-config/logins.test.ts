import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testInventory } from '../../support/ssh-config.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

const makeKey = (temp: TempFolder, name: string, passphrase = '', format: readonly string[] = []): void =>
  void execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', passphrase, ...format, '-f', join(temp.path, name)]);

/** The logins and remarks of the host `web`, paths shown from `~`. */
const webOf = async (temp: TempFolder, lines: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  await temp.write('ssh_config', ['Host web', ...lines.map(line => ` ${line}`), ''].join('\n'));
  const { inventory } = await testInventory(temp, { env });
  await inventory.ready();
  const web = inventory.get('web');
  const { auth, unheeded, unreachable } = JSON.parse(JSON.stringify(web ?? {}).replaceAll(temp.path, '~'));
  return { auth, unheeded, unreachable };
};

const AGENT = { kind: 'agent', socket: '/run/agent' };
const ENV = { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' };

test.each([
  { title: 'the agent of the surroundings', lines: [], auth: [AGENT] },
  { title: 'the same by its name', lines: ['IdentityAgent SSH_AUTH_SOCK'], auth: [AGENT] },
  { title: 'another one', lines: ['IdentityAgent /run/a_%h'], auth: [{ kind: 'agent', socket: '/run/a_web' }] },
  { title: 'one in a variable', lines: ['IdentityAgent $OTHER'], auth: [{ kind: 'agent', socket: '/run/other' }] },
  { title: 'none', lines: ['IdentityAgent none', 'IdentityFile ~/a'], auth: [{ kind: 'key', path: '~/a' }] },
  {
    title: 'the keys that are there, in order',
    lines: ['IdentityFile ~/b', 'IdentityFile ~/absent', 'IdentityFile ~/%n_%r', 'IdentityFile ~/a', 'User u'],
    auth: [AGENT, { kind: 'key', path: '~/b' }, { kind: 'key', path: '~/web_u' }, { kind: 'key', path: '~/a' }],
  },
  {
    title: 'only the keys that are named',
    lines: ['IdentityFile ~/a', 'IdentityFile ~/public', 'IdentityFile ~/absent', 'IdentitiesOnly yes'],
    auth: [
      { ...AGENT, only: ['~/a', '~/public'] },
      { kind: 'key', path: '~/a' },
    ],
  },
  {
    title: 'no other key of the agent where none of the named ones is there',
    lines: ['IdentityFile ~/absent', 'IdentitiesOnly yes'],
    auth: [{ ...AGENT, only: ['~/absent'] }],
  },
  {
    title: 'the certificate of the key that it is of',
    lines: ['IdentityFile ~/a', 'IdentityFile ~/b', 'CertificateFile ~/cert_%h', 'IdentityAgent none'],
    auth: [
      { kind: 'key', path: '~/a' },
      { kind: 'key', path: '~/b', certificate: '~/cert_web' },
    ],
  },
])('logins: $title', async ({ lines, auth }) => {
  await using temp = await tempFolder();
  for (const name of ['a', 'b', 'web_u']) makeKey(temp, name);
  execFileSync('ssh-keygen', ['-q', '-s', join(temp.path, 'a'), '-I', 'x', '-n', 'u', join(temp.path, 'b.pub')]);
  execFileSync('mv', [join(temp.path, 'b-cert.pub'), join(temp.path, 'cert_web')]);
  execFileSync('cp', [join(temp.path, 'b.pub'), join(temp.path, 'public')]);
  expect(await webOf(temp, lines, ENV)).toEqual({ auth, unheeded: [], unreachable: undefined });
});

test.each([
  { title: 'the format of OpenSSH', format: [] },
  { title: 'PEM', format: ['-m', 'PEM'] },
  { title: 'PKCS#8', format: ['-m', 'PKCS8'] },
])('a key with a passphrase in $title is left to the agent, and that is said', async ({ format }) => {
  await using temp = await tempFolder();
  makeKey(temp, 'locked', 'a passphrase', format);
  makeKey(temp, 'open', '', format);
  expect(await webOf(temp, ['IdentityFile ~/locked', 'IdentityFile ~/open', 'IdentitiesOnly yes'], ENV)).toEqual({
    auth: [
      { ...AGENT, only: ['~/locked', '~/open'] },
      { kind: 'key', path: '~/open' },
    ],
    unheeded: [
      'IdentityFile ~/locked has a passphrase: it is used by way of an agent alone; with a login of config.json, its passphrase can be had by reference',
    ],
    unreachable: undefined,
  });
});

const by = (keyword: string): string => `${keyword} (only with "transport": "openssh")`;

test.each([
  { line: 'StrictHostKeyChecking no', unheeded: ['StrictHostKeyChecking false'] },
  { line: 'StrictHostKeyChecking accept-new', unheeded: ['StrictHostKeyChecking accept-new'] },
  { line: 'StrictHostKeyChecking yes', unheeded: [] },
  { line: 'ForwardAgent yes', unheeded: ['ForwardAgent'] },
  { line: 'LocalForward 8080 db:80', unheeded: ['LocalForward'] },
  { line: 'RemoteForward 8080 db:80', unheeded: ['RemoteForward'] },
  { line: 'DynamicForward 1080', unheeded: ['DynamicForward'] },
  { line: 'RemoteCommand tmux', unheeded: ['RemoteCommand'] },
  { line: 'KnownHostsCommand /bin/true', unheeded: [by('KnownHostsCommand')] },
  { line: 'PKCS11Provider /usr/lib/x.so', unheeded: [by('PKCS11Provider')] },
  { line: 'GSSAPIAuthentication yes', unheeded: [by('GSSAPIAuthentication')] },
  { line: 'HostbasedAuthentication yes', unheeded: [by('HostbasedAuthentication')] },
  { line: 'PubkeyAuthentication no', unheeded: [by('PubkeyAuthentication')] },
  { line: 'KexAlgorithms curve25519-sha256', unheeded: [by('KexAlgorithms')] },
  { line: 'Ciphers aes256-ctr', unheeded: [by('Ciphers')] },
  { line: 'BindAddress 127.0.0.2', unheeded: [by('BindAddress')] },
  { line: 'AddressFamily inet', unheeded: [by('AddressFamily')] },
  { line: 'VerifyHostKeyDNS yes', unheeded: [by('VerifyHostKeyDNS')] },
  { line: 'Compression yes', unheeded: [] },
  { line: 'ControlMaster auto', unheeded: [] },
  { line: 'ProxyCommand nc %h %p', unheeded: [by('ProxyCommand')], needs: 'ProxyCommand' },
  { line: 'RevokedHostKeys /etc/revoked', unheeded: [by('RevokedHostKeys')], needs: 'RevokedHostKeys' },
])('$line is said to be heeded as far as it is', async ({ line, unheeded, needs }) => {
  await using temp = await tempFolder();
  const web = await webOf(temp, [line]);
  expect(web).toMatchObject({ unheeded });
  expect(web.unreachable).toBe(
    needs === undefined ? undefined : `its ssh_config has ${needs}, which only OpenSSH honours`,
  );
});

test('a host that an OpenSSH client is to reach keeps its name in ssh_config while nothing else is said of it', async () => {
  await using temp = await tempFolder();
  const file = await temp.write('ssh_config', 'Host web db own\n ProxyCommand nc %h %p\n');
  const { inventory } = await testInventory(temp, {
    config: {
      hosts: {
        web: { transport: 'openssh', tags: ['prod'] },
        db: { transport: 'openssh', address: '10.0.0.6' },
        elsewhere: { transport: 'openssh', address: '10.0.0.7', user: 'ops' },
      },
    },
  });
  await inventory.ready();
  const shown = inventory.all().map(({ name, alias, aliasFile, unheeded }) => ({ name, alias, aliasFile, unheeded }));
  expect(shown).toEqual([
    { name: 'web', alias: 'web', aliasFile: file, unheeded: [] },
    { name: 'db', alias: undefined, aliasFile: undefined, unheeded: [by('ProxyCommand')] },
    { name: 'elsewhere', alias: undefined, aliasFile: undefined, unheeded: undefined },
    { name: 'own', alias: 'own', aliasFile: file, unheeded: [by('ProxyCommand')] },
  ]);
});
