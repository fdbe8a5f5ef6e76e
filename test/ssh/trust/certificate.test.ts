import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { string } from '../../../src/ssh/trust/blob.ts';
import { type Certificate, hostProblem, outOfTime, readCertificate } from '../../../src/ssh/trust/certificate.ts';
import { isSignedBy } from '../../../src/ssh/trust/signature.ts';
import { chance, oneOf } from '../../campaign/chance.ts';
import { securityKey } from '../../support/fake-agent.ts';
import { makeKey } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

const execute = promisify(execFile);

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => {
  await temp.remove();
});

let made = 0;
const newPath = (): string => join(temp.path, `key-${++made}`);

const blobIn = async (file: string): Promise<Buffer> =>
  Buffer.from((await readFile(file, 'utf8')).split(' ')[1] ?? '', 'base64');

type Kind = readonly [type: string, bits: string];

/** A new certificate, and the file that it is in. */
const certificate = async ([type, bits]: Kind, [caType, caBits]: Kind, ...words: readonly string[]) => {
  const [path, ca] = [newPath(), newPath()];
  await execute('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-f', path]);
  await execute('ssh-keygen', ['-q', '-t', caType, '-b', caBits, '-N', '', '-f', ca]);
  await execute('ssh-keygen', ['-q', '-s', ca, ...words, `${path}.pub`]);
  return { file: `${path}-cert.pub`, blob: await blobIn(`${path}-cert.pub`), key: await blobIn(`${path}.pub`) };
};

/** What `ssh-keygen -L` says, as we would say it. */
const asListed = async (file: string) => {
  const { stdout } = await execute('ssh-keygen', ['-L', '-f', file], { env: { TZ: 'UTC', PATH: process.env.PATH } });
  const field = (name: string): string => new RegExp(`^ +${name}: (.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const under = (name: string): readonly string[] => {
    const [, block = ''] = new RegExp(`^ +${name}: ?\\n((?: {16}.*\\n)*)`, 'm').exec(stdout) ?? [];
    return block.split('\n').flatMap(line => (line.trim() === '' ? [] : [line.trim()]));
  };
  const [, type = '', kind = ''] = /^(\S+) (user|host) certificate$/.exec(field('Type')) ?? [];
  const [, from = 'always', to = 'forever'] = /from (\S+) to (\S+)|before (\S+)|after (\S+)/.exec(field('Valid')) ?? [];
  return {
    type,
    kind,
    fingerprint: field('Public key').split(' ').at(-1),
    authority: /(SHA256:\S+)/.exec(field('Signing CA'))?.[1],
    principals: under('Principals'),
    valid: `${from} ${to}`,
    critical: under('Critical Options').map(line => line.split(' ')[0]),
  };
};

const asRead = (read: Certificate | undefined) => {
  if (read === undefined) return undefined;
  const { type, kind, certified, authority, keyId, principals, validAfter, validBefore, criticalOptions } = read;
  const date = (seconds: bigint): string => new Date(Number(seconds) * 1_000).toISOString().slice(0, 19);
  const forever = validBefore === 0xffff_ffff_ffff_ffffn;
  return {
    ...{ type, kind, fingerprint: certified.fingerprint, authority: authority.fingerprint, keyId, principals },
    valid: forever ? 'always forever' : `${date(validAfter)} ${date(validBefore)}`,
    critical: criticalOptions,
  };
};

const KINDS: readonly Kind[] = [
  ['ed25519', '256'],
  ['rsa', '2048'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
];
const WORDS = [
  ['-I', 'a user', '-n', 'root,deploy'],
  ['-I', 'web', '-h', '-n', 'web,web.example.org,10.0.0.5', '-V', '20260101120000Z:20270101Z'],
  ['-I', 'no principals', '-h'],
  ['-I', 'ü "quoted"', '-n', 'root', '-O', 'force-command=true', '-O', 'source-address=10.0.0.0/8', '-O', 'no-pty'],
];

test.each(
  KINDS.flatMap((kind, at) =>
    WORDS.map((words, row) => [kind, KINDS[(at + row) % KINDS.length] ?? kind, words] as const),
  ),
)('a certificate for %j by %j is read as ssh-keygen -L reads it: %j', async (kind, ca, words) => {
  const { file, blob, key } = await certificate(kind, ca, ...words);
  const read = readCertificate(blob);
  const listed = await asListed(file);
  expect(asRead(read)).toMatchObject(listed);
  expect(read?.keyId).toBe(words[1]);
  expect(read?.certified.blob).toEqual(key);
});

test('no byte of a certificate can be changed, cut off or added', async () => {
  const { blob } = await certificate(['ed25519', '256'], ['ecdsa', '256'], '-I', 'web', '-h', '-n', 'web');
  for (let at = 0; at < blob.length; at++) {
    const changed = Buffer.from(blob);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    expect(readCertificate(changed), `byte ${at}`).toBeUndefined();
    expect(readCertificate(blob.subarray(0, at)), `length ${at}`).toBeUndefined();
  }
  expect(readCertificate(Buffer.concat([blob, Buffer.alloc(1)]))).toBeUndefined();
  expect(readCertificate(blob)).toBeDefined();
});

test.each(['ed25519', 'ecdsa'] as const)('an authority may be a security key, and its touch counts: %s', async kind => {
  const authority = securityKey(kind);
  const { blob } = await certificate(['ed25519', '256'], ['ed25519', '256'], '-I', 'web', '-h');
  const plain = readCertificate(blob);
  if (plain === undefined) throw new Error('no certificate');
  const unsigned = Buffer.concat([
    blob.subarray(0, blob.indexOf(string(plain.authority.blob))),
    string(authority.blob),
  ]);
  const whole = Buffer.concat([unsigned, string(authority.sign(unsigned))]);
  expect(readCertificate(whole)?.authority.blob).toEqual(authority.blob);
  const other = Buffer.concat([unsigned, string(securityKey(kind).sign(unsigned))]);
  expect(readCertificate(other)).toBeUndefined();
});

test('a plain key and nothing at all are no certificates', async () => {
  const { path } = await makeKey(newPath());
  expect(readCertificate(await blobIn(`${path}.pub`))).toBeUndefined();
  expect(readCertificate(Buffer.alloc(0))).toBeUndefined();
  expect(readCertificate(Buffer.from('ffffffff', 'hex'))).toBeUndefined();
});

test('keys and signatures of any bytes verify nothing, and break nothing', () => {
  const next = chance(20_261_121);
  const some = (most: number): Buffer => Buffer.from(Array.from({ length: next(most) }, () => next(256)));
  const data = Buffer.from('data');
  const types = ['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521', 'sk-ssh-ed25519@openssh.com'];
  const algorithms = [...types, 'rsa-sha2-256', 'rsa-sha2-512', '', 'none'];
  for (let round = 0; round < 3_000; round++) {
    const type = oneOf(next, types);
    const sizes = [1, 2, 4, 33, 34, 66, 134, 260];
    const fields = Array.from({ length: next(4) }, () => string(some(oneOf(next, sizes))));
    const curve = type.startsWith('ecdsa') ? [string(type.slice('ecdsa-sha2-'.length))] : [];
    const key = Buffer.concat([string(type), ...curve, ...fields]);
    const same = type === 'ssh-rsa' ? 'rsa-sha2-256' : type;
    const algorithm = next(3) === 0 ? oneOf(next, algorithms) : same;
    const signature = Buffer.concat([string(algorithm), string(some(300)), some(next(3) === 0 ? 6 : 1)]);
    expect(isSignedBy(key, data, signature)).toBe(false);
  }
});

test('a tiny RSA key signs nothing', () => {
  for (const [n, e, value] of [
    ['01', '01', '01'],
    ['0f', '01', '0a'],
    ['00', '00', '00'],
    ['', '', ''],
    ['ff'.repeat(40), '03', '00'.repeat(40)],
  ]) {
    const key = Buffer.concat([string('ssh-rsa'), string(hex(e)), string(hex(n))]);
    const signature = Buffer.concat([string('rsa-sha2-256'), string(hex(value))]);
    expect(isSignedBy(key, Buffer.from('data'), signature)).toBe(false);
  }
});

const hex = (text = ''): Buffer => Buffer.from(text, 'hex');

const NOW = Date.parse('2026-06-01T00:00:00Z');

test.each([
  [[], 'web', undefined],
  [['-n', 'web,db'], 'db', undefined],
  [['-n', 'web,db'], 'mail', 'it does not name mail'],
  [['-n', '*'], 'web', 'it does not name web'],
  [['-V', '20260101Z:20260601Z'], 'web', 'it was valid only until 2026-06-01T00:00:00Z'],
  [['-V', '20260601Z:20260602Z'], 'web', undefined],
  [['-V', '20260602Z:20260603Z'], 'web', 'it is valid only from 2026-06-02T00:00:00Z'],
])('a certificate made with %j speaks for %s, or does not because %s', async (words, name, why) => {
  const { blob } = await certificate(['ed25519', '256'], ['ed25519', '256'], '-I', 'x', '-h', ...words);
  const read = readCertificate(blob);
  expect(read && hostProblem(read, name, NOW)).toBe(why);
  expect(read).toBeDefined();
});

test('a certificate of a user speaks for no host, and one with critical options neither', async () => {
  const { blob } = await certificate(
    ['ed25519', '256'],
    ['ed25519', '256'],
    '-I',
    'x',
    '-n',
    'web',
    '-O',
    'force-command=x',
  );
  const read = readCertificate(blob);
  if (read === undefined) throw new Error('no certificate');
  expect(hostProblem(read, 'web', NOW)).toBe('it is a certificate of a user');
  expect(hostProblem({ ...read, kind: 'host' }, 'web', NOW)).toBe(
    'it has critical options, which no certificate of a host has',
  );
  expect(outOfTime({ ...read, validAfter: 0n, validBefore: 0xffff_ffff_ffff_ffffn }, NOW)).toBeUndefined();
  expect(outOfTime({ ...read, validAfter: 0xffff_ffff_ffff_ffffn }, NOW)).toBe(
    'it is valid only from 9999-12-31T23:59:59Z',
  );
});
