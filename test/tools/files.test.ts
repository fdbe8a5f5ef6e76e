import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/ssh/host.ts';
import { download } from '../../src/tools/download.ts';
import { listHosts } from '../../src/tools/list-hosts.ts';
import { status } from '../../src/tools/status.ts';
import { upload } from '../../src/tools/upload.ts';
import { type TestHouse, testHouse } from '../support/house.ts';
import { relayTo } from '../support/relay.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

let sshd: Sshd;
let hosts: readonly Host[];
beforeAll(async () => {
  sshd = await startSshd();
  hosts = [await sshd.host({ name: 'web-1' })];
});
afterAll(() => sshd.close());

/** `far` is a folder of the host that rules may grant, `near` the folder of this machine that transfers may touch. */
let temp: TempFolder;
let [far, near] = ['', ''];
beforeEach(async () => {
  temp = await tempFolder('sallyport-files-');
  [far, near] = [join(temp.path, 'far'), join(temp.path, 'near')];
  await Promise.all([mkdir(far), mkdir(near)]);
  return () => temp.remove();
});

const FILES = (path: string) => ({
  rules: [
    { id: 'secrets', effect: 'deny', actions: ['read', 'write', 'list'], paths: ['/**/*.key', '/etc/shadow*'] },
    { id: 'far', effect: 'allow', actions: ['read', 'write', 'list', 'delete'], paths: [`${path}/**`, path] },
  ],
});
const open = (document: object = FILES(far)): TestHouse =>
  testHouse(hosts, document, [sshd.knownHosts], { files: { roots: [near] } });
const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  );
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('a text', () => {
  test('is written on a host with its permissions, and read back', async () => {
    using house = open();
    const path = join(far, 'motd');
    const args = { host: 'web-1', remote_path: path, content: 'zwölf\n', mode: '0640' };
    const sent = await house.call(upload, args);
    expect(sent.structured).toEqual({
      ...{ host: 'web-1', remote_path: path, bytes: 7, size: 7, sha256: sha256('zwölf\n') },
      duration_ms: expect.any(Number),
    });
    expect(sent.text).toMatch(/^uploaded to web-1:.*motd in \d.*: 7 bytes, SHA-256 [0-9a-f]{64}$/);
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual(['zwölf\n', 0o640]);
    const got = await house.call(download, { host: 'web-1', remote_path: path });
    expect(got.structured).toEqual({
      ...{ host: 'web-1', remote_path: path, bytes: 7, size: 7, offset: 0, sha256: sha256('zwölf\n') },
      ...{ content: 'zwölf\n', encoding: 'text', duration_ms: expect.any(Number) },
    });
    expect(got.text).toBe(
      `7 bytes of web-1:${path} (7 bytes) from offset 0: that is all, SHA-256 ${sha256('zwölf\n')}\nzwölf\n`,
    );
    expect(await readdir(far)).toEqual(['motd']);
  });

  test('is read part by part: each result fits, and says where the next one begins', async () => {
    using house = open();
    const path = join(far, 'log');
    const text = Array.from({ length: 9_000 }, (_, line) => `${line} "grüße"\n`).join('');
    await writeFile(path, text);
    let [all, offset, parts] = ['', 0, 0];
    for (let next: unknown = 0; typeof next === 'number'; parts += 1) {
      offset = next;
      const { structured } = await house.call(download, { host: 'web-1', remote_path: path, offset });
      expect(JSON.stringify(structured).length).toBeLessThan(30_000);
      expect(structured).toMatchObject({ offset, size: Buffer.byteLength(text) });
      all += String(structured.content);
      next = structured.next_offset;
    }
    expect(all === text).toBe(true);
    expect(parts).toBeGreaterThan(4);
  });

  test('of the kernel, which has no size, is read to its end', async () => {
    using house = open({});
    const { structured } = await house.call(download, { host: 'web-1', remote_path: '/proc/self/limits' });
    expect(structured).toMatchObject({ content: expect.stringMatching(/^Limit.*Max realtime timeout/s) });
    expect(structured).not.toHaveProperty('next_offset');
  });

  test('that is none is said to be binary, and comes exactly in base64', async () => {
    using house = open();
    const path = join(far, 'program');
    const bytes = randomBytes(20_000);
    await writeFile(path, bytes);
    const told = await house.call(download, { host: 'web-1', remote_path: path });
    expect(told.structured).toMatchObject({
      content: '',
      binary: true,
      exact: false,
      size: 20_000,
      sha256: sha256(bytes),
    });
    expect(told.text).toContain('[Binary data: give local_path to keep it as a file, or encoding "base64"');
    let [parts, offset] = [Buffer.alloc(0), 0];
    for (let next: unknown = 0; typeof next === 'number'; ) {
      offset = next;
      const asked = { host: 'web-1', remote_path: path, encoding: 'base64', offset };
      const { structured } = await house.call(download, asked);
      parts = Buffer.concat([parts, Buffer.from(String(structured.content), 'base64')]);
      next = structured.next_offset;
    }
    expect(parts.equals(bytes)).toBe(true);
  });

  test('that is not exactly what is there says so', async () => {
    using house = open();
    await writeFile(join(far, 'dos'), 'a\r\n\x1b[31mb\r\n');
    const { structured, text } = await house.call(download, { host: 'web-1', remote_path: join(far, 'dos') });
    expect(structured).toMatchObject({ content: 'a\nb\n', exact: false, sha256: sha256('a\r\n\x1b[31mb\r\n') });
    expect(text).toContain('\n[Not exactly as they are:');
  });
});

describe('a file of this machine', () => {
  test('goes up and down again, with its permissions and its time', async () => {
    using house = open();
    const bytes = randomBytes(300_000);
    await writeFile(join(near, 'build.tgz'), bytes, { mode: 0o750 });
    const up = { host: 'web-1', remote_path: join(far, 'build.tgz'), local_path: 'build.tgz' };
    const sent = await house.call(upload, up);
    expect(sent.structured).toMatchObject({
      bytes: 300_000,
      size: 300_000,
      sha256: sha256(bytes),
      local_path: 'build.tgz',
    });
    const got = await house.call(download, { ...up, local_path: join(near, 'back.tgz') });
    expect(got.structured).toMatchObject({ bytes: 300_000, size: 300_000, sha256: sha256(bytes) });
    expect(got.text).toMatch(/^downloaded web-1:.*build\.tgz to .*back\.tgz in .*: 300 KB \(300000 bytes\), SHA-256 /);
    expect((await readFile(join(near, 'back.tgz'))).equals(bytes)).toBe(true);
    const [there, back] = [await stat(join(far, 'build.tgz')), await stat(join(near, 'back.tgz'))];
    expect([there.mode & 0o777, back.mode & 0o777]).toEqual([0o750, 0o750]);
    expect(Math.floor(back.mtimeMs / 1_000)).toBe(Math.floor((await stat(join(near, 'build.tgz'))).mtimeMs / 1_000));
  });

  test.each([
    { what: 'an absolute path elsewhere', path: () => '/etc/hostname' },
    { what: 'a link that leads out', path: () => 'out' },
    { what: 'the folder above', path: () => temp.path },
  ])('outside of the folder is not read ($what) [G20]', async ({ path }) => {
    using house = open();
    await symlink('/etc', join(near, 'out'));
    const local = path() === 'out' ? 'out/hostname' : path();
    const args = { host: 'web-1', remote_path: join(far, 'x'), local_path: local };
    const failure = await failureOf(house.call(upload, args));
    expect(failure).toMatchObject({ code: 'LOCAL_DENIED' });
    expect(await readdir(far)).toEqual([]);
  });
});

describe('a tree', () => {
  test('copied twice moves nothing the second time, and says what the policy left out', async () => {
    using house = open();
    await mkdir(join(near, 'app/sub'), { recursive: true });
    await Promise.all([
      writeFile(join(near, 'app/one'), 'one'),
      writeFile(join(near, 'app/sub/two'), 'two'),
      writeFile(join(near, 'app/tls.key'), 'secret'),
      symlink('one', join(near, 'app/link')),
    ]);
    const args = { host: 'web-1', remote_path: join(far, 'app'), local_path: 'app', recursive: true };
    const first = await house.call(upload, args);
    expect(first.structured).toMatchObject({ files: 2, unchanged: 0, bytes: 6, left_out_count: 2 });
    expect(first.structured.left_out).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'tls.key', code: 'POLICY_DENIED' })]),
    );
    expect(first.text).toContain('left out tls.key: POLICY_DENIED: ');
    const second = await house.call(upload, args);
    expect(second.structured).toMatchObject({ files: 0, unchanged: 2, bytes: 0 });
    const down = await house.call(download, { ...args, local_path: 'copy', symlinks: 'copy' });
    expect(down.structured).toMatchObject({ files: 2, bytes: 6 });
    expect(await readFile(join(near, 'copy/sub/two'), 'utf8')).toBe('two');
  });
});

describe('what the policy refuses', () => {
  test('is refused by what a link leads to, and nothing is read [G17]', async () => {
    using house = open();
    await symlink('/etc/shadow', join(far, 'notes'));
    const failure = await failureOf(house.call(download, { host: 'web-1', remote_path: join(far, 'notes') }));
    expect(failure).toMatchObject({ code: 'POLICY_DENIED', details: { rule: '/rules/secrets' } });
  });

  test('is refused before any host is dialled when the path itself says it', async () => {
    using house = open();
    const asked = { host: 'web-1', remote_path: '/etc/shadow' };
    expect(await failureOf(house.call(download, asked))).toMatchObject({ code: 'POLICY_DENIED' });
    expect(house.dials()).toBe(0);
  });
});

describe('ssh_list_hosts', () => {
  test('says which files may be read and written, but not what must be asked for or is hidden', async () => {
    const document = {
      tools: { ssh_download: {}, ssh_upload: {} },
      rules: [
        { id: 'look', effect: 'allow', actions: ['read', 'list'], paths: ['/var/log/**'] },
        { id: 'put', effect: 'allow', actions: ['read', 'write'], paths: ['/srv/app/**'] },
        { id: 'ask', effect: 'ask', actions: ['write'], paths: ['/etc/motd'] },
      ],
    };
    using house = open(document);
    const { structured, text } = await house.call(listHosts, {});
    expect(structured.may_run).toEqual([
      { hosts: ['web-1'], runs: 'nothing', reads: ['/srv/app/**', '/var/log/**'], writes: ['/srv/app/**'] },
    ]);
    expect(text).toContain(
      'web-1: nothing may run; transfers may read /srv/app/**, /var/log/**; transfers may write /srv/app/**',
    );
    using hidden = open({ ...document, tools: { ssh_download: { action: 'deny' } } });
    expect((await hidden.call(listHosts, {})).structured.may_run).toEqual([
      { hosts: ['web-1'], runs: 'nothing', writes: ['/srv/app/**'] },
    ]);
  });

  test('names as many of the files as there is room for, and counts the others', async () => {
    const paths = Array.from({ length: 200 }, (_, index) => `/srv/${index}/${'x'.repeat(40)}/**`);
    using house = open({ rules: [{ id: 'many', effect: 'allow', actions: ['read', 'write'], paths }] });
    const { structured, text } = await house.call(listHosts, {});
    expect(JSON.stringify(structured).length).toBeLessThan(5_000);
    const [may]: { reads: string[]; writes: string[]; more_files: number }[] = JSON.parse(
      JSON.stringify(structured.may_run),
    );
    if (may === undefined) throw new Error('nothing is said');
    const { reads, writes, more_files } = may;
    expect(reads.length + writes.length + more_files).toBe(400);
    expect(text).toContain(`; and ${more_files} more patterns of files`);
  });
});

describe('arguments', () => {
  const HERE = { host: 'web-1', remote_path: '/tmp/x' };
  test.each([
    { tool: upload, args: {}, says: 'local_path: give either local_path or content' },
    { tool: upload, args: { local_path: 'x', content: 'x' }, says: 'local_path: give either local_path or content' },
    { tool: upload, args: { content: 'ü'.repeat(600_000) }, says: 'content: is longer than 1 MiB' },
    { tool: upload, args: { content: 'half \ud800' }, says: 'content: has half a character in it' },
    { tool: upload, args: { content: '', mode: '4755' }, says: 'mode: must be three octal digits' },
    { tool: upload, args: { local_path: 'x', mode: '644' }, says: 'mode: goes with content' },
    { tool: upload, args: { content: '', recursive: true }, says: 'recursive: goes with local_path' },
    {
      tool: upload,
      args: { local_path: 'x', delete_extra: true },
      says: 'recursive: symlinks and delete_extra are for trees',
    },
    { tool: upload, args: { content: '', resume: true }, says: 'resume: goes with local_path' },
    { tool: download, args: { local_path: 'x', offset: 1 }, says: 'local_path: offset and max_bytes are for text' },
    { tool: download, args: { local_path: 'x', encoding: 'text' }, says: 'encoding: is for what comes in the result' },
    { tool: download, args: { recursive: true }, says: 'local_path: is needed for recursive and resume' },
    { tool: download, args: { local_path: 'x', symlinks: 'copy' }, says: 'symlinks: is for trees' },
    { tool: download, args: { max_bytes: 0 }, says: 'max_bytes: Too small' },
    { tool: upload, args: { content: '', remote_path: '/srv/../etc/x' }, says: 'remote_path holds ..' },
    { tool: upload, args: { content: '', remote_path: 'srv/x' }, says: 'remote_path is not absolute.' },
    { tool: download, args: { remote_path: '~deploy/x' }, says: 'remote_path is not absolute.' },
    { tool: download, args: { remote_path: '/tmp/a\u0000b' }, says: 'remote_path holds a control character' },
    {
      tool: download,
      args: { remote_path: `/${'n'.repeat(256)}` },
      says: 'remote_path holds a name of more than 255 bytes',
    },
    { tool: download, args: { local_path: '../x' }, says: 'local_path holds ..' },
  ])('that make no sense are refused with what to give, and dial nobody: $says', async ({ tool, args, says }) => {
    using house = open({});
    expect(await failureOf(house.call(tool, { ...HERE, ...args }))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(says),
    });
    expect(house.dials()).toBe(0);
  });
});

test.each([
  { way: 'upload', tool: upload },
  { way: 'download', tool: download },
])('an $way that the line cuts says how to go on, and goes on', async ({ way, tool }) => {
  using line = await relayTo(sshd.port, { delayMs: 10 });
  const host = await sshd.host({ name: 'web-1', port: line.port, hostKeys: sshd.hostKeys.map(key => key.fingerprint) });
  using house = testHouse([host], FILES(far), [], { files: { roots: [near] } });
  const [from, to] = way === 'upload' ? [near, far] : [far, near];
  await writeFile(join(from, 'image'), randomBytes(16_000_000));
  const args = { host: 'web-1', remote_path: join(far, 'image'), local_path: 'image' };
  const running = failureOf(house.call(tool, args));
  const there = async (): Promise<number> => {
    const names = await readdir(to);
    return Math.max(0, ...(await Promise.all(names.map(async name => (await stat(join(to, name))).size))));
  };
  await untilTrue(async () => (await there()) > 1_000_000);
  line.reset();
  expect(await running).toMatchObject({ code: 'CONNECTION_LOST', next: expect.stringContaining('resume: true') });
  expect(await readdir(to)).not.toContain('image');
  const { structured, text } = await house.call(tool, { ...args, resume: true });
  expect(structured).toMatchObject({ size: 16_000_000, resumed_from: expect.any(Number) });
  expect(Number(structured.bytes) + Number(structured.resumed_from)).toBe(16_000_000);
  expect(text).toMatch(/, of which [\d.]+ MB \(\d+ bytes\) were there and verified, SHA-256 /);
  const [one, other] = [await readFile(join(to, 'image')), await readFile(join(from, 'image'))];
  expect(one.equals(other)).toBe(true);
});

test('a transfer that is under way is in ssh_status, tells how far it is, and leaves nothing when its call is cancelled', async () => {
  using house = open();
  await writeFile(join(far, 'big'), '');
  await truncate(join(far, 'big'), 4 * 1024 ** 3);
  const cancel = new AbortController();
  const said: string[] = [];
  let tell: () => void = () => undefined;
  const told = new Promise<void>(resolve => {
    tell = resolve;
  });
  const progress = (message: string): void => {
    said.push(message);
    if (/^[1-9].* of 4\.3 GB, /.test(message)) tell();
  };
  const args = { host: 'web-1', remote_path: join(far, 'big'), local_path: 'big' };
  const running = failureOf(house.call(download, args, { signal: cancel.signal, progress }));
  await told;
  const { structured, text } = await house.call(status, {});
  expect(structured).toMatchObject({
    transfers: [{ host: 'web-1', direction: 'download', total_bytes: 4_294_967_296, bytes: expect.any(Number) }],
    tunnels: [],
  });
  expect(text).toMatch(/^download web-1:.*big: [\d.]+ [KMG]B of 4\.3 GB, .*\/s after \d+ ms$/m);
  cancel.abort();
  expect(await running).toMatchObject({
    code: 'CANCELLED',
    details: { resumable_bytes: expect.any(Number) },
    next: expect.stringContaining('resume: true'),
  });
  expect((await readdir(near)).filter(name => !name.endsWith('.part'))).toEqual([]);
  expect((await house.call(status, {})).structured).toMatchObject({ transfers: [] });
});
