import { expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { plan } from '../../../src/ssh/openssh/plan.ts';

const HOST: Host = {
  name: 'web-1',
  address: 'web.example',
  port: 2222,
  user: 'deploy',
  auth: [
    { kind: 'agent', socket: '/run/agent.sock', only: ['/keys/a.pub'] },
    { kind: 'key', path: '/keys/two words', certificate: '/keys/b-cert.pub' },
  ],
  hostKeys: [],
  tags: [],
};
const GIVEN = {
  folder: '/tmp/x',
  socket: '/tmp/100%/s',
  knownHosts: ['/etc/known', '/home/me/known hosts'],
  times: { timeoutMs: 12_345, aliveMs: 2_500 },
  older: false,
};
const LISTENING = ['-M', '-N', '-T', '-o', 'LogLevel=DEBUG1', '-S', '/tmp/100%%/s'];
const GUARDS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'NoHostAuthenticationForLocalhost=no',
  'VerifyHostKeyDNS=no',
  'UpdateHostKeys=no',
  'AddKeysToAgent=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'EscapeChar=none',
  'ForwardAgent=no',
  'ForwardX11=no',
  'Tunnel=no',
  'ClearAllForwardings=yes',
  'ControlPersist=no',
  'ConnectionAttempts=1',
  'ConnectTimeout=13',
  'TCPKeepAlive=yes',
  'ServerAliveInterval=2',
  'ServerAliveCountMax=2',
];

test('a host of ssh_config is its name there, behind what holds whatever that file says', async () => {
  const options = (guards: readonly string[]) => guards.flatMap(guard => ['-o', guard]);
  const alias = { ...HOST, alias: 'web' };
  expect(await plan(alias, GIVEN)).toEqual({
    args: [...LISTENING, ...options([...GUARDS, 'ForkAfterAuthentication=no']), '--', 'web'],
    files: [],
  });
  expect(await plan({ ...alias, aliasFile: '/etc/other' }, { ...GIVEN, older: true })).toEqual({
    args: [...LISTENING, ...options(GUARDS), '-F', '/etc/other', '--', 'web'],
    files: [],
  });
});

test('a host of config.json is told whole, hops and all, and no other file is read', async () => {
  const hop: Host = {
    ...HOST,
    ...{ name: 'hop', address: '10.0.0.1', port: 22, knownHosts: [] },
    ...{ keyAlias: '[door]:7', keyAlgorithms: ['ssh-ed25519', 'rsa-sha2-512'] },
    auth: [{ kind: 'agent', socket: '/run/agent.sock' }],
  };
  const { args, files } = await plan({ ...HOST, via: hop }, GIVEN);
  expect(args).toEqual([...LISTENING, '-F', '/tmp/x/config', '--', 'target']);
  expect(files).toEqual([
    {
      name: 'config',
      text: [
        'Host target',
        '  HostName web.example',
        '  Port 2222',
        '  User deploy',
        '  PreferredAuthentications publickey',
        '  IdentityAgent "/run/agent.sock"',
        '  IdentitiesOnly yes',
        '  IdentityFile "/keys/a.pub"',
        '  IdentityFile "/keys/two words"',
        '  CertificateFile "/keys/b-cert.pub"',
        '  UserKnownHostsFile "/etc/known" "/home/me/known hosts"',
        '  GlobalKnownHostsFile /dev/null',
        '  ProxyJump hop-1',
        '',
        'Host hop-1',
        '  HostName 10.0.0.1',
        '  Port 22',
        '  User deploy',
        '  PreferredAuthentications publickey',
        '  IdentityAgent "/run/agent.sock"',
        '  IdentitiesOnly no',
        '  IdentityFile none',
        '  UserKnownHostsFile /dev/null',
        '  GlobalKnownHostsFile /dev/null',
        '  HostKeyAlias [door]:7',
        '  HostKeyAlgorithms ssh-ed25519,rsa-sha2-512',
        '',
        'Host hop-*',
        '  LogLevel ERROR',
        '',
        'Host *',
        ...GUARDS.map(guard => `  ${guard.replace('=', ' ')}`),
        '',
      ].join('\n'),
    },
  ]);
});

test('a hop that ssh_config alone describes cannot be told', async () => {
  const via: Host = { ...HOST, name: 'hop', alias: 'hop', transport: 'openssh' };
  await expect(plan({ ...HOST, via }, GIVEN)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('the hop hop is described by ssh_config'),
  });
});
