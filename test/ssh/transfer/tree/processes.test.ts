import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, type Home, homeFor, type Raw, raw, structured } from '../../../support/home.ts';
import { type Sshd, startSshd } from '../../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../../support/temp.ts';
import { untilTrue } from '../../../support/until.ts';
import { type Files, layIn } from './lay.ts';
import { diff } from './same.ts';

let sshd: Sshd;
let temp: TempFolder;
let place: Home;
beforeAll(async () => {
  sshd = await startSshd();
  temp = await tempFolder('sallyport-processes-');
  place = await homeFor(sshd, ALLOW_ALL, { files: { root: temp.path } });
});
afterAll(async () => {
  await sshd.close();
  await place[Symbol.asyncDispose]();
  await temp.remove();
});

/** So many files in ten folders; what is in them is known by their name and `word`. */
const filesOf = (word: string, count: number): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [nameOf(index), contentOf(word, index)]));
const nameOf = (index: number): string => `d${index % 10}/f${index}`;
const contentOf = (word: string, index: number): string => `${word} ${index} `.repeat(200);

const upload = async (server: Raw, from: string, to: string) =>
  structured(
    await server.call('ssh_upload', {
      ...{ host: 'web-1', local_path: from, remote_path: to },
      ...{ recursive: true, resume: true },
    }),
  );

/** What has a final name in a copy of such files, and none of the contents that it may have. */
const wrongIn = async (to: string, words: readonly string[]): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const name of await finalIn(to)) {
    const index = Number(/\d+$/.exec(name)?.[0]);
    const content = await readFile(join(to, name), 'utf8');
    if (!words.some(word => content === contentOf(word, index))) wrong.push(name);
  }
  return wrong;
};

const finalIn = async (to: string): Promise<readonly string[]> =>
  existsSync(to) ? (await readdir(to, { recursive: true })).filter(name => /f\d+$/.test(name)) : [];

const partsIn = async (to: string): Promise<readonly string[]> =>
  (await readdir(to, { recursive: true })).filter(name => name.endsWith('.part'));

test('a server that is killed in the middle of a tree leaves no half file, and another one copies the rest', {
  timeout: 60_000,
}, async () => {
  const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')];
  await layIn(from, filesOf('one', 3_000));
  const first = raw(place);
  void upload(first, from, to).catch(() => undefined);
  await untilTrue(async () => (await finalIn(to)).length > 100);
  first.child.kill('SIGKILL');
  await first.exited;
  const there = (await finalIn(to)).length;
  expect([there < 3_000, await wrongIn(to, ['one'])]).toEqual([true, []]);
  await using second = raw(place);
  const { files, unchanged, error } = await upload(second, from, to);
  expect({ all: Number(files) + Number(unchanged), error }).toEqual({ all: 3_000, error: undefined });
  expect(Number(unchanged)).toBeGreaterThanOrEqual(there);
  expect([await diff(from, to), await partsIn(to)]).toEqual(['', []]);
});

test('of two servers that copy to one place at once, each file is the one or the other, and whole', {
  timeout: 60_000,
}, async () => {
  const words = ['one', 'another'];
  const to = join(temp.path, 'both');
  // Folders that are there are listed, and what looks as if an earlier copy had left it is taken away.
  await layIn(to, Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}/`, ''])));
  const froms = words.map(word => join(temp.path, `from-${word}`));
  await Promise.all(froms.map(async (from, index) => await layIn(from, filesOf(words[index] ?? '', 800))));
  await using one = raw(place);
  await using other = raw(place);
  let over = false;
  const copies = Promise.all([one, other].map((server, index) => upload(server, froms[index] ?? '', to))).finally(
    () => {
      over = true;
    },
  );
  const wrong: string[] = [];
  while (!over) wrong.push(...(await wrongIn(to, words)));
  for (const copy of await copies) expect(copy).toMatchObject({ files: 800, left_out_count: 0 });
  expect([wrong, await wrongIn(to, words), await partsIn(to)]).toEqual([[], [], []]);
  expect(await finalIn(to)).toHaveLength(800);
});
