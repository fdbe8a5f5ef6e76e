import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { keysFor, knownName, parseKnownHosts } from '../../../src/ssh/trust/known-hosts.ts';
import { tempFolder } from '../../support/temp.ts';

const run = promisify(execFile);

const KEYS = {
  ed25519: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS',
  other: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnuPRLMKL5hpBfVC5lCkfVlZUrzqCrwCQb7zx0BtvCF',
};
const ED25519 = KEYS.ed25519;
const ECDSA =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=';

/** What a file says of a name: markers and lines. */
const look = (text: string, name: string): string[] =>
  keysFor(parseKnownHosts(text, 'kh'), name).map(({ marker, place }) => `${marker} ${place}`);

const hashed = (name: string, salt = Buffer.alloc(20, 7)): string =>
  `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;

test.each([
  ['a plain name', 'web', 'web', true],
  ['another name', 'web', 'db', false],
  ['a list', 'web,db,10.0.0.5', '10.0.0.5', true],
  ['capitals in the file', 'WEB.Example.ORG', 'web.example.org', true],
  ['a port in brackets', '[web]:2222', '[web]:2222', true],
  ['the port of another', '[web]:2222', '[web]:2223', false],
  ['a port where none is written', 'web', '[web]:2222', false],
  ['brackets are no character class', '[web]:2222', 'w', false],
  ['a star', '*.example.org', 'a.b.example.org', true],
  ['a star that needs a dot', '*.example.org', 'example.org', false],
  ['a star over a port', '[*.example.org]:*', '[a.example.org]:2022', true],
  ['a question mark', 'web?', 'web1', true],
  ['a question mark for nothing', 'web?', 'web', false],
  ['a negated name', '*,!web', 'web', false],
  ['a negation that comes first', '!web,*', 'web', false],
  ['a negation of another', '*,!web', 'db', true],
  ['a negation alone', '!web', 'db', false],
  ['a hashed name', hashed('web'), 'web', true],
  ['a hashed name with a port', hashed('[web]:2222'), '[web]:2222', true],
  ['the hash of another', hashed('web'), 'db', false],
  ['a list after a hash is no list', `${hashed('web')},web`, 'web', false],
  ['an IPv6 address', '2001:db8::1', '2001:db8::1', true],
])('%s', (_title, names, name, matches) => {
  expect(look(`${names} ${ED25519}`, name)).toEqual(matches ? ['host kh:1'] : []);
});

test.each([
  ['no key', 'web', 'names, a key type and a key are expected'],
  ['no key after the type', 'web ssh-ed25519', 'names, a key type and a key are expected'],
  ['a type that is not the key’s', `web ssh-rsa ${ED25519.split(' ')[1]}`, 'no valid "ssh-rsa" key'],
  ['a cut key', `web ${ED25519.slice(0, -8)}`, 'no valid "ssh-ed25519" key'],
  ['a key with a tail', `web ${ED25519}AAAA`, 'no valid "ssh-ed25519" key'],
  ['base64 without its padding', `web ${ECDSA.slice(0, -1)}`, 'no valid "ecdsa-sha2-nistp256" key'],
  ['base64 of another alphabet', `web ${ECDSA.replace('+', '-')}`, 'no valid "ecdsa-sha2-nistp256" key'],
  ['an SSH-1 key', 'web 1024 35 123456789', 'no valid "1024" key'],
  ['an unknown marker', `@trusted web ${ED25519}`, 'unknown marker "@trusted": @revoked and @cert-authority exist'],
  ['two markers', `@revoked @cert-authority web ${ED25519}`, 'only one marker is allowed on a line'],
  ['a broken hash', `|1|x|y ${ED25519}`, 'the hashed name is not |1|salt|hash'],
])('a line with %s is reported with its place, and the lines around it still count', (_title, line, message) => {
  const known = parseKnownHosts(`web ${ED25519}\n${line}\ndb ${ED25519}\n`, 'kh');
  expect(known.problems).toEqual([{ file: 'kh', line: 2, column: 1, pointer: '', message }]);
  expect(known.lines.map(({ place }) => place)).toEqual(['kh:1', 'kh:3']);
});

test('an ECDSA key is read', () => {
  expect(look(`web ${ECDSA}`, 'web')).toEqual(['host kh:1']);
});

test('comments, empty lines, comments behind keys, tabs and carriage returns are no problems', () => {
  const text = `# a comment\n\n   \n \t# indented\n\r\nweb ${ED25519} root@web\n\tdb\t${KEYS.other.replace(' ', '\t')}\r\n`;
  const known = parseKnownHosts(text, 'kh');
  expect(known.problems).toEqual([]);
  expect(look(text, 'web')).toEqual(['host kh:6']);
  expect(look(text, 'db')).toEqual(['host kh:7']);
});

test('what stands behind a NUL does not exist, as in ssh', () => {
  expect(look(`web\0 ${ED25519}`, 'web')).toEqual([]);
  expect(look(`web ${ED25519}\0 comment`, 'web')).toEqual(['host kh:1']);
});

test('markers are told apart', () => {
  const text = `@revoked * ${ED25519}\n@cert-authority *.example.org ${KEYS.other}\nweb.example.org ${KEYS.other}\n`;
  expect(look(text, 'web.example.org')).toEqual(['revoked kh:1', 'authority kh:2', 'host kh:3']);
});

test('a pattern of nested stars takes linear time', () => {
  const started = performance.now();
  expect(look(`${'*a'.repeat(400)}b ${ED25519}`, 'a'.repeat(2000))).toEqual([]);
  expect(performance.now() - started).toBeLessThan(500);
});

test.each([
  ['WEB', 22, 'web'],
  ['web', 2222, '[web]:2222'],
  ['2001:DB8::1', 22, '2001:db8::1'],
  ['2001:db8::1', 2222, '[2001:db8::1]:2222'],
])('%s port %i is looked up as %s', (address, port, name) => {
  expect(knownName(address, port)).toBe(name);
});

/** A small generator of numbers that is the same in every run. */
const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const NAMES = ['web', 'db', 'web.example.org', '10.0.0.5', '[web]:2222', '[10.0.0.5]:22', 'fe80::1', '[fe80::1]:22'];
const PATTERNS = ['*', 'w*', '?eb', '[*]:2222', '*.example.*', '10.0.0.?', '!web', '!*.org', '[web]:*', '', 'WEB', '!'];
const BROKEN = ['web', 'web ssh-ed25519', '@revoked', `@what web ${ED25519}`, `web ${ED25519.slice(0, -4)}`, '#x', ''];

const generate = (next: (below: number) => number): string => {
  const pick = (list: readonly string[]): string => list[next(list.length)] ?? '';
  const line = (): string => {
    if (next(6) === 0) return pick(BROKEN);
    const names =
      next(4) === 0
        ? hashed(pick(NAMES), Buffer.alloc(20, next(255)))
        : Array.from({ length: 1 + next(3) }, () => pick(next(2) === 0 ? NAMES : PATTERNS)).join(',');
    const blank = next(5) === 0 ? '\t ' : ' ';
    const marker = ['', '', '', '@revoked ', '@cert-authority '][next(5)] ?? '';
    const tail = ['', ' a comment', '\r', '\t#x'][next(4)] ?? '';
    return `${next(8) === 0 ? ' ' : ''}${marker}${names}${blank}${pick(Object.values(KEYS))}${tail}`;
  };
  return `${Array.from({ length: 1 + next(8) }, line).join('\n')}${next(3) === 0 ? '' : '\n'}`;
};

const MARKERS: Readonly<Record<string, string>> = { '': 'host', ' CA': 'authority', ' REVOKED': 'revoked' };

/** What `ssh-keygen -l -F` finds: marker, line and fingerprint. */
const sshKeygen = async (file: string, name: string): Promise<string[]> => {
  const found = await run('ssh-keygen', ['-l', '-F', name, '-f', file]).catch((error: { stdout: string }) => error);
  const lines = found.stdout.split('\n');
  return [...lines.entries()].flatMap(([index, line]) => {
    const [, place, marker] = /^# Host .* found: line (\d+)( CA| REVOKED)?\s*$/.exec(line) ?? [];
    const [, fingerprint] = /(SHA256:\S+)/.exec(lines[index + 1] ?? '') ?? [];
    return place === undefined ? [] : [`${MARKERS[marker ?? '']} ${place} ${fingerprint}`];
  });
};

test('ssh-keygen finds the same lines, markers and fingerprints in 300 generated files', async () => {
  await using temp = await tempFolder();
  const next = generator(20_261_120);
  const compare = async (text: string, name: string, round: number): Promise<number> => {
    const file = await temp.write(`known_hosts_${round}`, text);
    const ours = keysFor(parseKnownHosts(text, file), name).map(
      ({ marker, place, key }) => `${marker} ${place.slice(file.length + 1)} ${key.fingerprint}`,
    );
    expect(ours, `${name} in\n${text}`).toEqual(await sshKeygen(file, name));
    return ours.length;
  };
  let found = 0;
  for (let round = 0; round < 300; round += 10) {
    const batch = Array.from({ length: 10 }, (_, at) =>
      compare(generate(next), NAMES[next(NAMES.length)] ?? '', round + at),
    );
    for (const count of await Promise.all(batch)) found += count;
  }
  expect(found).toBeGreaterThan(200);
});
