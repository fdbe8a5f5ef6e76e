import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { formatProblem, InvalidFile } from '../../src/errors.ts';

const FILE = '/home/deploy/.config/sallyport/config.json';
const ENV = { HOME: '/home/deploy', SSH_AUTH_SOCK: '/run/agent.sock' };
const PIN = `SHA256:${'A'.repeat(43)}`;

const read = (value: unknown) =>
  readConfig(typeof value === 'string' ? value : JSON.stringify(value, null, 2), FILE, ENV);

const problemsOf = (value: unknown): readonly string[] => {
  try {
    read(value);
  } catch (error) {
    if (error instanceof InvalidFile)
      return error.problems.map(formatProblem).map(line => line.replace(`${FILE}:`, ''));
    throw error;
  }
  return [];
};

const host = (more: object) => ({ hosts: { web: { address: '10.0.0.5', user: 'deploy', ...more } } });

test('an empty object is a configuration without hosts that looks where ssh looks for keys', () => {
  expect(read({})).toEqual({
    hosts: [],
    entries: new Map(),
    sshConfig: 'none',
    networks: {},
    problem: expect.any(Function),
    knownHosts: ['/home/deploy/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
    grants: new Map(),
    timeouts: {},
    limits: {},
    approvals: { limits: { perMinute: 10, waiting: 16 } },
    secretVariables: [],
  });
});

test('a host has its defaults, and paths are absolute', () => {
  expect(read(host({})).hosts).toEqual([
    {
      name: 'web',
      address: '10.0.0.5',
      port: 22,
      user: 'deploy',
      auth: [{ kind: 'agent', socket: '/run/agent.sock' }],
      hostKeys: [],
      tags: [],
    },
  ]);
});

test('comments may stand in it, ways to log in keep their order, and files count from its own folder', () => {
  const { hosts, knownHosts, grants, timeouts } = read(`{
    // the web servers
    "hosts": { "web-1": {
      "address": "2001:db8::1", "port": 2222, "user": "DOMAIN\\\\deploy",
      "auth": [ { "key": "~/.ssh/id_ed25519" }, { "key": "keys/old" }, { "agent": true } ],
      "hostKey": "${PIN}", "tags": ["prod"] } },
    "knownHosts": ["hosts", "/etc/known"], "grants": { "ci": { "policy": "ci.json" } },
    "state": "sqlite", "timeouts": { "connectMs": 5000 }
  }`);
  expect(hosts).toEqual([
    {
      name: 'web-1',
      address: '2001:db8::1',
      port: 2222,
      user: 'DOMAIN\\deploy',
      auth: [
        { kind: 'key', path: '/home/deploy/.ssh/id_ed25519' },
        { kind: 'key', path: '/home/deploy/.config/sallyport/keys/old' },
        { kind: 'agent', socket: '/run/agent.sock' },
      ],
      hostKeys: [PIN],
      tags: ['prod'],
    },
  ]);
  expect({ knownHosts, grants, timeouts }).toEqual({
    knownHosts: ['/home/deploy/.config/sallyport/hosts', '/etc/known'],
    grants: new Map([['ci', '/home/deploy/.config/sallyport/ci.json']]),
    timeouts: { connectMs: 5000 },
  });
});

test('what a host needs to be found, believed and logged in to is read as it is meant', () => {
  const { hosts, networks, sshConfig, timeouts, limits } = read({
    hosts: {
      gw: { address: '10.0.0.1', user: 'jump' },
      web: {
        address: '10.0.0.5',
        user: 'deploy',
        via: 'gw',
        transport: 'openssh',
        knownHosts: '~/kh',
        keyAlias: 'web-key',
        auth: [
          { agent: true, only: 'keys/a.pub', socket: '~/agent' },
          { key: '~/k', certificate: 'k-cert.pub' },
          { interactive: [{ asks: 'Verification code', answer: { env: 'CODE' } }] },
        ],
      },
    },
    networks: { allow: ['10.0.0.0/8', '::1'], deny: '10.9.0.0/16'.split(' ') },
    timeouts: { idleMs: 60_000 },
    limits: { linksPerHost: 2 },
  });
  const folder = '/home/deploy/.config/sallyport';
  expect(JSON.parse(JSON.stringify({ hosts, networks, sshConfig, timeouts, limits }))).toEqual({
    hosts: [
      {
        name: 'gw',
        address: '10.0.0.1',
        port: 22,
        user: 'jump',
        auth: [{ kind: 'agent', socket: '/run/agent.sock' }],
        hostKeys: [],
        tags: [],
      },
      {
        name: 'web',
        address: '10.0.0.5',
        port: 22,
        user: 'deploy',
        via: expect.objectContaining({ name: 'gw', address: '10.0.0.1' }),
        transport: 'openssh',
        knownHosts: ['/home/deploy/kh'],
        keyAlias: 'web-key',
        auth: [
          { kind: 'agent', socket: '/home/deploy/agent', only: [`${folder}/keys/a.pub`] },
          { kind: 'key', path: '/home/deploy/k', certificate: `${folder}/k-cert.pub` },
          { kind: 'interactive', answers: [{ asks: 'Verification code', answer: '[secret]' }] },
        ],
        hostKeys: [],
        tags: [],
      },
    ],
    networks: { allow: ['10.0.0.0/8', '::1'], deny: ['10.9.0.0/16'] },
    sshConfig: 'none',
    timeouts: { idleMs: 60_000 },
    limits: { linksPerHost: 2 },
  });
});

test.each([
  { said: undefined, sshConfig: 'none' },
  { said: false, sshConfig: 'none' },
  { said: true, sshConfig: 'usual' },
  { said: '~/.ssh/more', sshConfig: { file: '/home/deploy/.ssh/more' } },
])('sshConfig $said is $sshConfig', ({ said, sshConfig }) => {
  expect(read({ sshConfig: said }).sshConfig).toEqual(sshConfig);
});

const account = { address: '10.0.0.5', user: 'u' };

test.each([
  {
    title: 'a way over no host',
    value: { hosts: { web: { ...account, via: 'gww' }, gw: account } },
    says: ['1:56 /hosts/web/via "gww" is no configured host; did you mean "gw"?'],
  },
  {
    title: 'a way back to itself',
    value: { hosts: { a: { ...account, via: 'b' }, b: { ...account, via: 'a' }, c: { ...account, via: 'c' } } },
    says: [
      '1:54 /hosts/a/via leads back to itself: a, b, a',
      '1:102 /hosts/b/via leads back to itself: b, a, b',
      '1:150 /hosts/c/via leads back to itself: c, c',
    ],
  },
  {
    title: 'no address where there is no ssh_config',
    value: { hosts: { a: { user: 'u' } } },
    says: ['1:15 /hosts/a/address is missing; it must be a text'],
  },
  {
    title: 'a network with bits beyond its length',
    value: { networks: { deny: ['10.0.0.1/8'] } },
    says: ['1:22 /networks/deny/0 must be an address or a network, like 10.0.0.0/8 or fd00::/8'],
  },
  {
    title: 'an ssh_config that is a number',
    value: { sshConfig: 1, hosts: { a: {} } },
    says: ['1:14 /sshConfig must be true, false or the path of a file'],
  },
  {
    title: 'a transport by another name',
    value: { hosts: { a: { ...account, transport: 'openSSH' } } },
    says: ['1:60 /hosts/a/transport must be "ssh2" or "openssh", and is "openSSH"; did you mean "openssh"?'],
  },
  {
    title: 'an answer that is written down',
    value: { hosts: { a: { ...account, auth: { interactive: { asks: 'Code', answer: '123456' } } } } },
    says: [
      '1:94 /hosts/a/auth/interactive/answer a secret is never written here: say where it lies, as {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}',
    ],
  },
  {
    title: 'a name in known_hosts that is a pattern',
    value: { hosts: { a: { ...account, keyAlias: '*' } } },
    says: ['1:59 /hosts/a/keyAlias must be the name that stands in known_hosts, without patterns'],
  },
])('$title is a problem in its place', ({ value, says }) => {
  expect(problemsOf(JSON.stringify(value))).toEqual(says);
});

test('a way over more hosts than anybody needs is refused, and none is too long to say so', () => {
  const hosts = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`h${at}`, at === 0 ? account : { ...account, via: `h${at - 1}` }]),
  );
  const problems = problemsOf(JSON.stringify({ hosts }));
  expect(problems).toHaveLength(43);
  expect(new Set(problems.map(problem => problem.replace(/^\S+ \S+ /, '')))).toEqual(
    new Set(['leads over more than 16 hosts']),
  );
});

test('limits are numbers within their bounds, each named when it is not', () => {
  const limits = { commands: 8, commandsPerHost: 4, detached: 0, sessionLifeMs: 3_600_000, keepTotalBytes: 1_048_576 };
  expect(read({ limits }).limits).toEqual(limits);
  const wrong = { commands: 0, sessionIdleMs: 999, keepBytes: '1 MB', sessionsPerhost: 1 };
  expect(problemsOf(JSON.stringify({ limits: wrong }))).toEqual([
    '1:23 /limits/commands must be at least 1',
    '1:41 /limits/sessionIdleMs must be at least 1000',
    '1:57 /limits/keepBytes must be a number, and is "1 MB"',
    '1:64 /limits/sessionsPerhost is not a known name; did you mean "sessionsPerHost"?',
  ]);
});

test('every problem is reported at once, in its place', () => {
  expect(
    problemsOf(`{
  "hosts": {
    "-web": { "address": "a", "user": "u" },
    "db": { "addres": "10.0.0.6", "user": "", "port": 70000, "tags": ["a b"] },
    "app": { "address": "10.0.0.7", "user": "u", "auth": [{ "agent": true }, { "key": 3 }, { "pasword": "x" }], "shell": "posix" }
  },
  "console": {},
  "grant": {},
  "state": { "redis": "redis://x" },
  "knownHosts": []
}`),
  ).toEqual([
    '3:5 /hosts/-web must be a name of letters, digits, ., _ and -, up to 128',
    '4:11 /hosts/db/address is missing; it must be a text',
    '4:13 /hosts/db/addres is not a known name; did you mean "address"?',
    '4:43 /hosts/db/user must be the name of an account',
    '4:55 /hosts/db/port must be at most 65535',
    '4:71 /hosts/db/tags/0 must be letters, digits, ., _ and -',
    '5:87 /hosts/app/auth/1/key must be a string',
    '5:92 /hosts/app/auth/2 must be {"agent": true}, {"key": "path"}, {"password": SECRET} or {"interactive": [QUESTIONS]}',
    '5:113 /hosts/app/shell is not available in this version',
    '7:3 /console is not available in this version',
    '8:3 /grant is not a known name; did you mean "grants"?',
    '9:12 /state must be "sqlite": Redis is not available in this version',
    '10:17 /knownHosts must not be empty',
  ]);
});

const ADDRESSES: readonly { readonly title: string; readonly more: object; readonly says: string }[] = [
  { title: 'an option as the address', more: { address: '-oProxyCommand=id' }, says: '/hosts/web/address' },
  { title: 'an account in the address', more: { address: 'root@10.0.0.5' }, says: '/hosts/web/address' },
  { title: 'a space in the address', more: { address: 'a b' }, says: '/hosts/web/address' },
  { title: 'a newline in the account', more: { user: 'a\nb' }, says: '/hosts/web/user' },
  { title: 'an option as the account', more: { user: '-l' }, says: '/hosts/web/user' },
  { title: 'a bidi character in the account', more: { user: 'a\u202eb' }, says: '/hosts/web/user' },
  { title: 'port zero', more: { port: 0 }, says: '/hosts/web/port' },
  { title: 'a port with a fraction', more: { port: 22.5 }, says: '/hosts/web/port' },
  { title: 'an MD5 fingerprint', more: { hostKey: 'MD5:aa:bb' }, says: '/hosts/web/hostKey' },
  { title: 'no way to log in', more: { auth: [] }, says: '/hosts/web/auth' },
  { title: 'an agent that is false', more: { auth: { agent: false } }, says: '/hosts/web/auth/agent' },
];

test.each(ADDRESSES)('$title is a problem of its own', ({ more, says }) => {
  const problems = problemsOf(host(more));
  expect(problems.map(problem => problem.split(' ')[1])).toContain(says);
});

test.each([
  { title: 'text that is no JSON', text: '{ "hosts": }', says: ['1:12 / a value is missing here'] },
  { title: 'nothing at all', text: '', says: ['1:1 / a value is missing here'] },
  { title: 'null', text: 'null', says: ['1:1 / must be an object, and is null'] },
  { title: 'no object of hosts', text: '{"hosts": null}', says: ['1:11 /hosts must be an object, and is null'] },
  {
    title: 'a host that is nothing',
    text: '{"hosts": {"a": null}}',
    says: ['1:17 /hosts/a must be an object, and is null'],
  },
  { title: 'a list', text: '[]', says: ['1:1 / must be an object, and is a list'] },
  {
    title: 'a key written twice',
    text: '{"hosts": {}, "hosts": {}}',
    says: ['1:15 /hosts "hosts" is written twice in one object'],
  },
  {
    title: 'the prototype as a host',
    text: '{"hosts": {"__proto__": {"address": "a", "user": "u"}}}',
    says: ['1:12 /hosts/__proto__ is a name that no file may use'],
  },
])('$title is refused with its place', ({ text, says }) => {
  expect(problemsOf(text)).toEqual(says);
});

const CANARY = 'hunter2-canary';
const LITERALS: readonly { readonly title: string; readonly auth: unknown }[] = [
  { title: 'a password as text', auth: { password: CANARY } },
  { title: 'a passphrase as text', auth: { key: '~/.ssh/id', passphrase: CANARY } },
  { title: 'the password where the agent stands', auth: { agent: CANARY } },
  { title: 'the password as the whole of auth', auth: CANARY },
  { title: 'the password in a list', auth: [CANARY] },
  { title: 'the password as the name of a variable', auth: { password: { env: `${CANARY}!` } } },
  { title: 'the password in an unknown key', auth: { pasword: CANARY } },
  { title: 'a command that is one text', auth: { password: { command: CANARY } } },
  { title: 'a file that is a list', auth: { password: { file: [CANARY] } } },
];

test.each(LITERALS)('$title is refused, and no message repeats it', ({ auth }) => {
  const problems = problemsOf(host({ auth }));
  expect(problems).toHaveLength(1);
  expect(problems.join('\n')).not.toContain(CANARY);
});

test.each([
  { title: 'a password as text', auth: { password: CANARY }, at: 'password' },
  { title: 'a passphrase as a number', auth: { key: 'k', passphrase: 12345 }, at: 'passphrase' },
])('$title is told where a secret may lie', ({ auth, at }) => {
  const [problem = ''] = problemsOf(host({ auth }));
  expect(problem.replace(/^\S+ /, '')).toBe(
    `/hosts/web/auth/${at} a secret is never written here: say where it lies, as {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}`,
  );
  expect(problem).not.toContain('12345');
});

test('a program found by a path relative to nowhere is refused: the working directory may be anybody’s', () => {
  expect(problemsOf(host({ auth: { password: { command: ['./secret'] } } }))).toEqual([
    '9:13 /hosts/web/auth/password/command/0 must be an absolute path, one under ~/, or a name found on PATH',
  ]);
});

test('a secret prints as what it is, and is fetched only when it is used', async () => {
  const config = readConfig(JSON.stringify(host({ auth: { key: 'k', passphrase: { env: 'WEB_KEY' } } })), FILE, {
    ...ENV,
    WEB_KEY: CANARY,
  });
  const [login] = config.hosts[0]?.auth ?? [];
  expect(`${inspect(config, { depth: 9 })}${JSON.stringify(config)}`).not.toContain(CANARY);
  expect(login?.kind === 'key' ? await login.passphrase?.reveal() : undefined).toBe(CANARY);
});

test.each([
  { root: '~/files', roots: ['/home/deploy/files'] },
  { root: ['/srv/a', 'b'], roots: ['/srv/a', '/home/deploy/.config/sallyport/b'] },
])('transfers may touch $root and nothing else', ({ root, roots }) => {
  expect(read({ files: { root } }).files).toEqual({ roots });
});

test.each([{ files: {} }, { files: { root: [] } }, { files: { root: '' } }, { files: { root: '/a', more: 1 } }])(
  'folders for files that say nothing are a problem: $files',
  ({ files }) => {
    expect(problemsOf({ files })).toHaveLength(1);
  },
);
