import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Connection } from 'ssh2';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { run, testConnections } from '../../support/connections.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { type KeyKind, type KeyPair, makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

const execute = promisify(execFile);

let temp: TempFolder;
let authority: KeyPair;
let stranger: KeyPair;
let sshd: Sshd;
let key: KeyPair;
beforeAll(async () => {
  temp = await tempFolder();
  [authority, stranger, key] = await Promise.all([newKey(), newKey(), newKey()]);
  sshd = await startCertified(key, '-n', '127.0.0.1,web.example.org');
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

let made = 0;
const newKey = async (kind: KeyKind = 'ed25519'): Promise<KeyPair> =>
  await makeKey(join(temp.path, `key-${++made}`), kind);

const certify = async (host: KeyPair, words: readonly string[], ca = authority): Promise<string> => {
  const kind = words.includes('--user') ? [] : ['-h'];
  const more = words.filter(word => word !== '--user');
  await execute('ssh-keygen', ['-q', '-s', ca.path, '-I', 'web', ...kind, ...more, `${host.path}.pub`]);
  return `${host.path}-cert.pub`;
};

/** An sshd that presents this key with a certificate of the authority. */
const startCertified = async (host: KeyPair, ...words: readonly string[]): Promise<Sshd> => {
  const certificate = await certify(host, words);
  const lines = [`HostKey ${host.path}`, `HostCertificate ${certificate}`];
  return await startSshd({ config: [...lines, 'RekeyLimit 1M'], hostKeys: [] });
};

/** `in`, or how it was refused, by us and by the stock client. */
const visit = async (server: Sshd, knownHosts: string, over: Partial<Host> = {}): Promise<readonly string[]> => {
  const file = await temp.write(`known_hosts_${++made}`, knownHosts);
  using connections = testConnections([await server.host(over)], { knownHosts: [file] });
  const ours = await run(connections, 'printf in').then(
    ({ stdout }) => stdout,
    error => error.code,
  );
  return [ours, await stockVisit(server, file, over.keyAlias)];
};

const stockVisit = async (server: Sshd, file: string, alias: string | undefined): Promise<string> => {
  const options = [
    ...[`UserKnownHostsFile=${file}`, 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes'],
    ...['IdentitiesOnly=yes', 'BatchMode=yes', 'LogLevel=ERROR'],
    ...(alias === undefined ? [] : [`HostKeyAlias=${alias}`]),
  ].flatMap(option => ['-o', option]);
  const user = await server.userKey();
  const place = ['-p', String(server.port), '-i', user.path, `${server.user}@127.0.0.1`];
  return await execute('ssh', ['-F', 'none', ...options, ...place, 'printf in']).then(
    ({ stdout }) => stdout,
    ({ stderr }) => {
      if (/REVOKED HOST KEY|revoked/i.test(stderr)) return 'HOST_KEY_REVOKED';
      return /IDENTIFICATION HAS CHANGED/.test(stderr) ? 'HOST_KEY_CHANGED' : 'HOST_KEY_UNKNOWN';
    },
  );
};

const line = (names: string, { publicKey }: KeyPair, marker = '@cert-authority '): string =>
  `${marker}${names} ${publicKey}\n`;

test.each([
  ['an authority for every host', 'in', () => line('*', authority)],
  ['an authority for its name and port', 'in', () => line(`[127.0.0.1]:${sshd.port}`, authority)],
  ['an authority for its plain name', 'in', () => line('127.0.0.1', authority)],
  ['an authority for another host', 'HOST_KEY_UNKNOWN', () => line('127.0.0.2', authority)],
  ['another authority', 'HOST_KEY_UNKNOWN', () => line('*', stranger)],
  ['another authority, and this one', 'in', () => line('*', stranger) + line('*', authority)],
  ['another authority, and the plain key', 'in', () => line('*', stranger) + line(`[127.0.0.1]:${sshd.port}`, key, '')],
  ['an authority, and another key', 'in', () => line('*', authority) + line(`[127.0.0.1]:${sshd.port}`, stranger, '')],
  [
    'another authority and another key',
    'HOST_KEY_CHANGED',
    () => line('*', stranger) + line(`[127.0.0.1]:${sshd.port}`, stranger, ''),
  ],
  ['the authority as a plain key', 'HOST_KEY_CHANGED', () => line(`[127.0.0.1]:${sshd.port}`, authority, '')],
  ['the authority revoked', 'HOST_KEY_REVOKED', () => line('*', authority) + line('*', authority, '@revoked ')],
  ['the key revoked', 'HOST_KEY_REVOKED', () => line('*', authority) + line('*', key, '@revoked ')],
  ['another key revoked', 'in', () => line('*', authority) + line('*', stranger, '@revoked ')],
  ['the authority negated for it', 'HOST_KEY_UNKNOWN', () => line(`*,!127.0.0.1,!*:${sshd.port}`, authority)],
  ['the key as an authority', 'HOST_KEY_UNKNOWN', () => line('*', key)],
])(
  'a host with a certificate is met with %s: %s, for us and for the stock client',
  async (_title, outcome, knownHosts) => {
    expect(await visit(sshd, knownHosts())).toEqual([outcome, outcome]);
  },
);

test.each([
  ['web.example.org', 'in'],
  ['WEB.example.org', 'in'],
  ['db.example.org', 'HOST_KEY_UNKNOWN'],
])('under the alias %s a certificate is judged by the alias: %s', async (keyAlias, outcome) => {
  const knownHosts = line('*.example.org', authority);
  expect(await visit(sshd, knownHosts, { keyAlias })).toEqual([outcome, outcome]);
});

test.each([
  ['another name', ['-n', 'db'], 'HOST_KEY_UNKNOWN'],
  ['a pattern', ['-n', '127.0.0.*'], 'HOST_KEY_UNKNOWN'],
  ['no name at all', [], 'in'],
  ['its time over', ['-n', '127.0.0.1', '-V', '20200101Z:20200102Z'], 'HOST_KEY_UNKNOWN'],
  ['its time to come', ['-n', '127.0.0.1', '-V', '20990101Z:20990102Z'], 'HOST_KEY_UNKNOWN'],
])('a certificate with %s is %3$s, for us and for the stock client', async (_title, words, outcome) => {
  await using server = await startCertified(await newKey(), ...words);
  expect(await visit(server, line('*', authority))).toEqual([outcome, outcome]);
});

test('a certificate that does not count is named with its reason, and the fingerprint of the key is shown', async () => {
  const host = await newKey();
  await using server = await startCertified(host, '-n', 'db');
  const file = await temp.write('reason', line('*', authority));
  using connections = testConnections([await server.host()], { knownHosts: [file] });
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'HOST_KEY_UNKNOWN',
    message: `The key of web (127.0.0.1:${server.port}) is not known: it presented ssh-ed25519 ${host.fingerprint}. Its certificate "web" does not count: it does not name 127.0.0.1.`,
  });
});

test.each(['ecdsa', 'rsa'] as const)('an authority with a key of another type certifies too: %s', async kind => {
  const ca = await newKey(kind);
  const host = await newKey('ecdsa');
  const certificate = await certify(host, ['-n', '127.0.0.1'], ca);
  await using server = await startSshd({
    config: [`HostKey ${host.path}`, `HostCertificate ${certificate}`],
    hostKeys: [],
  });
  expect(await visit(server, line('*', ca))).toEqual(['in', 'in']);
});

test('a certified host is still the same at each rekey', async () => {
  const file = await temp.write('rekey', line('*', authority));
  using connections = testConnections([await sshd.host()], { knownHosts: [file] });
  const all = Array.from({ length: 4 }, () => run(connections, 'head -c 3000000 /dev/zero | tr "\\0" x'));
  expect((await Promise.all(all)).map(({ stdout }) => stdout.length)).toEqual([
    3_000_000, 3_000_000, 3_000_000, 3_000_000,
  ]);
});

// What ssh2's server does not do by itself: present a certificate, and sign as its plain key.
type Inside = {
  _protocol: { _hostKeys: Record<string, unknown>; _offer: object; _kex: { negotiated: { serverHostKey: string } } };
};

const presentCertificate = (connection: Connection, blob: Buffer, sign: (data: Buffer) => Buffer): void => {
  const { _protocol: protocol } = connection as unknown as Inside;
  const type = 'ssh-ed25519-cert-v01@openssh.com';
  const { lists } = protocol._offer as {
    lists: {
      kex: { array: string[] };
      cs: Record<string, { array: string[] }>;
      sc: Record<string, { array: string[] }>;
    };
  };
  const plain = (all: Record<string, { array: string[] }>) =>
    Object.fromEntries(Object.entries(all).map(([name, { array }]) => [name, array]));
  const offer = { kex: lists.kex.array, serverHostKey: [type], cs: plain(lists.cs), sc: plain(lists.sc) };
  protocol._offer = Reflect.construct(protocol._offer.constructor, [offer]);
  protocol._hostKeys[type] = {
    type: 'ssh-ed25519',
    getPublicSSH: () => blob,
    sign: (data: Buffer) => {
      protocol._kex.negotiated.serverHostKey = 'ssh-ed25519';
      return sign(data);
    },
  };
};

test.each([
  ['the key that it certifies', 'in', () => key],
  ['another key', 'UNREACHABLE', () => stranger],
])('a host that shows a certificate and signs with %s: %s', async (_title, outcome, signer) => {
  const text = await readFile(`${key.path}-cert.pub`, 'utf8');
  const blob = Buffer.from(text.split(' ')[1] ?? '', 'base64');
  const parsed = ssh2.utils.parseKey(await readFile(signer().path));
  if (parsed instanceof Error) throw parsed;
  await using rude = await startRudeHost({
    onConnection: connection => presentCertificate(connection, blob, data => parsed.sign(data)),
  });
  const file = await temp.write('rude', line('*', authority));
  using connections = testConnections([rude.host()], { knownHosts: [file] });
  const said = await run(connections, 'printf in').then(
    ({ stdout }) => stdout,
    error => error.code,
  );
  expect(said).toBe(outcome === 'in' ? 'ran: printf in' : outcome);
  expect(rude.seen.commands.length).toBe(outcome === 'in' ? 1 : 0);
});
