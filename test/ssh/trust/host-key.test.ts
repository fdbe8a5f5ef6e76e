import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scan } from '../../../src/ssh/dial/reach.ts';
import { lookUp } from '../../../src/ssh/dial/tcp.ts';
import { enrol } from '../../../src/ssh/trust/enrol.ts';
import { realClock } from '../../support/clock.ts';
import { run, testConnections } from '../../support/connections.ts';
import { startRudeHost, swapHostKey } from '../../support/rude-host.ts';
import { type KeyPair, makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

let sshd: Sshd;
let temp: TempFolder;
let stranger: KeyPair;
beforeAll(async () => {
  temp = await tempFolder();
  stranger = await makeKey(`${temp.path}/stranger`);
  sshd = await startSshd({ hostKeys: ['ed25519', 'rsa', 'ecdsa'], config: ['LogLevel DEBUG1'] });
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const keyOf = (kind: string): KeyPair => {
  const key = sshd.hostKeys.find(({ path }) => path.endsWith(`_${kind}`));
  if (key === undefined) throw new Error(`no ${kind} key`);
  return key;
};
const name = (): string => `[127.0.0.1]:${sshd.port}`;

/** Says `in` from the host, or how it was refused. */
const visit = async (knownHosts: string, hostKeys: readonly string[] = []): Promise<string> => {
  const file = await temp.write('known_hosts', knownHosts);
  using connections = testConnections([await sshd.host({ hostKeys })], { knownHosts: [file] });
  return await run(connections, 'printf in').then(
    ({ stdout }) => stdout,
    error => error.code,
  );
};

const execute = promisify(execFile);

/** The same visit by the stock client. */
const stockVisit = async (knownHosts: string): Promise<string> => {
  const file = await temp.write('known_hosts', knownHosts);
  const options = [
    ...[`UserKnownHostsFile=${file}`, 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes'],
    ...['IdentitiesOnly=yes', 'BatchMode=yes', 'LogLevel=ERROR'],
  ].flatMap(option => ['-o', option]);
  const key = await sshd.userKey();
  const place = ['-p', String(sshd.port), '-i', key.path, `${sshd.user}@127.0.0.1`];
  return await execute('ssh', ['-F', 'none', ...options, ...place, 'printf in']).then(
    ({ stdout }) => stdout,
    ({ stderr }) => {
      if (/REVOKED HOST KEY|revoked/i.test(stderr)) return 'HOST_KEY_REVOKED';
      return /IDENTIFICATION HAS CHANGED/.test(stderr) ? 'HOST_KEY_CHANGED' : 'HOST_KEY_UNKNOWN';
    },
  );
};

test.each([
  ['the key under its name and port', 'in', () => `${name()} ${keyOf('ed25519').publicKey}`],
  ['the key under a wildcard', 'in', () => `[127.0.0.*]:* ${keyOf('ed25519').publicKey}`],
  ['the key under the plain name', 'in', () => `127.0.0.1 ${keyOf('ed25519').publicKey}`],
  ['only the RSA key', 'in', () => `${name()} ${keyOf('rsa').publicKey}`],
  ['only the ECDSA key', 'in', () => `${name()} ${keyOf('ecdsa').publicKey}`],
  [
    'an old key and the right one',
    'in',
    () => `${name()} ${stranger.publicKey}\n${name()} ${keyOf('ed25519').publicKey}`,
  ],
  [
    'an old key of a type that the host has',
    'HOST_KEY_CHANGED',
    () => `${name()} ${stranger.publicKey}\n${name()} ${keyOf('rsa').publicKey}`,
  ],
  ['no line', 'HOST_KEY_UNKNOWN', () => ''],
  ['its names negated', 'HOST_KEY_UNKNOWN', () => `*,!${name()},!127.0.0.1 ${keyOf('ed25519').publicKey}`],
  ['the line of another port', 'HOST_KEY_UNKNOWN', () => `[127.0.0.1]:1 ${keyOf('ed25519').publicKey}`],
  ['a broken line', 'HOST_KEY_UNKNOWN', () => `${name()} ${keyOf('ed25519').publicKey.slice(0, -2)}`],
  ['a certificate authority', 'HOST_KEY_UNKNOWN', () => `@cert-authority * ${keyOf('ed25519').publicKey}`],
  ['another key under the plain name', 'HOST_KEY_UNKNOWN', () => `127.0.0.1 ${stranger.publicKey}`],
  ['a stranger’s key', 'HOST_KEY_CHANGED', () => `${name()} ${stranger.publicKey}`],
  [
    'the key revoked',
    'HOST_KEY_REVOKED',
    () => `${name()} ${keyOf('ed25519').publicKey}\n@revoked * ${keyOf('ed25519').publicKey}`,
  ],
])('with %s in known_hosts it is %s, for us and for the stock client', async (_title, outcome, knownHosts) => {
  expect(await visit(knownHosts())).toBe(outcome);
  expect(await stockVisit(knownHosts())).toBe(outcome);
});

test('a name hashed by ssh-keygen is known', async () => {
  const file = await temp.write('to_hash', `${name()} ${keyOf('ed25519').publicKey}\n`);
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  const hashed = await readFile(file, 'utf8');
  expect(hashed).toMatch(/^\|1\|/);
  expect(await visit(hashed)).toBe('in');
});

test.each(['ed25519', 'rsa', 'ecdsa'])('a pin of the host’s %s key is enough, whatever type it is', async kind => {
  expect(await visit('', [keyOf(kind).fingerprint])).toBe('in');
});

test('after a pin’s type is known, the next connection asks for it at once', async () => {
  using connections = testConnections([await sshd.host({ hostKeys: [keyOf('rsa').fingerprint] })], { knownHosts: [] });
  await run(connections, 'true');
  const first = connections.dials.length;
  expect(first).toBeGreaterThan(1);
  connections.get('web').close();
  await run(connections, 'true');
  expect(connections.dials.length).toBe(first + 1);
});

test.each([
  ['no line', () => ''],
  ['the line of another port', () => `[127.0.0.1]:1 ${keyOf('ed25519').publicKey}`],
  ['its key revoked', () => `@revoked * ${keyOf('ed25519').publicKey}`],
  ['another name for an authority', () => `@cert-authority db ${keyOf('ed25519').publicKey}`],
])('with %s no key could be right, and the host never hears of us', async (_title, knownHosts) => {
  const file = await temp.write('known_hosts', knownHosts());
  using connections = testConnections([await sshd.host()], { knownHosts: [file] });
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'HOST_KEY_UNKNOWN',
    message: `No key of web (127.0.0.1:${sshd.port}) is known: it is not dialled.`,
    next: "A person compares its key with the host's own and runs: sallyport hosts trust web",
  });
  expect(connections.dials).toEqual([]);
  // A person who has trusted it meanwhile does not wait.
  await temp.write('known_hosts', `${name()} ${keyOf('ed25519').publicKey}`);
  expect(await run(connections, 'printf in')).toMatchObject({ stdout: 'in' });
});

test('where a person asks, a host of which no key is known says which it has, and hears of no login', async () => {
  const before = heard();
  using connections = testConnections([await sshd.host()], { knownHosts: [], meetsStrangers: true });
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'HOST_KEY_UNKNOWN',
    details: { presented: { type: 'ssh-ed25519', fingerprint: keyOf('ed25519').fingerprint } },
  });
  await sshd.waitForLog(/\[preauth\]/, before.goodbyes + 1);
  expect(heard().logins).toBe(before.logins);
});

test.each([
  ['a stranger’s key', 'HOST_KEY_CHANGED', () => `${name()} ${stranger.publicKey}`, []],
  [
    'the key revoked',
    'HOST_KEY_REVOKED',
    () => `${name()} ${keyOf('ed25519').publicKey}\n@revoked\t* ${keyOf('ed25519').publicKey}`,
    [],
  ],
  ['another pin', 'HOST_KEY_CHANGED', () => '', [`SHA256:${'A'.repeat(43)}`]],
])('with %s it is %s, and the host never hears of a login', async (_title, code, knownHosts, pins) => {
  const before = heard();
  expect(await visit(knownHosts(), pins)).toBe(code);
  await sshd.waitForLog(/\[preauth\]/, before.goodbyes + 1);
  expect(heard().logins).toBe(before.logins);
});

const heard = () => ({
  logins: sshd.log().match(/userauth-request for user/g)?.length ?? 0,
  goodbyes: sshd.log().match(/\[preauth\]/g)?.length ?? 0,
});

test('a login is heard by the host, so that the silence above means something', async () => {
  const before = heard();
  expect(await visit(`${name()} ${keyOf('ed25519').publicKey}`)).toBe('in');
  expect(heard().logins).toBeGreaterThan(before.logins);
});

test('a key that changed under the same name is refused, and trusted again once a person enrolled it [G8]', async () => {
  await using first = await startSshd();
  const host = await first.host();
  const file = await temp.write('mine', await readFile(first.knownHosts));
  await first.close();
  await using second = await startSshd({ port: first.port });
  const auth = [{ kind: 'key', path: (await second.userKey()).path }] as const;
  using connections = testConnections([{ ...host, auth }], { knownHosts: [file] });
  const [old, fresh] = [first.hostKeys[0]?.fingerprint, second.hostKeys[0]?.fingerprint];
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'HOST_KEY_CHANGED',
    details: { presented: { type: 'ssh-ed25519', fingerprint: fresh }, expected: [old] },
  });
  expect(await connections.get('web').key()).toBe('changed');
  expect(second.counts().logins).toBe(0);
  await temp.write('mine', '');
  const key = await scan({ ...host, auth }, AbortSignal.timeout(5_000), reaching([file]));
  expect(key.fingerprint).toBe(fresh);
  expect(await enrol(file, host, key)).toBe('added');
  using patient = testConnections([{ ...host, auth }], { knownHosts: [file] });
  expect(await run(patient, 'printf in')).toMatchObject({ stdout: 'in' });
  expect(await patient.get('web').key()).toBe('known');
});

const reaching = (knownHosts: readonly string[]) => ({
  clock: realClock,
  log: () => {},
  connect,
  lookUp,
  connectTimeoutMs: 5_000,
  knownHosts,
});

test('a scan shows the key and does not log in', async () => {
  const before = heard();
  const key = await scan(await sshd.host(), AbortSignal.timeout(5_000), reaching([]));
  expect({ type: key.type, fingerprint: key.fingerprint }).toEqual({
    type: 'ssh-ed25519',
    fingerprint: keyOf('ed25519').fingerprint,
  });
  await sshd.waitForLog(/\[preauth\]/, before.goodbyes + 1);
  expect(heard().logins).toBe(before.logins);
});

test.each([
  ['group-exchange', 'KexAlgorithms diffie-hellman-group-exchange-sha256', 'key exchange algorithm'],
  ['SHA-1 in the key exchange', 'KexAlgorithms diffie-hellman-group14-sha1', 'key exchange algorithm'],
  ['CBC ciphers', 'Ciphers aes128-cbc,aes256-cbc', 'C->S cipher'],
  ['SHA-1 MACs', 'Ciphers aes128-ctr\nMACs hmac-sha1,hmac-sha1-etm@openssh.com', 'C->S MAC'],
  ['SHA-1 signatures of its RSA key', 'HostKeyAlgorithms ssh-rsa', 'host key format'],
])('a server that offers only %s is refused in words', async (_title, config, what) => {
  await using old = await startSshd({ hostKeys: ['rsa'], config: config.split('\n') });
  using connections = testConnections([await old.host()], { knownHosts: [old.knownHosts] });
  const failure = await run(connections, 'true').catch(error => error);
  expect(failure).toMatchObject({
    code: 'UNREACHABLE',
    message: `web (127.0.0.1:${old.port}) and sallyport have no ${what} in common.`,
  });
});

test('the same key is demanded again at each rekey, and nothing is lost meanwhile', async () => {
  await using busy = await startSshd({ config: ['RekeyLimit 1M', 'LogLevel DEBUG1'] });
  using connections = testConnections([await busy.host()], { knownHosts: [busy.knownHosts] });
  const down = 'head -c 3000000 /dev/zero | tr "\\0" x | sha256sum; head -c 3000000 /dev/zero | tr "\\0" x';
  const sent = Buffer.alloc(3_000_000, 'u');
  const downloads = Array.from({ length: 3 }, () => run(connections, down));
  const uploads = Array.from({ length: 2 }, () => run(connections, 'sha256sum', { stdin: sent }));
  const commands = Array.from({ length: 40 }, (_, at) => run(connections, `echo ${at}`));
  for (const { stdout, code } of await Promise.all(downloads)) {
    expect(code).toBe(0);
    expect(stdout.slice(0, 64)).toBe(sha256('x'.repeat(3_000_000)));
    expect(sha256(stdout.slice(68))).toBe(stdout.slice(0, 64));
  }
  for (const { stdout } of await Promise.all(uploads)) expect(stdout).toBe(`${sha256(sent)}  -\n`);
  expect((await Promise.all(commands)).map(({ stdout }) => stdout)).toEqual(
    Array.from({ length: 40 }, (_, at) => `${at}\n`),
  );
  await expect.poll(() => busy.counts().connections).toBe(1);
  expect(busy.log().match(/: rekeying out/g)?.length ?? 0).toBeGreaterThan(8);
});

test('a host that presents another key at a rekey is dropped', async () => {
  await using rude = await startRudeHost({
    exec: () => exec => {
      exec.accept().write('before');
      void swapHostKey(exec.connection);
    },
  });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  const { stdout, code } = await run(connections, 'true');
  expect({ stdout, code }).toEqual({ stdout: 'before', code: undefined });
  expect(connections.get('web').state()).toBe('closed');
});

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
