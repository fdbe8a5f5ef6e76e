import { createHash } from 'node:crypto';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transport } from '../../../src/ssh/host.ts';
import { openSftp } from '../../../src/ssh/sftp/open.ts';
import { push } from '../../../src/ssh/sftp/push.ts';
import { after } from '../../../src/ssh/timer.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { answerAll, heldFile, settled } from './in-memory.ts';
import { sftpOn, type TestSftp } from './sftp-on.ts';

let sshd: Sshd;
let temp: TempFolder;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());
beforeEach(async () => {
  temp = await tempFolder();
  return temp.remove;
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const ramp = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => at & 0xff));

describe.each<Transport>(['ssh2', 'openssh'])('by way of %s', transport => {
  let one: TestSftp;
  beforeAll(async () => {
    one = await sftpOn(sshd, { transport });
  });
  afterAll(async () => await one[Symbol.asyncDispose]());

  test('a file of many windows is written whole, from buffers of any size', async () => {
    const content = Buffer.alloc(30_000_001);
    for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(at, at);
    async function* source() {
      const sizes = [1, 100, 261_120, 261_121, 5_000_000, 0, 70_000];
      for (let at = 0, turn = 0; at < content.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        yield content.subarray(at, at + size);
        at += size;
      }
    }
    const file = await one.sftp.open(`${temp.path}/f`, 'new', { mode: 0o600 });
    const written: number[] = [];
    expect(await push(file, { at: 0, written: offset => written.push(offset) }, source())).toBe(content.length);
    await file.close();
    expect(sha256(await readFile(`${temp.path}/f`))).toBe(sha256(content));
    expect([written.at(-1), written.toSorted((a, b) => a - b)]).toEqual([content.length, written]);
  });

  test('it goes on where it is told to, beyond 4 GiB too', async () => {
    const far = 2 ** 32 + 7;
    await writeFile(`${temp.path}/f`, '');
    await truncate(`${temp.path}/f`, far);
    const file = await one.sftp.open(`${temp.path}/f`, 'update');
    expect(await push(file, { at: far }, [ramp(300_000)])).toBe(far + 300_000);
    await file.close();
    expect((await stat(`${temp.path}/f`)).size).toBe(far + 300_000);
    const there = await open(`${temp.path}/f`);
    const { buffer } = await there.read(Buffer.alloc(300_001), 0, 300_001, far - 1);
    await there.close();
    expect(buffer.equals(Buffer.concat([Buffer.alloc(1), ramp(300_000)]))).toBe(true);
  });

  test('several conversations write one file together', async () => {
    const web = one.connections.get('web');
    const others = await Promise.all([openSftp(web, { after }), openSftp(web, { after })]);
    const content = Buffer.concat(Array.from({ length: 40 }, (_, at) => Buffer.alloc(261_120, at)));
    const file = await one.sftp.open(`${temp.path}/f`, 'new');
    const beside = await Promise.all(others.map(other => other.open(`${temp.path}/f`, 'update')));
    expect(await push(file, { at: 0, beside: Promise.resolve(beside) }, [content])).toBe(content.length);
    for (const part of [file, ...beside]) await part.close();
    for (const other of others) other.close();
    expect(sha256(await readFile(`${temp.path}/f`))).toBe(sha256(content));
  });

  test('whatever is written where, the file is what it would be on this machine, and reads the same', async () => {
    const step = fc.record({
      at: fc.nat(700_000),
      length: fc.nat(300_000),
      fill: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), fc.integer(), async (steps, run) => {
        const [here, there] = [`${temp.path}/here${run}`, `${temp.path}/there${run}`];
        for (const path of [here, there]) await writeFile(path, '');
        const [local, remote] = [await open(here, 'r+'), await one.sftp.open(there, 'update')];
        for (const { at, length, fill } of steps) {
          await local.write(Buffer.alloc(length, fill), 0, length, at);
          await push(remote, { at }, [Buffer.alloc(length, fill)]);
          const { buffer, bytesRead } = await local.read(Buffer.alloc(5_000), 0, 5_000, at);
          const read = (await remote.read(at, 5_000)) ?? Buffer.alloc(0);
          expect(read.equals(buffer.subarray(0, bytesRead))).toBe(true);
        }
        await local.close();
        await remote.close();
        expect(sha256(await readFile(there))).toBe(sha256(await readFile(here)));
      }),
      { numRuns: 15 },
    );
  });
});

test('no more is on its way than the window, and the source is asked only when there is room', async () => {
  const file = heldFile(Buffer.alloc(100));
  let given = 0;
  function* source() {
    for (; given < 10; ) {
      given += 1;
      yield ramp(10);
    }
  }
  const pushed = push(file, { at: 0 }, source());
  await settled();
  expect([file.waiting.map(({ offset }) => offset), given]).toEqual([[0, 10, 20, 30], 5]);
  await answerAll(file);
  expect(await pushed).toBe(100);
  expect(file.content).toEqual(Buffer.concat(Array(10).fill(ramp(10))));
});

test('what is said to be written has no gap before it, whatever the order of the answers', async () => {
  const file = heldFile(Buffer.alloc(40));
  const written: number[] = [];
  const pushed = push(file, { at: 0, written: offset => written.push(offset) }, [Buffer.alloc(40)]);
  await settled();
  const [first, second, third, fourth] = [...file.waiting];
  third?.answer();
  second?.answer();
  await settled();
  expect(written).toEqual([]);
  first?.answer();
  await settled();
  expect(written).toEqual([30]);
  fourth?.answer();
  expect([await pushed, written]).toEqual([40, [30, 40]]);
});

test('each conversation gets what it can take', async () => {
  const [one, two] = [heldFile(Buffer.alloc(100)), heldFile(Buffer.alloc(100))];
  const pushed = push(one, { at: 0, beside: Promise.resolve([two]) }, [ramp(100)]);
  await settled();
  expect([one, two].map(({ waiting }) => waiting.map(({ offset }) => offset))).toEqual([
    [0, 20, 40, 60],
    [10, 30, 50, 70],
  ]);
  for (const { answer } of [...two.waiting]) answer();
  await settled();
  expect(two.waiting.map(({ offset }) => offset)).toEqual([80, 90]);
  await Promise.all([answerAll(one), answerAll(two)]);
  expect(await pushed).toBe(100);
});

test('a conversation that comes later gets what is sent from then on, and none that comes when it is over', async () => {
  for (const failing of [undefined, new Error('no')]) {
    const [one, two, three] = [heldFile(Buffer.alloc(60)), heldFile(Buffer.alloc(60)), heldFile(Buffer.alloc(60))];
    let join: (files: (typeof two)[]) => void = () => undefined;
    const beside = new Promise<(typeof two)[]>(resolve => {
      join = resolve;
    });
    const pushed = push(one, { at: 0, beside }, [ramp(60)]).catch((error: unknown) => error);
    await settled();
    if (failing === undefined) {
      join([two]);
      await settled();
      expect(two.waiting.map(({ offset }) => offset)).toEqual([40, 50]);
      await answerAll(two);
    } else one.waiting[0]?.answer(failing);
    await answerAll(one);
    expect(await pushed).toBe(failing ?? 60);
    join([three]);
    await settled();
    expect(three.waiting).toEqual([]);
  }
});

test('a write that fails is told when nothing is on its way any more, the last one too', async () => {
  for (const failing of [0, 3]) {
    const file = heldFile(Buffer.alloc(40));
    let over = false;
    const pushed = push(file, { at: 0 }, [Buffer.alloc(40)]);
    pushed.catch(() => {
      over = true;
    });
    await settled();
    const requests = [...file.waiting];
    requests.splice(failing, 1)[0]?.answer(new Error('no'));
    await settled();
    expect(over).toBe(false);
    for (const { answer } of requests) answer();
    await expect(pushed).rejects.toThrow('no');
  }
});

test('a source that fails ends it when nothing is on its way any more', async () => {
  const file = heldFile(Buffer.alloc(40));
  async function* source() {
    yield ramp(10);
    throw new Error('the disk has a hole');
  }
  const pushed = push(file, { at: 0 }, source());
  await settled();
  file.waiting[0]?.answer();
  await expect(pushed).rejects.toThrow('the disk has a hole');
});

test('a signal ends it at once while its source hangs or the host does, and lets go of the source', async () => {
  let closed = false;
  async function* source() {
    try {
      for (;;) yield ramp(10);
    } finally {
      closed = true;
    }
  }
  const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
  for (const each of [source(), hanging]) {
    const giveUp = new AbortController();
    const pushed = push(heldFile(Buffer.alloc(40)), { at: 0 }, each, giveUp.signal);
    await settled();
    giveUp.abort();
    await expect(pushed).rejects.toMatchObject({ code: 'CANCELLED' });
  }
  expect(closed).toBe(true);
});
