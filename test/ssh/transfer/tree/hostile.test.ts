import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLocalFolder } from '../../../../src/ssh/transfer/tree/local-folder.ts';
import { type RudeSftp, startRudeSftp } from '../../../support/rude-sftp.ts';
import { layTreeGround, type TreeGround } from './ground.ts';
import { type Files, failureOf, layIn, leftOutOf, manyFiles, refusing } from './lay.ts';
import { diff } from './same.ts';

let rude: RudeSftp;
let ground: TreeGround;
beforeAll(async () => {
  rude = await startRudeSftp();
  ground = await layTreeGround({ sshd: rude });
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
  await rude[Symbol.asyncDispose]();
});

const lay = async (files: Files): Promise<string> => await layIn(await ground.folder(), files);

for (const manner of ['plain', 'slow', 'shortReads', 'otherOrder'])
  test(`a server that is ${manner} is copied to and from all the same`, async () => {
    await rude.behave(manner);
    const from = await lay({ 'a/x': 'hello', 'a/y': 'y'.repeat(5_000), 'b/': '', big: 'z'.repeat(1_100_000) });
    const [there, back] = [ground.nothing(), ground.nothing()];
    expect(await ground.upload(from, there)).toMatchObject({ files: 3, leftOutCount: 0 });
    expect(await ground.download(there, back)).toMatchObject({ files: 3, leftOutCount: 0 });
    expect(await diff(from, back)).toBe('');
    expect(await ground.upload(from, there)).toMatchObject({ files: 0, unchanged: 3 });
  });

test('a server that cannot replace a file in one step keeps the one that is there, which is said', async () => {
  await rude.behave('plain');
  const [from, there] = [await lay({ x: 'newer', y: 'y' }), await lay({ x: 'old' })];
  expect(leftOutOf(await ground.upload(from, there))).toEqual({ x: 'UNSUPPORTED' });
  expect([await readFile(join(there, 'x'), 'utf8'), (await readdir(there)).sort()]).toEqual(['old', ['x', 'y']]);
});

for (const manner of ['slash', 'nul', 'empty', 'endless', 'relativePath', 'nulPath'])
  test(`of a folder whose listing is a lie (${manner}) nothing arrives outside of the tree`, async () => {
    await rude.behave(manner);
    const from = await lay({ 'a/x': 'hello' });
    const around = await ground.folder();
    const failure = await failureOf(ground.download(from, join(around, 'to'), { limits: { entries: 500 } }));
    expect(['FILE_FAILED', 'FILE_MOVED', 'CONNECTION_LOST']).toContain(failure.code);
    expect((await readdir(around, { recursive: true })).filter(name => name !== 'to' && name !== 'to/a')).toEqual([]);
  });

test('of a folder whose real path changes with each question no file arrives', async () => {
  await rude.behave('moves');
  const [from, to] = [await lay({ 'a/x': 'hello' }), ground.nothing()];
  expect((await failureOf(ground.download(from, to))).code).toBe('FILE_MOVED');
  await expect(readdir(to)).rejects.toThrow('ENOENT');
});

for (const manner of ['dots', 'control', 'twins', 'emptyParts', 'longName'])
  test(`of a folder with odd names (${manner}) only what is a file arrives, and once`, async () => {
    await rude.behave(manner);
    const from = await lay({ a: 'hello', b: 'there', d: 'd' });
    const to = ground.nothing();
    const { files, leftOutCount } = await ground.download(from, to);
    expect([(await readdir(to)).sort(), files, leftOutCount]).toEqual(ARRIVED[manner]);
  });

const ARRIVED: Readonly<Record<string, readonly unknown[]>> = {
  dots: [['a'], 1, 0],
  control: [['d'], 1, 2],
  twins: [['a'], 1, 1],
  emptyParts: [['a', 'b'], 2, 0],
  longName: [[], 0, 1],
};

/** The listing is true: only what it says is fetched, and only if nothing else that is said is against it. */
const LIES: readonly (readonly [manner: string, content: string | undefined])[] = [
  ['tooBig', undefined],
  ['tooSmall', undefined],
  ['pastEnd', 'x'.repeat(26)],
  ['moreData', undefined],
  ['noData', undefined],
];

for (const [manner, content] of LIES)
  test(`a file whose size is a lie (${manner}) never stands half under its name`, async () => {
    await rude.behave(manner);
    const from = await lay({ x: 'hello, this is the content' });
    const to = ground.nothing();
    await ground.download(from, to).catch(() => undefined);
    const arrived = (await readdir(to)).includes('x') ? await readFile(join(to, 'x'), 'utf8') : undefined;
    expect([arrived, (await readdir(to)).length]).toEqual([content, content === undefined ? 0 : 1]);
  });

test('a disk of the host that is full ends the whole, and says so', async () => {
  await rude.behave('full');
  const from = await lay(manyFiles(200, 3));
  const there = ground.nothing();
  const failure = await failureOf(ground.upload(from, there));
  expect([failure.code, failure.message]).toEqual(['FILE_FAILED', expect.stringContaining('full')]);
  expect(failure.details.copied).toMatchObject({ files: 4 });
});

/** Puts a link to another folder in the place of one, and back, in bursts; ends when its stdin does, and lets what others make there be. */
const SWAP = `
const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
const [path, aside, bad] = process.argv.slice(1);
let over = false;
process.stdin.resume().on('end', () => { over = true; });
const tried = work => { try { work(); } catch {} };
const run = () => {
  for (let i = 0; i < 10; i++) {
    tried(() => renameSync(path, aside));
    tried(() => symlinkSync(bad, path));
    tried(() => unlinkSync(path));
    tried(() => renameSync(aside, path));
  }
  if (!over) setTimeout(run, Math.random() * 3);
};
process.stdout.write('ready');
run();
`;

const startSwap = async (path: string, aside: string, bad: string): Promise<AsyncDisposable> => {
  const child = spawn(process.execPath, ['-e', SWAP, path, aside, bad], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'close');
    },
  };
};

test('a folder of the host that turns into a link and back gives nothing of what the link leads to, and takes nothing there', async () => {
  await rude.behave('polite');
  const real = await layTreeGround();
  await using _ = real;
  const top = await real.folder();
  const [tree, forbidden] = [join(top, 'tree'), join(top, 'forbidden')];
  const names = Array.from({ length: 20 }, (_unused, index) => `f${index}`);
  await layIn(tree, Object.fromEntries(names.map(name => [`folder/${name}`, 'allowed'])));
  // Shorter than what it is put in the place of: version 3 opens by name alone, and what has the same owner, mode, second and size as
  // the file that was listed cannot be told from it when it is there for no more than the moment of the opening.
  await layIn(forbidden, Object.fromEntries(names.map(name => [name, 'SECRET'])));
  const sent = await layIn(await real.folder(), Object.fromEntries(names.map(name => [`folder/${name}`, 'uploaded'])));
  const leave = () => ({ ...refusing('read', /forbidden/), barred: () => undefined });
  await using racer = await startSwap(join(tree, 'folder'), join(top, 'aside'), forbidden);
  let arrived = 0;
  let disturbed = 0;
  for (let round = 0; round < 25; round += 1) {
    const to = real.nothing();
    const counts = await real.download(tree, to, { leave: leave() });
    arrived += counts.files;
    const found = await readdir(join(to, 'folder')).catch(() => []);
    for (const name of found)
      expect(['allowed', 'uploaded']).toContain(await readFile(join(to, 'folder', name), 'utf8'));
    const { leftOutCount } = await real.upload(sent, tree, { leave: leave() });
    if (counts.leftOutCount + leftOutCount > 0) disturbed += 1;
  }
  await racer[Symbol.asyncDispose]();
  expect([arrived > 0, disturbed > 0]).toEqual([true, true]);
  // Where the folder stays a good one for long, an empty file of ours may stay in the other; never more than that.
  const others = (await readdir(forbidden)).filter(name => !names.includes(name));
  for (const name of others) expect([name, await readFile(join(forbidden, name), 'utf8')]).toEqual([name, '']);
  for (const name of names) expect(await readFile(join(forbidden, name), 'utf8')).toBe('SECRET');
}, 60_000);

test('a folder here that turns into a link and back leads nothing of a download elsewhere', async () => {
  await rude.behave('polite');
  const from = await lay(manyFiles(60, 1));
  const outside = await ground.folder();
  const to = await lay({ 'd0/': '' });
  await using swap = await startSwap(join(to, 'd0'), join(to, 'aside'), outside);
  for (let round = 0; round < 10; round += 1) {
    await ground.download(from, to).catch(() => undefined);
    expect(await readdir(outside)).toEqual([]);
  }
  await swap[Symbol.asyncDispose]();
}, 60_000);

for (const descriptors of ['/proc/self/fd', '/nowhere'])
  test(`a folder here is found again, or not used, when another is put in its place (names by ${descriptors})`, async () => {
    const top = await lay({ 'in/a': 'ours', 'other/b': 'not ours' });
    const folder = await openLocalFolder(top, descriptors);
    const inner = await folder.enter('in');
    await inner.verify();
    await rename(join(top, 'in'), join(top, 'moved'));
    await symlink('other', join(top, 'in'));
    expect((await failureOf(inner.verify())).code).toBe('FILE_MOVED');
    await expect(folder.enter('in')).rejects.toThrow(/ENOTDIR|ELOOP/);
    if (descriptors !== '/nowhere') {
      await writeFile(inner.at('new'), 'ours');
      expect(await readdir(join(top, 'moved'))).toEqual(['a', 'new']);
    }
    await expect(openLocalFolder(join(top, 'in'), descriptors)).rejects.toThrow(/ENOTDIR|ELOOP/);
    await inner.close();
    await folder.close();
  });
