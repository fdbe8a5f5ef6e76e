import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SftpOptions } from '../../../src/ssh/sftp/open.ts';
import { pull } from '../../../src/ssh/sftp/pull.ts';
import { push } from '../../../src/ssh/sftp/push.ts';
import type { Sftp } from '../../../src/ssh/sftp/sftp.ts';
import { type RudeSftp, startRudeSftp } from '../../support/rude-sftp.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';
import { namesIn, sftpOn } from './sftp-on.ts';

let rude: RudeSftp;
beforeAll(async () => {
  rude = await startRudeSftp();
});
afterAll(async () => await rude[Symbol.asyncDispose]());

/** Begins a conversation with a server of this manner. */
const sftpWith = async (manner: string, options: Partial<SftpOptions> = {}) => {
  await rude.behave(manner);
  const one = await sftpOn(rude, {}, options);
  return { ...one, requests: rude.requests };
};

let temp: TempFolder;
beforeEach(async () => {
  temp = await tempFolder();
  return temp.remove;
});

/** Bytes that differ from each other, so that none can be in another's place. */
const sample = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff));

const pulled = async (sftp: Sftp, path: string, to?: number): Promise<Buffer> => {
  const file = await sftp.open(path, 'read');
  const parts: Buffer[] = [];
  await pull(file, { from: 0, ...(to === undefined ? {} : { to }) }, pieces => void parts.push(...pieces));
  await file.close();
  return Buffer.concat(parts);
};

const content = sample(700_000);
const useFile = async (sftp: Sftp, path: string): Promise<void> => {
  await sftp.realPath(path);
  const file = await sftp.open(path, 'read');
  await file.stat();
  await file.read(0, 1_000);
  await namesIn(sftp, temp.path);
};

describe('a server that', () => {
  test.each([
    ['has no extensions', 'plain'],
    ['answers late', 'slow'],
    ['gives little at a time', 'shortReads'],
    ['answers in another order', 'otherOrder'],
    ['sends each byte alone', 'dribble'],
    ['says that it has no limits', 'unlimited'],
    ['says limits of one byte', 'tiny'],
    ['says limits of 2^64', 'vast'],
    ['fills its stderr', 'loud'],
  ])('%s is understood all the same', async (_what, manner) => {
    await using one = await sftpWith(manner);
    const path = `${temp.path}/f`;
    const short = manner === 'dribble' || manner === 'slow' ? content.subarray(0, 70_000) : content;
    await writeFile(path, short);
    expect((await pulled(one.sftp, path)).equals(short)).toBe(true);
    expect((await pulled(one.sftp, path, short.length)).equals(short)).toBe(true);
    const file = await one.sftp.open(`${temp.path}/g`, 'new', { mode: 0o600 });
    expect(await push(file, { at: 0 }, [short])).toBe(short.length);
    await file.sync();
    await file.close();
    expect((await pulled(one.sftp, `${temp.path}/g`)).equals(short)).toBe(true);
    expect(await namesIn(one.sftp, temp.path)).toEqual(['f', 'g']);
  });

  test.each([
    ['answers twice', 'answersTwice', 'an answer to nothing that was asked'],
    ['answers another request', 'wrongId', 'an answer to nothing that was asked'],
    ['answers before it is asked', 'unasked', 'an answer to nothing that was asked'],
    ['answers something else', 'wrongKind', 'message 102 in place of an answer'],
    ['says "done" to a read', 'done', 'it says "done" in place of data'],
    ['greets again', 'greetsTwice', 'message 2 at this time'],
    ['sends more than was asked for', 'moreData', 'it sends more data than it was asked for'],
    ['sends data of no length', 'noData', 'a message with data says two lengths'],
    ['sends data of two lengths', 'twoLengths', 'a message with data says two lengths'],
    ['announces a message of 4 GiB', 'hugeLength', 'a message says that it is 4294967280 bytes long'],
    ['announces a message of nothing', 'noLength', 'a message says that it is 0 bytes long'],
    ['announces a name of 4 GiB', 'hugeName', 'a message is too short for its fields'],
    ['announces 2^32 names', 'countless', 'a message is too short for its fields'],
    ['gives a handle of 257 bytes', 'longHandle', 'a handle is too long'],
  ])('%s is not listened to any more', async (_what, manner, why) => {
    await using one = await sftpWith(manner);
    await writeFile(`${temp.path}/f`, content);
    await expect(useFile(one.sftp, `${temp.path}/f`)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: `The SFTP server of web broke the protocol (${why}), and was given up.`,
    });
    expect(one.sftp.isOpen()).toBe(false);
    await untilTrue(() => one.connections.get('web').channels() === 0);
  });

  test.each([
    ['a relative path', 'relativePath', 'it gives a path that is not absolute'],
    ['two paths', 'twoPaths', 'it gives no name, or many'],
    ['a path with a zero', 'nulPath', 'it gives a name that none can have'],
  ])('gives %s as the real one is not believed, and may go on', async (_what, manner, message) => {
    await using one = await sftpWith(manner);
    await expect(one.sftp.realPath('/etc')).rejects.toMatchObject({ status: 'lie', message });
    expect((await one.sftp.stat('/etc')).kind).toBe('directory');
  });

  test.each([
    ['a slash', 'slash'],
    ['a zero', 'nul'],
    ['nothing', 'empty'],
  ])('lists a name with %s in it is not believed about that folder', async (_what, manner) => {
    await using one = await sftpWith(manner);
    await expect(namesIn(one.sftp, '/x')).rejects.toMatchObject({
      status: 'lie',
      message: 'it gives a name that none can have',
    });
    expect((await one.sftp.stat('/etc')).kind).toBe('directory');
  });

  test.each([
    ['the folder and the one above', 'dots', ['a']],
    ['no names now and then', 'emptyParts', ['a', 'b']],
    ['a name twice', 'twins', ['a', 'a']],
    ['a name of 100,000 bytes', 'longName', ['n'.repeat(100_000)]],
    ['20,000 names in one answer', 'fullPart', Array.from({ length: 20_000 }, (_, at) => `${at}`.padStart(12, '0'))],
  ])('lists %s gives what is there', async (_what, manner, names) => {
    await using one = await sftpWith(manner);
    expect(await namesIn(one.sftp, '/x')).toEqual(names);
  });

  test('lists a million names is read part after part', async () => {
    await using one = await sftpWith('million');
    let count = 0;
    let most = 0;
    for await (const part of one.sftp.list('/x')) {
      count += part.length;
      most = Math.max(most, part.length);
    }
    expect([count, most]).toEqual([1_000_000, 1_000]);
  });

  test('lists without end is read no further than somebody wants, and told so', async () => {
    await using one = await sftpWith('endless');
    let count = 0;
    for await (const part of one.sftp.list('/x')) {
      count += part.length;
      if (count === 100) break;
    }
    const requests = await one.requests();
    const asked = requests.filter(request => request === 'readdir').length;
    expect([count, asked <= 108, requests.at(-1)]).toEqual([100, true, 'close']);
  });

  test('says a size that no file has is not believed, and in a listing the size is left out', async () => {
    await using one = await sftpWith('impossible');
    await writeFile(`${temp.path}/f`, 'x');
    for (const size of [one.sftp.stat(`${temp.path}/f`), one.sftp.lstat(`${temp.path}/f`)])
      await expect(size).rejects.toMatchObject({ status: 'lie', message: 'it says a size that no file has' });
  });

  test('gives bytes behind the end of a file is read as far as was wanted', async () => {
    await using one = await sftpWith('pastEnd');
    await writeFile(`${temp.path}/f`, 'x');
    expect((await pulled(one.sftp, `${temp.path}/f`, 600_000)).length).toBe(600_000);
  });

  test('gives a few bytes at a time takes no more memory for it', async () => {
    await using one = await sftpWith('fewBytes');
    await writeFile(`${temp.path}/f`, content.subarray(0, 20_000));
    const file = await one.sftp.open(`${temp.path}/f`, 'read');
    const sizes: number[] = [];
    await pull(
      file,
      { from: 0, to: 20_000 },
      pieces => void sizes.push(...pieces.map(({ buffer }) => buffer.byteLength)),
    );
    expect([sizes.length, Math.max(...sizes) <= Math.max(8_192, Buffer.poolSize)]).toEqual([5, true]);
  });

  test('hangs up in the middle of the data is said to have ended', async () => {
    await using one = await sftpWith('hangsUp');
    await writeFile(`${temp.path}/f`, Buffer.alloc(5_000_000));
    await expect(pulled(one.sftp, `${temp.path}/f`)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: 'The SFTP server of web ended with status 3 during the transfer.',
    });
  });

  test('is long about writing all of a file to its disk is waited for longer', async () => {
    const timers: (() => void)[] = [];
    const after = (_ms: number, run: () => void) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    };
    await using one = await sftpWith('slowDisk', { after });
    const file = await one.sftp.open(`${temp.path}/f`, 'new');
    const synced = file.sync();
    await untilTrue(async () => (await one.requests()).some(request => request.startsWith('extended fsync')));
    for (let look = 0; look < 59; look++) timers.shift()?.();
    expect(one.sftp.isOpen()).toBe(true);
    for (let look = 0; look < 2; look++) timers.shift()?.();
    await expect(synced).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test.each([
    ['says nothing at all', 'silent'],
    ['stops in the middle of an answer', 'halfAnswer'],
  ])('%s is given up after a minute, and not earlier', async (_what, manner) => {
    const timers = new Set<() => void>();
    const after = (ms: number, run: () => void) => {
      expect(ms).toBe(10_000);
      timers.add(run);
      return () => void timers.delete(run);
    };
    await using one = await sftpWith(manner, { after });
    const file = await one.sftp.open('/etc/passwd', 'read');
    const asked = file.stat();
    let refused: unknown;
    asked.catch((why: unknown) => {
      refused = why;
    });
    await untilTrue(async () => (await one.requests()).includes('fstat'));
    let looks = 0;
    await untilTrue(() => {
      for (const run of timers) {
        timers.delete(run);
        run();
        looks += 1;
      }
      return refused !== undefined;
    });
    expect(refused).toMatchObject({
      code: 'CONNECTION_LOST',
      message: 'The SFTP server of web said nothing for 60 s, and was given up.',
    });
    expect([looks >= 6, timers.size]).toEqual([true, 0]);
  });

  test('fails while much is on its way is told once, when nothing is on its way any more', async () => {
    await using one = await sftpWith('fails');
    const file = await one.sftp.open(`${temp.path}/f`, 'new');
    const written: number[] = [];
    const pushed = push(file, { at: 0, written: offset => written.push(offset) }, [Buffer.alloc(4_000_000)]);
    await expect(pushed).rejects.toMatchObject({ status: 'failed', message: 'Failure' });
    expect(written.at(-1)).toBe(4 * file.maxWrite);
    const asked = (await one.requests()).filter(request => request === 'write').length;
    await file.close();
    expect((await one.requests()).filter(request => request === 'write').length).toBe(asked);
  });

  test.each([
    ['with a later draft’s word for a full disk', 'full', { status: 'full', message: 'No space' }],
    ['with none', 'fails', { status: 'failed', message: 'Failure' }],
  ])('refuses to write, %s, says so', async (_what, manner, error) => {
    await using one = await sftpWith(manner);
    const file = await one.sftp.open(`${temp.path}/f`, 'new');
    for (let at = 0; at < 4; at++) await file.write(at, Buffer.from('x'));
    await expect(file.write(4, Buffer.from('x'))).rejects.toMatchObject(error);
  });

  test.each([
    ['in no words', 'fewWords', { status: 'missing', message: '' }],
    ['for good', 'refuses', { status: 'denied', message: 'Permission denied' }],
    ['in words that would be obeyed', 'paints', { status: 'failed', message: expect.stringMatching(/^no\W/) }],
  ])('refuses %s is heard, and its words are made safe', async (_what, manner, error) => {
    await using one = await sftpWith(manner);
    const refused: unknown = await one.sftp.open('/x', 'read').catch((why: unknown) => why);
    expect(refused).toMatchObject(error);
    expect(String(refused)).toMatch(/^[\x20-\x7e…]*$|^[^\x1b\n\u202e]*$/u);
  });

  test('forgets its handles says so for each, and goes on', async () => {
    await using one = await sftpWith('forgets');
    await writeFile(`${temp.path}/f`, 'x');
    const file = await one.sftp.open(`${temp.path}/f`, 'read');
    await expect(file.read(0, 1)).rejects.toMatchObject({ status: 'failed', message: 'Failure' });
    await expect(file.stat()).rejects.toMatchObject({ status: 'failed', message: '' });
    await file.close();
  });

  test.each([
    ['speaks version 2', 'older', 'The SFTP server of web speaks version 2, and not version 3.'],
    ['speaks version 6', 'newer', 'The SFTP server of web speaks version 6, and not version 3.'],
    [
      'writes something else first',
      'welcome',
      'Something on web writes before the SFTP server does, saying: Welcome to web!.',
    ],
    ['ends before a word', 'absent', 'web has no SFTP server that runs.'],
  ])('%s is no SFTP server for us', async (_what, manner, message) => {
    await expect(sftpWith(manner)).rejects.toMatchObject({ code: 'UNSUPPORTED', message, details: { host: 'web' } });
  });

  test('never greets is given up', async () => {
    await expect(sftpWith('mute', { silentMs: 60 })).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });
});
