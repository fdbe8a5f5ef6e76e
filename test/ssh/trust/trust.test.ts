import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { failureObject } from '../../../src/mcp/result.ts';
import type { Host } from '../../../src/ssh/host.ts';
import type { Certificate } from '../../../src/ssh/trust/certificate.ts';
import { enrol } from '../../../src/ssh/trust/enrol.ts';
import { type HostKey, readHostKey } from '../../../src/ssh/trust/host-key.ts';
import { loadTrust } from '../../../src/ssh/trust/trust.ts';
import { testConnections } from '../../support/connections.ts';
import { tempFolder } from '../../support/temp.ts';

const MINE = 'AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS';
const OTHER = 'AAAAC3NzaC1lZDI1NTE5AAAAIDnuPRLMKL5hpBfVC5lCkfVlZUrzqCrwCQb7zx0BtvCF';
const NISTP256 =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=';

const keyOf = (base64: string): HostKey => {
  const key = readHostKey(Buffer.from(base64, 'base64'));
  if (key === undefined) throw new Error('no key');
  return key;
};
const mine = keyOf(MINE);
const other = keyOf(OTHER);

const host = (over: Partial<Host> = {}): Host => ({
  name: 'web',
  address: 'web.example.org',
  port: 22,
  user: 'deploy',
  auth: [{ kind: 'agent', socket: '/none' }],
  hostKeys: [],
  tags: [],
  ...over,
});

const trustIn = async (text: string, over: Partial<Host> = {}) => {
  await using temp = await tempFolder();
  return await loadTrust(host(over), [await temp.write('known_hosts', text)]);
};

const ed = (names: string, blob = MINE, marker = ''): string => `${marker}${names} ssh-ed25519 ${blob}\n`;
const WEB = 'web.example.org';

test.each([
  ['known', 'the same key', ed(WEB), {}],
  ['unknown', 'no line', '', {}],
  ['changed', 'another key', ed(WEB, OTHER), {}],
  ['known', 'another key and this one', ed(WEB, OTHER) + ed(WEB), {}],
  ['changed', 'a key of another type', `${WEB} ecdsa-sha2-nistp256 ${NISTP256}\n`, {}],
  ['revoked', 'the key, revoked for everybody', ed(WEB) + ed('*', MINE, '@revoked '), {}],
  ['known', 'another key revoked', ed(WEB) + ed('*', OTHER, '@revoked '), {}],
  ['unknown', 'a certificate authority only', ed(WEB, MINE, '@cert-authority '), {}],
  ['known', 'the port’s own line', ed(`[${WEB}]:2222`), { port: 2222 }],
  ['known', 'the same key under the plain name', ed(WEB), { port: 2222 }],
  ['unknown', 'another key under the plain name', ed(WEB, OTHER), { port: 2222 }],
  ['changed', 'the plain name’s key, and another for the port', ed(WEB) + ed(`[${WEB}]:2222`, OTHER), { port: 2222 }],
  ['revoked', 'the key revoked under the plain name', ed(`[${WEB}]:2222`) + ed(WEB, MINE, '@revoked '), { port: 2222 }],
  ['pinned', 'a pin', '', { hostKeys: [mine.fingerprint] }],
  ['pinned', 'a pin, and another key in known_hosts', ed(WEB, OTHER), { hostKeys: [mine.fingerprint] }],
  ['pinned', 'the second of two pins', '', { hostKeys: [other.fingerprint, mine.fingerprint] }],
  ['changed', 'another pin, though known_hosts knows it', ed(WEB), { hostKeys: [other.fingerprint] }],
  ['revoked', 'a pin, and the key revoked', ed('*', MINE, '@revoked '), { hostKeys: [mine.fingerprint] }],
])('a key is %s with %s', async (verdict, _title, text, over) => {
  const trust = await trustIn(text, over);
  expect(trust.judge(mine)).toBe(verdict);
});

test.each([
  ['known', 'the alias', ed('web-alias'), {}],
  ['known', 'the alias, whatever the port', ed('web-alias'), { port: 2222 }],
  ['unknown', 'the alias and a port', ed('[web-alias]:2222'), { port: 2222 }],
  ['unknown', 'the address', ed(WEB), {}],
  ['unknown', 'the address, on another port', ed(WEB), { port: 2222 }],
  ['changed', 'another key under the alias', ed(WEB) + ed('web-alias', OTHER), {}],
  ['revoked', 'the key revoked under the alias', ed('web-alias') + ed('web-alias', MINE, '@revoked '), {}],
])('a host with an alias is %s with a line for %s', async (verdict, _title, text, over) => {
  const trust = await trustIn(text, { keyAlias: 'Web-Alias', ...over });
  expect(trust.judge(mine)).toBe(verdict);
});

test.each([
  ['known', 'its name', ed('x,Sallyport-Added.A.Example.org.1f')],
  ['unknown', 'every name', ed('*')],
  ['unknown', 'names like it', ed('*.example.org.*')],
  ['unknown', 'its name, taken back', ed('sallyport-added.a.example.org.1f,!sallyport-added.*')],
  ['unknown', 'every name, by an authority', ed('*', OTHER, '@cert-authority ')],
  ['unknown', 'its name, by an authority', ed('sallyport-added.a.example.org.1f', OTHER, '@cert-authority ')],
  ['revoked', 'every name, revoked', ed('sallyport-added.a.example.org.1f') + ed('*', MINE, '@revoked ')],
])('a host that an agent added is %s with a line for %s', async (verdict, _title, text) => {
  const added = { keyAlias: 'sallyport-added.a.example.org.1f', addedBy: 'ci' };
  const trust = await trustIn(text, added);
  const certificate: Certificate = {
    ...{ type: 'ssh-ed25519-cert-v01@openssh.com', blob: Buffer.alloc(0), kind: 'host', keyId: 'web' },
    ...{ certified: mine, authority: other, principals: [], criticalOptions: [] },
    ...{ validAfter: 0n, validBefore: 100n },
  };
  expect(trust.judge(mine, { certificate, wallMs: 0 })).toBe(verdict);
  if (verdict === 'unknown') expect(trust.standing).toBe('unknown');
});

test('a certificate vouches for its own key, under a name that its authority is trusted for', async () => {
  const trust = await trustIn(ed('*.example.org', OTHER, '@cert-authority '));
  const certificate: Certificate = {
    ...{ type: 'ssh-ed25519-cert-v01@openssh.com', blob: Buffer.alloc(0), kind: 'host', keyId: 'web' },
    ...{ certified: mine, authority: other, principals: [WEB], criticalOptions: [] },
    ...{ validAfter: 0n, validBefore: 100n },
  };
  const at = (wallMs: number, over: Partial<Certificate> = {}) => ({
    certificate: { ...certificate, ...over },
    wallMs,
  });
  expect(trust.judge(mine, at(99_999))).toBe('known');
  expect(trust.judge(mine, at(100_000))).toBe('unknown');
  expect(trust.judge(other, at(99_999))).toBe('unknown');
  expect(trust.judge(mine, at(99_999, { authority: mine }))).toBe('unknown');
  expect(trust.judge(mine)).toBe('unknown');
  expect(trust.refusal(other, 'unknown', at(0)).message).toContain(
    'Its certificate "web" does not count: it is that of another key.',
  );
  const pinned = await trustIn(ed('*.example.org', OTHER, '@cert-authority '), { hostKeys: [other.fingerprint] });
  expect(pinned.judge(mine, at(0))).toBe('changed');
});

test('certificates are asked for where an authority is trusted or a key is revoked, and nowhere else', async () => {
  const none = { first: [], last: [] };
  const all = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'].map(
    type => `${type}-cert-v01@openssh.com`,
  );
  const [ed25519, nistp256, ...rest] = all;
  const authority = ed(WEB, OTHER, '@cert-authority ');
  const known256 = `[${WEB}]:2222 ecdsa-sha2-nistp256 ${NISTP256}\n`;
  const asked = async (text: string, over: Partial<Host> = {}) => (await trustIn(text, over)).certificates;
  expect(await asked(ed(WEB))).toEqual(none);
  expect(await asked(authority)).toEqual({ first: all, last: [] });
  expect(await asked(authority + known256, { port: 2222 })).toEqual({ first: [nistp256], last: [ed25519, ...rest] });
  expect(await asked(ed('*', OTHER, '@revoked '))).toEqual({ first: [], last: all });
  expect(await asked(ed('*', OTHER, '@revoked '), { hostKeys: [mine.fingerprint] })).toEqual({ first: [], last: all });
  expect(await asked(authority, { hostKeys: [mine.fingerprint] })).toEqual(none);
  expect(await asked(authority, { keyAlgorithms: ['ssh-ed25519'] })).toEqual(none);
});

test('the types that are known are asked for first', async () => {
  const text = `${WEB} ecdsa-sha2-nistp256 ${NISTP256}\n${ed('db')}`;
  expect((await trustIn(text)).types).toEqual(['ecdsa-sha2-nistp256']);
  expect((await trustIn('')).types).toEqual([]);
  const pinned = { hostKeys: [keyOf(NISTP256).fingerprint] };
  expect((await trustIn(text + ed(WEB), pinned)).types).toEqual(['ecdsa-sha2-nistp256']);
});

test('an unknown key is refused with its fingerprint and the command that enrols it', async () => {
  const trust = await trustIn('');
  const failure = trust.refusal(mine, 'unknown');
  expect(failure.text).toBe(
    `HOST_KEY_UNKNOWN: The key of web (web.example.org:22) is not known: it presented ssh-ed25519 ${mine.fingerprint}. ` +
      "A person compares the fingerprint with the host's own and runs: sallyport hosts trust web",
  );
  expect(failure.details).toEqual({
    host: 'web',
    presented: { type: 'ssh-ed25519', fingerprint: mine.fingerprint },
    expected: [],
  });
});

test('a changed key is refused with both fingerprints and the line to look at', async () => {
  await using temp = await tempFolder();
  const file = await temp.write('known_hosts', ed('db') + ed(WEB, OTHER));
  const trust = await loadTrust(host(), [file]);
  const failure = trust.refusal(mine, 'changed');
  expect(failure.text).toBe(
    `HOST_KEY_CHANGED: web (web.example.org:22) presented ssh-ed25519 ${mine.fingerprint}, and not ${other.fingerprint}. ` +
      'A person must find out why before anybody connects; if the new key is right, ' +
      'remove the old one from known_hosts and run: sallyport hosts trust web',
  );
  expect(failure.operator).toContain(
    `The old key is in ${file}:2; this removes it: ssh-keygen -R web.example.org -f ${file}.`,
  );
  expect(JSON.stringify(failureObject(failure))).not.toContain(temp.path);
  expect(failure.details).toMatchObject({ expected: [other.fingerprint] });
});

test('a host that only a certificate authority covers is told so', async () => {
  const trust = await trustIn(ed(WEB, OTHER, '@cert-authority '));
  expect(trust.refusal(mine, 'unknown').message).toContain(
    'A @cert-authority line covers the name, but it presented no certificate of that authority.',
  );
});

test('a file that is missing is empty, and trusts nobody', async () => {
  await using temp = await tempFolder();
  const missing = await loadTrust(host(), [`${temp.path}/none`]);
  expect([missing.standing, missing.problems, missing.unreadable]).toEqual(['unknown', [], undefined]);
});

test('beside a file that cannot be read nothing is trusted, pinned or known, and what is revoked stays so', async () => {
  await using temp = await tempFolder();
  const files = [await temp.write('known_hosts', ed(WEB) + ed('*', OTHER, '@revoked ')), temp.path];
  for (const over of [{}, { hostKeys: [mine.fingerprint] }]) {
    const trust = await loadTrust(host(over), files);
    expect([trust.standing, trust.judge(mine), trust.judge(other)]).toEqual(['unknown', 'unknown', 'revoked']);
    const failure = trust.refusal(mine, 'unknown');
    expect(failure).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
    expect(failure.operator).toContain(`${temp.path} cannot be read: `);
    expect(failure.text + JSON.stringify(failure.details)).not.toContain(temp.path);
  }
  await expect(enrol(temp.path, host(), mine)).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
});

test('a host is not dialled while a known_hosts file cannot be read', async () => {
  await using temp = await tempFolder();
  using connections = testConnections([host()], { knownHosts: [temp.path] });
  await expect(connections.get('web').ready()).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
  expect(connections.dials).toEqual([]);
  expect(await connections.get('web').key()).toBe('unknown');
  expect(connections.logged.join()).toContain(`${temp.path} cannot be read: `);
});

test('/dev/null is an empty file, and a pipe is none and not waited for', async () => {
  await using temp = await tempFolder();
  const pipe = `${temp.path}/pipe`;
  execFileSync('mkfifo', [pipe]);
  const nowhere = await loadTrust(host(), ['/dev/null']);
  expect([nowhere.standing, nowhere.unreadable]).toEqual(['unknown', undefined]);
  const waiting = await loadTrust(host(), [await temp.write('known_hosts', ed(WEB)), pipe]);
  expect(waiting.judge(mine)).toBe('unknown');
  expect(waiting.unreadable?.operator).toContain(`${pipe} cannot be read: it is no file`);
});

test('every file is asked', async () => {
  await using temp = await tempFolder();
  const files = [await temp.write('a', ed('db')), `${temp.path}/none`, await temp.write('b', ed(WEB))];
  const trust = await loadTrust(host(), files);
  expect(trust.judge(mine)).toBe('known');
});

test.each([
  ['to a new file', undefined, `${ed(WEB)}`],
  ['after other lines', '# mine\ndb x y\n', `# mine\ndb x y\n${ed(WEB)}`],
  ['after a last line that lacks its end', '# mine', `# mine\n${ed(WEB)}`],
])('enrolling appends one line %s', async (_title, before, after) => {
  await using temp = await tempFolder();
  const file = `${temp.path}/deep/known_hosts`;
  if (before !== undefined) await temp.write('deep/known_hosts', before);
  expect(await enrol(file, host(), mine)).toBe('added');
  expect(await readFile(file, 'utf8')).toBe(after);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await loadTrust(host(), [file])).judge(mine)).toBe('known');
});

test('enrolling uses the name with its port, in lower case', async () => {
  await using temp = await tempFolder();
  const file = `${temp.path}/known_hosts`;
  await enrol(file, host({ address: 'WEB.example.org', port: 2222 }), mine);
  expect(await readFile(file, 'utf8')).toBe(`[web.example.org]:2222 ssh-ed25519 ${MINE}\n`);
});

test('enrolling uses the alias of a host as it is, and its own file', async () => {
  await using temp = await tempFolder();
  const file = `${temp.path}/known_hosts`;
  const aliased = host({ port: 2222, keyAlias: 'Web-Alias', knownHosts: ['/nowhere/known_hosts'] });
  expect(await enrol(file, aliased, mine)).toBe('added');
  expect(await readFile(file, 'utf8')).toBe(`web-alias ssh-ed25519 ${MINE}\n`);
  expect((await loadTrust({ ...aliased, knownHosts: [file] }, [])).judge(mine)).toBe('known');
  expect((await loadTrust(aliased, [file])).judge(mine)).toBe('unknown');
});

test('nothing is enrolled where nothing can be kept', async () => {
  await expect(enrol('/dev/null', host(), mine)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('enrolling twice adds nothing', async () => {
  await using temp = await tempFolder();
  const file = `${temp.path}/known_hosts`;
  await enrol(file, host(), mine);
  expect(await enrol(file, host(), mine)).toBe('already');
  expect(await readFile(file, 'utf8')).toBe(ed(WEB));
});

test.each([
  ['HOST_KEY_CHANGED', ed(WEB, OTHER)],
  ['HOST_KEY_REVOKED', ed('*', MINE, '@revoked ')],
])('enrolling never overrules %s', async (code, text) => {
  await using temp = await tempFolder();
  const file = await temp.write('known_hosts', text);
  const failure = await enrol(file, host(), mine).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect(failure).toMatchObject({ code });
  expect(await readFile(file, 'utf8')).toBe(text);
});

test.each(['*', 'a,b', 'web x', 'web\nevil', '#web', '@revoked', '!web', '|1|x', ''])(
  'an address that would mean something else in known_hosts is not enrolled: %j',
  async address => {
    await using temp = await tempFolder();
    const file = `${temp.path}/known_hosts`;
    await expect(enrol(file, host({ address }), mine)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  },
);

test('fifty enrolments at once leave fifty whole lines', async () => {
  await using temp = await tempFolder();
  const file = `${temp.path}/known_hosts`;
  const names = Array.from({ length: 50 }, (_, at) => `web-${at}`);
  await Promise.all(names.map(address => enrol(file, host({ address }), mine)));
  const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '');
  expect(lines.toSorted()).toEqual(names.map(name => ed(name).trim()).toSorted());
});
