import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { disk, fill, OPENED, put } from '../../../../src/ssh/transfer/tree/disk.ts';
import { diskThread, holdDiskThread } from '../../../../src/ssh/transfer/tree/disk-thread.ts';
import { isHalting, systemCode } from '../../../../src/ssh/transfer/tree/faults.ts';
import { type TempFolder, tempFolder } from '../../../support/temp.ts';
import { untilTrue } from '../../../support/until.ts';

let temp: TempFolder;
beforeEach(async () => {
  temp = await tempFolder();
});
afterEach(() => temp.remove());

/** Every byte that a name may have. */
const NAME = Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1).filter(byte => byte !== 0x2f));
const at = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${temp.path}/`), Buffer.from(name)]);

describe.each(['the pool', 'the thread'])('calls of the file system by %s', by => {
  let release = (): void => undefined;
  beforeEach(async () => {
    if (by === 'the pool') return;
    release = holdDiskThread();
    await untilTrue(() => diskThread() !== undefined);
  });
  afterEach(() => release());

  test('do what they say, whatever bytes a name has', async () => {
    const content = Buffer.from('what is written');
    const fd = await disk.open(at(NAME), OPENED.make, 0o600);
    await put(fd, content, 0);
    await disk.fchmod(fd, 0o640);
    await disk.futimes(fd, 1_000_000, 2_000_000);
    const sight = await disk.fstat(fd);
    await disk.close(fd);
    expect([sight.isFile(), sight.isDirectory(), sight.isSymbolicLink()]).toEqual([true, false, false]);
    const real = await lstat(at(NAME));
    const { dev, ino, mode, nlink, uid, size, atimeMs, mtimeMs } = sight;
    expect(real).toMatchObject({ dev, ino, mode, nlink, uid, size, atimeMs, mtimeMs });
    expect([mode & 0o777, size, atimeMs, mtimeMs]).toEqual([0o640, content.length, 1e9, 2e9]);
    await disk.rename(at(NAME), at('other'));
    const again = await disk.open(at('other'), OPENED.read);
    const buffer = Buffer.alloc(100);
    expect(await fill(again, buffer, 5)).toBe(content.length - 5);
    expect(buffer.subarray(0, content.length - 5)).toEqual(content.subarray(5));
    await disk.close(again);
    await disk.unlink(at('other'));
    expect(await disk.look(at('other'))).toBeUndefined();
  });

  test('carry content of any size, and leave the memory of who asked as it was', async () => {
    for (const size of [0, 1, 65_536, 65_537, 1_000_000]) {
      const content = Buffer.alloc(size, 7);
      const fd = await disk.open(at(`f-${size}`), OPENED.make, 0o600);
      await put(fd, content, 0);
      await disk.close(fd);
      expect(content.length).toBe(size);
      expect((await readFile(at(`f-${size}`))).equals(content)).toBe(true);
    }
  });

  test('fail with the codes of the system, and the next one is made', async () => {
    await writeFile(join(temp.path, 'file'), 'x');
    const gone = await disk.open(at('gone'), OPENED.read).catch((error: unknown) => error);
    expect([systemCode(gone), isHalting(gone)]).toEqual(['ENOENT', false]);
    expect(systemCode(await disk.open(at('file'), OPENED.make).catch((error: unknown) => error))).toBe('EEXIST');
    expect(systemCode(await disk.look(at('file/in')).catch((error: unknown) => error))).toBe('ENOTDIR');
    expect(systemCode(await disk.close(1_000_000).catch((error: unknown) => error))).toBe('EBADF');
    expect((await disk.look(at('file')))?.size).toBe(1);
  });

  test('say what the system says of a call in its own words, and of a defect that it is one', async () => {
    const path = `${temp.path}/gone`;
    const gone = await disk.open(Buffer.from(path), OPENED.read).catch((error: unknown) => error);
    expect(gone).toMatchObject({
      ...{ code: 'ENOENT', syscall: 'open' },
      message: `ENOENT: no such file or directory, open '${path}'`,
    });
    const defect = await disk.open(at('nul\0'), OPENED.read).catch((error: unknown) => error);
    expect([defect instanceof Error, systemCode(defect), isHalting(defect)]).toEqual([true, undefined, true]);
  });

  test('a thousand at once are each answered for themselves', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `n-${index}`);
    const fds = await Promise.all(names.map(name => disk.open(at(name), OPENED.make, 0o600)));
    await Promise.all(fds.map((fd, index) => put(fd, Buffer.alloc(index), 0)));
    expect((await Promise.all(fds.map(fd => disk.fstat(fd)))).map(({ size }) => size)).toEqual(names.map((_, i) => i));
    await Promise.all(fds.map(fd => disk.close(fd)));
  });
});

describe('the thread', () => {
  test('lasts as long as anybody holds it, and what it opened stays open', async () => {
    const [first, second] = [holdDiskThread(), holdDiskThread()];
    await untilTrue(() => diskThread() !== undefined);
    const fd = await disk.open(at('kept'), OPENED.make, 0o600);
    first();
    first();
    expect(diskThread()).toBeDefined();
    second();
    expect(diskThread()).toBeUndefined();
    await put(fd, Buffer.from('still open'), 0);
    await disk.close(fd);
    expect(await readFile(at('kept'), 'utf8')).toBe('still open');
  });

  test('that cannot begin is no end: the pool makes the calls, and the next who holds one tries again', async () => {
    const first = holdDiskThread(() => {
      throw new Error('no more threads');
    });
    expect([diskThread(), await disk.look(at('nothing'))]).toEqual([undefined, undefined]);
    const second = holdDiskThread();
    await untilTrue(() => diskThread() !== undefined);
    first();
    expect(diskThread()).toBeDefined();
    second();
    expect(diskThread()).toBeUndefined();
  });

  test('keeps the process until it is let go, so that no answer is lost', async () => {
    const kept = (): boolean => process.getActiveResourcesInfo().includes('MessagePort');
    // Those of the tests before are ending.
    await untilTrue(() => !kept());
    const release = holdDiskThread();
    await untilTrue(() => diskThread() !== undefined);
    expect(kept()).toBe(true);
    release();
    await untilTrue(() => !kept());
  });

  test('that ends answers for what it was asked, and another begins for the next', async () => {
    const release = holdDiskThread();
    await untilTrue(() => diskThread() !== undefined);
    const looking = disk.look(at('nothing'));
    diskThread()?.end();
    const error = await looking.catch((why: unknown) => why);
    expect([systemCode(error), isHalting(error)]).toEqual(['EIO', true]);
    expect(await disk.look(at('nothing'))).toBeUndefined();
    release();
    const next = holdDiskThread();
    await untilTrue(() => diskThread() !== undefined);
    next();
  });
});
