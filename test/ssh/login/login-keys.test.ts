import { execFile } from 'node:child_process';
import { appendFile, copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import type { Login } from '../../../src/ssh/host.ts';
import { loadKey } from '../../../src/ssh/login/key-file.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { string } from '../../../src/ssh/trust/blob.ts';
import { fingerprintOf } from '../../../src/ssh/trust/host-key.ts';
import { startAgent } from '../../support/agent.ts';
import { run, testConnections } from '../../support/connections.ts';
import { securityKey, startFakeAgent } from '../../support/fake-agent.ts';
import { makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

const execute = promisify(execFile);
const PASSPHRASE = 'open sesame';

let temp: TempFolder;
let sshd: Sshd;
beforeAll(async () => {
  temp = await tempFolder();
  const authority = await makeKey(join(temp.path, 'ca'));
  sshd = await startSshd({ config: [`TrustedUserCAKeys ${authority.path}.pub`, 'LogLevel DEBUG1'] });
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const secret = (text: string): Secret => new Secret({ env: 'SOME_SECRET' }, async () => text);
const letIn = async (publicKey: string): Promise<void> =>
  await appendFile(join(sshd.folder, 'authorized_keys'), `${publicKey}\n`);

let keys = 0;
const newPath = (): string => join(temp.path, `key-${++keys}`);

/** `in`, or the operator's words. */
const logIn = async (...auth: readonly [Login, ...Login[]]): Promise<string> => {
  using connections = testConnections([await sshd.host({ auth })], { knownHosts: [sshd.knownHosts] });
  return await run(connections, 'printf in').then(
    ({ stdout }) => stdout,
    (error: Failure) => error.operator ?? error.message,
  );
};

const keygen = async (...words: readonly string[]): Promise<void> => {
  await execute('ssh-keygen', ['-q', ...words]);
};

/** A certificate of the trusted authority for a key, in a file beside it. */
const certify = async (path: string, user = sshd.user, ...more: readonly string[]): Promise<string> => {
  await keygen('-s', join(temp.path, 'ca'), '-I', 'me', '-n', user, ...more, `${path}.pub`);
  return `${path}-cert.pub`;
};

test.each([
  ['ed25519', ['-t', 'ed25519']],
  ['ecdsa on nistp256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa on nistp384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa on nistp521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa', ['-t', 'rsa', '-b', '2048']],
  ['rsa in PEM', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
  ['rsa in PKCS#8', ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8']],
  ['ecdsa in PEM', ['-t', 'ecdsa', '-b', '384', '-m', 'PEM']],
  ['ecdsa in PKCS#8', ['-t', 'ecdsa', '-b', '521', '-m', 'PKCS8']],
  ['rsa in PEM, locked', ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', PASSPHRASE]],
  ['rsa in PKCS#8, locked', ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8', '-N', PASSPHRASE]],
  ['ecdsa in PKCS#8, locked', ['-t', 'ecdsa', '-m', 'PKCS8', '-N', PASSPHRASE]],
  ...['aes128-cbc', 'aes256-cbc', '3des-cbc', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr', 'aes128-gcm@openssh.com'].map(
    (cipher): [string, string[]] => [`locked by ${cipher}`, ['-Z', cipher, '-a', '1', '-N', PASSPHRASE]],
  ),
  ['locked by aes256-gcm@openssh.com', ['-Z', 'aes256-gcm@openssh.com', '-a', '1', '-N', PASSPHRASE]],
])('a private key logs in: %s', async (_title, words) => {
  const path = newPath();
  await keygen(
    ...(words.includes('-t') ? [] : ['-t', 'ed25519']),
    ...(words.includes('-N') ? [] : ['-N', '']),
    ...words,
    '-C',
    '',
    '-f',
    path,
  );
  await letIn(await readFile(`${path}.pub`, 'utf8'));
  const locked = words.includes('-N');
  expect(await logIn({ kind: 'key', path, ...(locked ? { passphrase: secret(PASSPHRASE) } : {}) })).toBe('in');
  if (!locked) return;
  expect(await logIn({ kind: 'key', path, passphrase: secret('wrong') })).toContain(
    'the configured passphrase does not open it',
  );
  expect(await logIn({ kind: 'key', path })).toContain('it is locked and no passphrase is configured for it');
});

test('a locked key is opened once, and its passphrase is asked for each time', async () => {
  const path = newPath();
  await keygen('-t', 'ed25519', '-a', '1', '-N', PASSPHRASE, '-C', '', '-f', path);
  let asked = 0;
  let opened = 0;
  const parse: typeof ssh2.utils.parseKey = (text, words) => {
    if (words !== undefined) opened++;
    return ssh2.utils.parseKey(text, words);
  };
  const load = async (words = PASSPHRASE): Promise<string> => {
    const passphrase = new Secret({ env: 'P' }, async () => {
      asked++;
      return words;
    });
    return await loadKey({ kind: 'key', path, passphrase }, parse).then(
      ({ blob }) => fingerprintOf(blob),
      ({ message }: Failure) => message,
    );
  };
  const mine = await load();
  expect([mine, await load(), asked, opened]).toEqual([mine, mine, 2, 1]);
  expect([await load('wrong'), opened]).toEqual([expect.stringContaining('does not open it'), 2]);
  await rm(path);
  await keygen('-t', 'ed25519', '-a', '1', '-N', PASSPHRASE, '-C', '', '-f', path);
  expect([(await load()) === mine, opened]).toEqual([false, 3]);
  await rm(path);
  expect(await load()).toContain('there is no such file');
});

test('a key that is locked by chacha20 is refused with the way to mend it', async () => {
  const path = newPath();
  await keygen('-t', 'ed25519', '-Z', 'chacha20-poly1305@openssh.com', '-N', PASSPHRASE, '-f', path);
  expect(await logIn({ kind: 'key', path, passphrase: secret(PASSPHRASE) })).toContain(
    `The key ${path} cannot be used: its cipher cannot be opened here: ssh-keygen -p -Z aes256-ctr -f FILE writes it anew with another.`,
  );
});

test.each(['ed25519', 'ecdsa', 'rsa'] as const)('a certificate logs in with its key in a file: %s', async kind => {
  const { path } = await makeKey(newPath(), kind);
  expect(await logIn({ kind: 'key', path })).toContain('refused key');
  const certificate = await certify(path);
  const elsewhere = newPath();
  await copyFile(certificate, elsewhere);
  await rm(certificate);
  const before = sshd.log().length;
  expect(await logIn({ kind: 'key', path, certificate: elsewhere })).toBe('in');
  await expect.poll(() => sshd.log().slice(before)).toMatch(/Accepted publickey for \S+ from .* ID me \(serial 0\) CA/);
});

test('a certificate that lies beside its key is found, as ssh finds it', async () => {
  const { path } = await makeKey(newPath());
  await certify(path);
  expect(await logIn({ kind: 'key', path })).toBe('in');
});

test('a key whose certificate is not let in is offered without it', async () => {
  const { path, publicKey } = await makeKey(newPath());
  await certify(path, 'somebody');
  expect(await logIn({ kind: 'key', path })).toContain(`refused key ${path} with its certificate, then key ${path}.`);
  await letIn(publicKey);
  expect(await logIn({ kind: 'key', path })).toBe('in');
});

test.each([
  ['of another key', async (other: string) => await certify(other), 'it is that of another key'],
  [
    'that is past its time',
    async (_other: string, path: string) => await certify(path, sshd.user, '-V', '20200101Z:20200102Z'),
    'it was valid only until 2020-01-02T00:00:00Z',
  ],
  [
    'of a host',
    async (_other: string, path: string) => await certify(path, 'web', '-h'),
    'it is a certificate of a host',
  ],
  ['that is none', async (other: string) => `${other}.pub`, 'there is none in the file'],
  ['that does not exist', async () => '/nowhere/cert.pub', 'there is none in the file'],
])('a certificate %s is said in words, and the key is offered alone', async (_title, make, words) => {
  const [{ path, publicKey }, other] = await Promise.all([makeKey(newPath()), makeKey(newPath())]);
  const certificate = await make(other.path, path);
  expect(await logIn({ kind: 'key', path, certificate })).toContain(`Its certificate cannot be used: ${words}.`);
  await letIn(publicKey);
  expect(await logIn({ kind: 'key', path, certificate })).toBe('in');
});

test.each(['ed25519', 'ecdsa', 'rsa'] as const)('an agent logs in with a certificate that it holds: %s', async kind => {
  await using agent = await startAgent();
  const { path } = await makeKey(newPath(), kind);
  await certify(path);
  await agent.add(path);
  expect(await logIn({ kind: 'agent', socket: agent.socket })).toBe('in');
});

test('a certificate in a file logs in with the key that an agent holds', async () => {
  await using agent = await startAgent();
  const { path } = await makeKey(newPath());
  await agent.add(path);
  const certificate = await certify(path);
  expect(await logIn({ kind: 'agent', socket: agent.socket })).toContain('refused');
  expect(await logIn({ kind: 'agent', socket: agent.socket, only: [certificate] })).toBe('in');
});

test.each(['ed25519', 'ecdsa'] as const)('an agent logs in with a security key, which signs once: %s', async kind => {
  const key = securityKey(kind);
  await using agent = await startFakeAgent([key]);
  expect(await logIn({ kind: 'agent', socket: agent.socket })).toContain('refused');
  expect(agent.signed()).toBe(0);
  await letIn(key.publicKey);
  expect(await logIn({ kind: 'agent', socket: agent.socket })).toBe('in');
  expect(agent.signed()).toBe(1);
});

test('an agent is asked for the keys whose public files are named, in that order, and for no other', async () => {
  await using agent = await startAgent();
  const [first, second, third] = await Promise.all([makeKey(newPath()), makeKey(newPath()), makeKey(newPath())]);
  for (const { path } of [first, second, third]) await agent.add(path);
  const only = [`${third.path}.pub`, '/nowhere/id.pub', first.path];
  await rm(`${first.path}.pub`);
  const said = await logIn({ kind: 'agent', socket: agent.socket, only });
  const offered = [...said.matchAll(/agent key \S+ (SHA256:\S+)/g)].map(([, fingerprint]) => fingerprint);
  expect(offered).toEqual([third.fingerprint, first.fingerprint]);
  await letIn(second.publicKey);
  expect(await logIn({ kind: 'agent', socket: agent.socket, only })).toContain('refused');
  expect(await logIn({ kind: 'agent', socket: agent.socket, only: ['/nowhere/id.pub'] })).toContain(
    'it holds none of the keys',
  );
  expect(await logIn({ kind: 'agent', socket: agent.socket, only: [...only, second.path] })).toBe('in');
});

test('of an agent with many keys so many are offered that a try is left for what comes after', async () => {
  await using agent = await startAgent();
  for (let at = 0; at < 9; at++) await agent.add((await makeKey(newPath())).path);
  const last = await makeKey(newPath());
  await letIn(last.publicKey);
  const login = { kind: 'agent', socket: agent.socket } as const;
  expect(await logIn(login, { kind: 'key', path: last.path })).toBe('in');
  const said = await logIn(login, { kind: 'key', path: (await makeKey(newPath())).path });
  expect(said).toContain(
    'It holds 9 keys, and only 5 of them may be offered before hosts break off (MaxAuthTries): name the right ones',
  );
});

test.each([
  ['says nothing that it should', () => Buffer.from('00000001ff', 'hex')],
  ['says that it holds a billion keys', () => Buffer.from('000000050c3b9aca00', 'hex')],
  ['announces a gigabyte', () => Buffer.from('40000000', 'hex')],
  ['holds a key that is none', () => Buffer.from('000000110c000000010000000400000000'.concat('00000000'), 'hex')],
])('an agent that %s is passed over', async (_title, answer) => {
  await using agent = await startFakeAgent([], answer);
  const { path } = await sshd.userKey();
  const said = await logIn({ kind: 'agent', socket: agent.socket });
  expect(said).toMatch(/it cannot be reached|holds no key/);
  expect(await logIn({ kind: 'agent', socket: agent.socket }, { kind: 'key', path })).toBe('in');
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['three bytes', Buffer.alloc(3)],
  ['a length that lies', Buffer.from('ffffffff00', 'hex')],
  ['another algorithm', Buffer.concat([string('ssh-rsa'), string(Buffer.alloc(256))])],
  ['its algorithm alone', string('ssh-ed25519')],
])('an agent that signs with %s logs nobody in, and the next login is tried', async (_title, signature) => {
  const { path } = await makeKey(newPath());
  const line = await readFile(`${path}.pub`, 'utf8');
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  await letIn(line);
  await using agent = await startFakeAgent([{ blob, sign: () => signature }]);
  const own = await sshd.userKey();
  expect(await logIn({ kind: 'agent', socket: agent.socket })).toContain('Logging in as');
  expect(await logIn({ kind: 'agent', socket: agent.socket }, { kind: 'key', path: own.path })).toBe('in');
});

test('an RSA key never signs with SHA-1, and with the only SHA-2 that the host takes', async () => {
  await using picky = await startSshd({ config: ['PubkeyAcceptedAlgorithms rsa-sha2-512', 'LogLevel DEBUG1'] });
  const { path } = await picky.userKey('rsa');
  using connections = testConnections([await picky.host({ auth: [{ kind: 'key', path }] })], {
    knownHosts: [picky.knownHosts],
  });
  expect(await run(connections, 'true')).toMatchObject({ code: 0 });
  await using old = await startSshd({ config: ['PubkeyAcceptedAlgorithms ssh-rsa'] });
  const older = [{ kind: 'key', path: (await old.userKey('rsa')).path }] as const;
  using refused = testConnections([await old.host({ auth: older })], { knownHosts: [old.knownHosts] });
  await expect(run(refused, 'true')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
});
