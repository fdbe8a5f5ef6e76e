import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transport } from '../../../src/ssh/host.ts';
import { openSftp } from '../../../src/ssh/sftp/open.ts';
import { after } from '../../../src/ssh/timer.ts';
import { bytesOf, nameOf } from '../../../src/text/byte-name.ts';
import { testConnections } from '../../support/connections.ts';
import { startDropbear } from '../../support/dropbear.ts';
import { relayTo } from '../../support/relay.ts';
import { mayChooseAccount, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';
import { namesIn, sftpOn, type TestSftp } from './sftp-on.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

let temp: TempFolder;
beforeEach(async () => {
  temp = await tempFolder();
  return temp.remove;
});

describe.each<Transport>(['ssh2', 'openssh'])('by way of %s', transport => {
  let one: TestSftp;
  beforeAll(async () => {
    one = await sftpOn(sshd, { transport });
  });
  afterAll(async () => await one[Symbol.asyncDispose]());
  const at = (name: string): string => `${temp.path}/${name}`;

  test('a file is made new, written, read, measured and cut', async () => {
    const file = await one.sftp.open(at('a'), 'new', { mode: 0o640 });
    await Promise.all([file.write(0, Buffer.from('hello, ')), file.write(7, Buffer.from('world'))]);
    expect(await file.stat()).toMatchObject({ kind: 'file', size: 12, mode: constants.S_IFREG + 0o640 });
    await file.change({ size: 5, mode: 0o600, times: { accessedAt: 1_000_000_000, modifiedAt: 1_100_000_000 } });
    await file.sync();
    await file.close();
    const found = await stat(at('a'));
    expect([await readFile(at('a'), 'utf8'), found.mode & 0o777, found.mtimeMs, found.atimeMs]).toEqual([
      ...['hello', 0o600, 1_100_000_000_000],
      expect.any(Number),
    ]);
    const again = await one.sftp.open(at('a'), 'read');
    expect([await again.read(1, 3), await again.read(4, 100), await again.read(5, 1)]).toEqual([
      ...[Buffer.from('ell'), Buffer.from('o')],
      undefined,
    ]);
    await again.close();
  });

  test('what is there is not made new, a link that leads nowhere included', async () => {
    await writeFile(at('there'), 'x');
    await symlink(at('nowhere'), at('link'));
    for (const name of ['there', 'link'])
      await expect(one.sftp.open(at(name), 'new')).rejects.toMatchObject({ status: 'failed' });
    await expect(lstat(at('nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('what is not there is not updated', async () => {
    await expect(one.sftp.open(at('none'), 'update')).rejects.toMatchObject({ status: 'missing' });
    expect(await namesIn(one.sftp, temp.path)).toEqual([]);
  });

  test('a file that is updated keeps what is not written, and can be read', async () => {
    await writeFile(at('a'), 'abcdef');
    const file = await one.sftp.open(at('a'), 'update');
    await file.write(2, Buffer.from('XY'));
    expect(await file.read(0, 100)).toEqual(Buffer.from('abXYef'));
    await file.close();
  });

  test('folders are made, listed and removed', async () => {
    await one.sftp.makeFolder(at('d'), 0o750);
    await writeFile(at('d/f'), '12345');
    await symlink('f', at('d/l'));
    execFileSync('mkfifo', [at('d/p')]);
    const listed = [];
    for await (const part of one.sftp.list(at('d'))) listed.push(...part);
    const kinds = listed.map(({ name, attributes: { kind, size } }) => [name, kind, kind === 'file' ? size : 0]);
    expect(kinds.toSorted()).toEqual([
      ['f', 'file', 5],
      ['l', 'link', 0],
      ['p', 'other', 0],
    ]);
    expect((await one.sftp.stat(at('d'))).mode).toBe(constants.S_IFDIR + 0o750);
    await expect(one.sftp.removeFolder(at('d'))).rejects.toMatchObject({ status: 'failed' });
    for (const name of ['f', 'l', 'p']) await one.sftp.remove(at(`d/${name}`));
    await one.sftp.removeFolder(at('d'));
    await expect(one.sftp.stat(at('d'))).rejects.toMatchObject({ status: 'missing' });
  });

  test('links are made, read, and told from what they lead to', async () => {
    await writeFile(at('f'), 'x');
    await one.sftp.makeLink(at('l'), 'f');
    expect([await readlink(at('l')), await one.sftp.readLink(at('l'))]).toEqual(['f', 'f']);
    const kinds = [(await one.sftp.lstat(at('l'))).kind, (await one.sftp.stat(at('l'))).kind];
    expect([...kinds, await one.sftp.realPath(at('l'))]).toEqual(['link', 'file', at('f')]);
  });

  test('the real path of a last name that is not there yet is that of its folder and the name', async () => {
    await mkdir(at('d'));
    await symlink(at('d'), at('l'));
    expect(await one.sftp.realPath(at('l/new'))).toBe(at('d/new'));
    await expect(one.sftp.realPath(at('l/no/new'))).rejects.toMatchObject({ status: 'missing' });
  });

  test('one rename replaces what is there, and the other does not', async () => {
    await writeFile(at('a'), 'a');
    await writeFile(at('b'), 'b');
    await expect(one.sftp.renameNew(at('a'), at('b'))).rejects.toMatchObject({ status: 'failed' });
    expect(await readFile(at('b'), 'utf8')).toBe('b');
    await one.sftp.rename(at('a'), at('b'));
    await one.sftp.renameNew(at('b'), at('c'));
    expect([await namesIn(one.sftp, temp.path), await readFile(at('c'), 'utf8')]).toEqual([['c'], 'a']);
  });

  test('what is set on a path follows links, as a change of a mode does', async () => {
    await writeFile(at('f'), 'x');
    await one.sftp.change(at('f'), { mode: 0o604, times: { accessedAt: 5, modifiedAt: 2 ** 31 + 5 } });
    const found = await stat(at('f'));
    expect([found.mode & 0o777, found.mtimeMs]).toEqual([0o604, (2 ** 31 + 5) * 1_000]);
  });

  test('a time that 32 bits cannot hold becomes the nearest', async () => {
    await writeFile(at('f'), 'x');
    await one.sftp.change(at('f'), { times: { accessedAt: -5, modifiedAt: 2 ** 40 } });
    expect((await one.sftp.stat(at('f'))).modifiedAt).toBe(2 ** 32 - 1);
    await utimes(at('f'), 0, -1);
  });

  test('a file is given to an owner and a group', async () => {
    await writeFile(at('f'), 'x');
    const own = await stat(at('f'));
    const owner = own.uid === 0 ? { uid: 12_345, gid: 54_321 } : { uid: own.uid, gid: own.gid };
    await one.sftp.change(at('f'), { owner, mode: 0o640, times: { accessedAt: 1, modifiedAt: 2 } });
    expect(await one.sftp.stat(at('f'))).toEqual({
      ...{ kind: 'file', size: 1, ...owner, mode: constants.S_IFREG + 0o640, accessedAt: 1, modifiedAt: 2 },
    });
  });

  test('a file system says how much room it has, as df does', async () => {
    const free = await one.sftp.room(temp.path);
    const [, said = ''] = execFileSync('df', ['--output=avail', '-B1', temp.path]).toString().trim().split('\n');
    expect(Math.abs((free ?? 0) - Number(said))).toBeLessThan(2 ** 30);
  });

  test('a name may hold every byte but the slash and the zero, and comes back as it is', async () => {
    const bytes = Array.from({ length: 255 }, (_, index) => index + 1).filter(byte => byte !== 0x2f);
    const halves = [bytes.slice(0, 127), bytes.slice(127)].map(half => nameOf(Buffer.from(half)));
    const names = [...halves, 'é€😀💀', nameOf(Buffer.from([0xc3])), nameOf(Buffer.from([0xed, 0xb2, 0x80]))];
    for (const name of names) {
      const file = await one.sftp.open(at(name), 'new');
      await file.close();
      expect(await one.sftp.realPath(at(name))).toBe(at(name));
    }
    expect(await namesIn(one.sftp, temp.path)).toEqual(names.toSorted());
    const there = execFileSync('find', [temp.path, '-type', 'f', '-print0']).toString('latin1').split('\0');
    const wanted = names.map(name => Buffer.concat([bytesOf(temp.path), Buffer.from('/'), bytesOf(name)]));
    expect(there.slice(0, -1).toSorted()).toEqual(wanted.map(path => path.toString('latin1')).toSorted());
  });

  test('bytes beyond 4 GiB are where they belong', async () => {
    const far = 5 * 2 ** 30 + 1;
    await writeFile(at('sparse'), '');
    await truncate(at('sparse'), far);
    const file = await one.sftp.open(at('sparse'), 'update');
    await file.write(far, Buffer.from('end'));
    expect([(await file.stat()).size, await file.read(far - 1, 10)]).toEqual([far + 3, Buffer.from('\0end')]);
    await file.change({ size: far + 1 });
    await file.close();
    expect((await stat(at('sparse'))).size).toBe(far + 1);
  });

  test('many requests are on their way at once, and each has its own answer', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, index) => writeFile(at(`${index}`), 'x'.repeat(index))));
    const sizes = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => (await one.sftp.stat(at(`${index}`))).size),
    );
    expect(sizes).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect((await namesIn(one.sftp, temp.path)).length).toBe(300);
  });

  test('a listing may be left early, and the conversation goes on', async () => {
    await Promise.all(Array.from({ length: 250 }, (_, index) => writeFile(at(`${index}`), '')));
    for (let round = 0; round < 5; round++) {
      for await (const part of one.sftp.list(temp.path)) {
        expect(part.length).toBeGreaterThan(0);
        break;
      }
    }
    expect((await namesIn(one.sftp, temp.path)).length).toBe(250);
  });

  test('what the account may not do is told from what is not there', async () => {
    await expect(one.sftp.list(at('none'))[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 'missing' });
    await writeFile(at('f'), 'x');
    await expect(one.sftp.makeFolder(at('f/d'))).rejects.toMatchObject({ name: 'SftpError' });
    await chmod(at('f'), 0o600);
  });

  test('it takes a lane of the grant until it is closed', async () => {
    await using own = await sftpOn(sshd, { transport }, { by: { grant: 'ci' } });
    const web = own.connections.get('web');
    const second = await openSftp(web, { after });
    expect(web.channels()).toBe(2);
    own.sftp.close();
    second.close();
    await untilTrue(() => web.channels() === 0);
    expect(own.sftp.isOpen()).toBe(false);
  });

  test('what is in flight when it is closed, and all that is asked later, is given up', async () => {
    await using own = await sftpOn(sshd, { transport });
    const asked = own.sftp.stat(temp.path);
    own.sftp.close();
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(own.sftp.stat(temp.path)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a signal ends it whenever it comes', async () => {
    const early = AbortSignal.abort();
    await expect(sftpOn(sshd, { transport }, { signal: early })).rejects.toMatchObject({ code: 'CANCELLED' });
    const late = new AbortController();
    await using own = await sftpOn(sshd, { transport }, { signal: late.signal });
    const asked = own.sftp.stat(temp.path);
    late.abort();
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await untilTrue(() => own.connections.get('web').channels() === 0);
  });

  test('a file whose conversation is over is closed already', async () => {
    await using own = await sftpOn(sshd, { transport });
    await writeFile(at('f'), 'x');
    const file = await own.sftp.open(at('f'), 'read');
    own.sftp.close();
    await file.close();
    await expect(file.read(0, 1)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a connection that is cut is said to be lost', async () => {
    using relay = await relayTo(sshd.port);
    const pin = transport === 'ssh2' ? { hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] } : {};
    const known = (await readFile(sshd.knownHosts, 'utf8')).replaceAll(`:${sshd.port} `, `:${relay.port} `);
    const server = { host: sshd.host, knownHosts: await temp.write('known_hosts', known) };
    await using own = await sftpOn(server, { transport, port: relay.port, ...pin });
    await writeFile(at('f'), 'x');
    const file = await own.sftp.open(at('f'), 'read');
    relay.goSilent();
    const asked = file.read(0, 1);
    relay.reset();
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_LOST', details: { host: 'web' } });
  });

  test('a host without the subsystem says so, with the way round', async () => {
    await using without = await startSshd({ config: ['Subsystem other internal-sftp'] });
    await expect(sftpOn(without, { transport })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'web has no SFTP server.',
      next: expect.stringContaining('sshd_config'),
    });
  });

  test('a subsystem whose program is not there says so', async () => {
    await using broken = await startSshd({ config: ['Subsystem sftp /no/such/sftp-server'] });
    await expect(sftpOn(broken, { transport })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'web has no SFTP server that runs.',
      next: expect.stringContaining('openssh-sftp-server'),
    });
  });

  test.skipIf(!mayChooseAccount())('a login shell that prints something first is named as the reason', async () => {
    const shell = await temp.write('shell', '#!/bin/sh\necho "Welcome to web"\nexec /bin/sh "$@"\n', 0o755);
    await chmod(temp.path, 0o755);
    await using loud = await startSshd({
      config: ['Subsystem sftp /usr/lib/openssh/sftp-server'],
      account: { shell, home: temp.path },
    });
    await expect(sftpOn(loud, { transport })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'Something on web writes before the SFTP server does, saying: Welcome to web.',
      next: expect.stringContaining('login shell'),
    });
  });
});

test('it takes the channel that is kept ahead over a long line, and another is kept behind it', async () => {
  await using far = await startSshd({ config: ['LogLevel DEBUG1'] });
  using relay = await relayTo(far.port, { delayMs: 3 });
  const host = await far.host({ port: relay.port, hostKeys: [far.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [] });
  const web = connections.get('web');
  await web.ready();
  await far.waitForLog(/session_new: session/);
  const [, kept] = /session_new: session (\d+)/.exec(far.log()) ?? [];
  const sftp = await openSftp(web, { after });
  expect(await sftp.realPath('/')).toBe('/');
  const [, own] = /session (\d+) req subsystem/.exec(await far.waitForLog(/req subsystem/)) ?? [];
  expect([kept, own]).toEqual(['0', '0']);
  await far.waitForLog(/session_new: session 1/);
  sftp.close();
});

test.skipIf(!mayChooseAccount())('dropbear serves files where it finds an SFTP server', async () => {
  await using dropbear = await startDropbear();
  await using one = await sftpOn({ host: dropbear.host, knownHosts: '/dev/null' });
  await writeFile(`${temp.path}/f`, 'x');
  expect(await namesIn(one.sftp, temp.path)).toEqual(['f']);
});

test.skipIf(!mayChooseAccount())('dropbear without an SFTP server says so, with the package that has one', async () => {
  await using dropbear = await startDropbear({ sftp: false });
  await expect(sftpOn({ host: dropbear.host, knownHosts: '/dev/null' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/^web has no SFTP server that runs, saying: .*sftp-server: Permission denied\.$/),
    next: expect.stringContaining('openssh-sftp-server'),
  });
});
