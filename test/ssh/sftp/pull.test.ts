import { createHash } from 'node:crypto';
import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transport } from '../../../src/ssh/host.ts';
import { pull } from '../../../src/ssh/sftp/pull.ts';
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

/** Gathers what is handed over. */
const gather = () => {
  const parts: Buffer[] = [];
  return { sink: (pieces: readonly Buffer[]) => void parts.push(...pieces), bytes: () => Buffer.concat(parts) };
};

describe.each<Transport>(['ssh2', 'openssh'])('by way of %s', transport => {
  let one: TestSftp;
  beforeAll(async () => {
    one = await sftpOn(sshd, { transport });
  });
  afterAll(async () => await one[Symbol.asyncDispose]());

  test('a file of many windows comes whole, in order, whether its end is known or not', async () => {
    const content = Buffer.alloc(30_000_001);
    for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(at, at);
    await writeFile(`${temp.path}/f`, content);
    const file = await one.sftp.open(`${temp.path}/f`, 'read');
    for (const to of [content.length, undefined]) {
      const { sink, bytes } = gather();
      expect(await pull(file, { from: 0, ...(to === undefined ? {} : { to }) }, sink)).toBe(content.length);
      expect(sha256(bytes())).toBe(sha256(content));
    }
    await file.close();
  });

  test.each([
    ['nothing', 0, 0, 0],
    ['one byte', 999_999, 1_000_000, 1_000_000],
    ['a middle', 300_000, 700_001, 700_001],
    ['what is beyond the end', 900_000, 9_000_000, 1_000_000],
    ['all from behind the end', 2_000_000, undefined, 2_000_000],
    ['the rest', 123_456, undefined, 1_000_000],
  ])('%s of a file is what is asked for', async (_what, from, to, end) => {
    const content = ramp(1_000_000);
    await writeFile(`${temp.path}/f`, content);
    const file = await one.sftp.open(`${temp.path}/f`, 'read');
    const { sink, bytes } = gather();
    expect(await pull(file, { from, ...(to === undefined ? {} : { to }) }, sink)).toBe(end);
    expect(bytes().equals(content.subarray(from, end))).toBe(true);
    await file.close();
  });

  test('a span beyond 4 GiB is read from where it is', async () => {
    const far = 2 ** 32 + 12_345;
    await writeFile(`${temp.path}/sparse`, '');
    await truncate(`${temp.path}/sparse`, far);
    await appendFile(`${temp.path}/sparse`, ramp(600_000));
    const file = await one.sftp.open(`${temp.path}/sparse`, 'read');
    const { sink, bytes } = gather();
    expect(await pull(file, { from: far - 1, to: far + 600_000 }, sink)).toBe(far + 600_000);
    expect(bytes().equals(Buffer.concat([Buffer.alloc(1), ramp(600_000)]))).toBe(true);
    await file.close();
  });
});

test('no more is asked for than the window, and more only when some was taken', async () => {
  const file = heldFile(ramp(200));
  let take: () => void = () => undefined;
  const taken: number[] = [];
  const pulled = pull(file, { from: 0, to: 200 }, pieces => {
    taken.push(...pieces.map(piece => piece.length));
    return new Promise<void>(resolve => {
      take = resolve;
    });
  });
  expect(file.waiting.map(({ offset }) => offset)).toEqual([0, 10, 20, 30]);
  for (const { answer } of [...file.waiting]) answer();
  await settled();
  expect([taken, file.waiting.length]).toEqual([[10], 0]);
  take();
  await settled();
  expect([taken, file.waiting.map(({ offset }) => offset)]).toEqual([[10, 10], [40]]);
  const stop = setInterval(() => take(), 0);
  const answering = setInterval(() => file.waiting[0]?.answer(), 0);
  expect(await pulled).toBe(200);
  clearInterval(stop);
  clearInterval(answering);
  expect(taken).toEqual(Array(20).fill(10));
});

test('answers in any order are handed over in the order of the file', async () => {
  const file = heldFile(ramp(40));
  const { sink, bytes } = gather();
  const pulled = pull(file, { from: 0, to: 40 }, sink);
  for (const { answer } of file.waiting.toReversed()) answer();
  expect(await pulled).toBe(40);
  expect(bytes()).toEqual(ramp(40));
});

test('where the end is not known, a short file costs few requests', async () => {
  const file = heldFile(ramp(5), { window: 1_000 });
  const { sink, bytes } = gather();
  const pulled = pull(file, { from: 0 }, sink);
  expect(file.waiting.length).toBe(4);
  await answerAll(file);
  expect([await pulled, bytes()]).toEqual([5, ramp(5)]);
});

test('a failure is told at once, and what is still on its way may fail unheard', async () => {
  const file = heldFile(ramp(40));
  const pulled = pull(file, { from: 0, to: 40 }, () => undefined);
  const [first, ...others] = [...file.waiting];
  first?.answer(new Error('no'));
  await expect(pulled).rejects.toThrow('no');
  for (const { answer } of others) answer(new Error('unheard'));
  await settled();
});

test('a sink that fails ends it', async () => {
  const file = heldFile(ramp(40));
  const pulled = pull(file, { from: 0, to: 40 }, async () => {
    throw new Error('the disk is full');
  });
  file.waiting[0]?.answer();
  await expect(pulled).rejects.toThrow('the disk is full');
});

test.each([
  ['before it begins', true],
  ['while it waits for the host', false],
])('a signal %s ends it at once', async (_when, early) => {
  const file = heldFile(ramp(40));
  const giveUp = new AbortController();
  if (early) giveUp.abort();
  const pulled = pull(file, { from: 0, to: 40 }, () => undefined, giveUp.signal);
  giveUp.abort();
  await expect(pulled).rejects.toMatchObject({ code: 'CANCELLED', message: 'The transfer was given up.' });
});

test('a signal ends it while its sink hangs', async () => {
  const file = heldFile(ramp(40));
  const giveUp = new AbortController();
  const pulled = pull(file, { from: 0, to: 40 }, () => new Promise(() => undefined), giveUp.signal);
  file.waiting[0]?.answer();
  await settled();
  giveUp.abort();
  await expect(pulled).rejects.toMatchObject({ code: 'CANCELLED' });
});
