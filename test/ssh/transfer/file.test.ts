import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ground, layGround, namesIn, sha256, sumOf } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

test('a file goes up whole, with its mode and time, and nothing else is left beside it', async () => {
  const { here, there, up } = ground;
  const bytes = randomBytes(1_000_003);
  await writeFile(join(here, 'a.bin'), bytes);
  await chmod(join(here, 'a.bin'), 0o4751);
  await utimes(join(here, 'a.bin'), 1_700_000_001, 1_700_000_002);
  const result = await up('a.bin', 'a.bin');
  expect(result).toEqual({
    ...{ what: 'file', host: 'web', direction: 'upload', remotePath: join(there, 'a.bin'), localPath: 'a.bin' },
    ...{ bytes: 1_000_003, size: 1_000_003, sha256: sha256(bytes), durationMs: expect.any(Number) },
  });
  expect(await sumOf(join(there, 'a.bin'))).toBe(sha256(bytes));
  const { mode, mtimeMs } = await stat(join(there, 'a.bin'));
  expect([mode & 0o7777, mtimeMs]).toEqual([0o751, 1_700_000_002_000]);
  expect(await namesIn(there)).toEqual(['a.bin']);
});

test('a file comes down whole, with its time, and nobody else may write to it', async () => {
  const { here, there, down } = ground;
  const bytes = randomBytes(2_000_003);
  await writeFile(join(there, 'b.bin'), bytes);
  await chmod(join(there, 'b.bin'), 0o777);
  await utimes(join(there, 'b.bin'), 1_700_000_001, 1_700_000_002);
  const result = await down('b.bin', 'b.bin');
  expect(result).toEqual({
    ...{ what: 'file', host: 'web', direction: 'download', remotePath: join(there, 'b.bin'), localPath: 'b.bin' },
    ...{ bytes: 2_000_003, size: 2_000_003, sha256: sha256(bytes), durationMs: expect.any(Number) },
  });
  expect(await sumOf(join(here, 'b.bin'))).toBe(sha256(bytes));
  const { mode, mtimeMs } = await stat(join(here, 'b.bin'));
  expect([mode & 0o7777, mtimeMs]).toEqual([0o755, 1_700_000_002_000]);
});

test('a text goes up and comes back as the same bytes', async () => {
  const content = 'grüße 🌍\u0000\u202e\n';
  await ground.up('t.txt', { content });
  expect(await readFile(join(ground.there, 't.txt'), 'utf8')).toBe(content);
  const got = await ground.text('t.txt');
  expect(got).toMatchObject({
    what: 'text',
    size: 17,
    offset: 0,
    content: Buffer.from(content),
    sha256: sha256(content),
  });
});
