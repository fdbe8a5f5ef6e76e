import { chmod, link, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../../src/errors.ts';
import type { FileLeave } from '../../../../src/gate/file-leave.ts';
import type { TreeCounts } from '../../../../src/ssh/transfer/tree/tally.ts';
import { leaveOf } from '../../../support/leave.ts';
import { layTreeGround, type TreeGround } from './ground.ts';
import { type Files, failureOf, layIn, leftOutOf, refusing } from './lay.ts';
import { diff, here, tableOf } from './same.ts';

let ground: TreeGround;
beforeAll(async () => {
  ground = await layTreeGround();
});
afterAll(async () => await ground[Symbol.asyncDispose]());

const lay = async (files: Files): Promise<string> => await layIn(await ground.folder(), files);

const NOTHING: TreeCounts = {
  ...{ what: 'tree', bytes: 0, files: 0, unchanged: 0, folders: 0, links: 0, deleted: 0 },
  ...{ leftOut: [], leftOutCount: 0 },
};

test('a tree arrives with its modes, times and empty folders, up and down', async () => {
  const from = await lay({ 'a/x': 'hello', 'a/b/y': 'z'.repeat(300_000), 'a/none': '', 'empty/': '', '.hidden': 'h' });
  await chmod(join(from, 'a/x'), 0o754);
  await chmod(join(from, 'a/b'), 0o555);
  await chmod(join(from, 'empty'), 0o711);
  await utimes(join(from, 'a/b/y'), 1_000_000_000, 1_000_000_001);
  await utimes(join(from, 'a'), 1_100_000_000, 1_100_000_001);
  const [there, back] = [ground.nothing(), ground.nothing()];
  const counts = { ...NOTHING, files: 4, folders: 4, bytes: 300_006 };
  expect(await ground.upload(from, there)).toEqual(counts);
  expect(tableOf(there)).toEqual(tableOf(from));
  expect(await ground.download(there, back)).toEqual(counts);
  expect(tableOf(back)).toEqual(tableOf(from, here));
  expect(await diff(from, back)).toBe('');
});

test('a tree copied again moves nothing', async () => {
  const from = await lay({ 'a/x': 'hello', 'b/y': 'b'.repeat(1_500_000) });
  const [there, back] = [ground.nothing(), ground.nothing()];
  await ground.upload(from, there);
  await ground.download(there, back);
  const before = [tableOf(there), tableOf(back)];
  expect(await ground.upload(from, there)).toEqual({ ...NOTHING, unchanged: 2 });
  expect(await ground.download(there, back)).toEqual({ ...NOTHING, unchanged: 2 });
  expect([tableOf(there), tableOf(back)]).toEqual(before);
});

test('of a tree copied again only what was changed moves', async () => {
  const from = await lay({ 'a/x': 'hello', 'a/y': 'there', 'b/z': 'same' });
  const [there, back] = [ground.nothing(), ground.nothing()];
  await ground.upload(from, there);
  await ground.download(there, back);
  await writeFile(join(from, 'a/y'), 'changed');
  expect(await ground.upload(from, there)).toEqual({ ...NOTHING, files: 1, unchanged: 2, bytes: 7 });
  expect(await ground.download(there, back)).toEqual({ ...NOTHING, files: 1, unchanged: 2, bytes: 7 });
  expect(tableOf(back)).toEqual(tableOf(from, here));
});

test('a mode that was changed follows, and no byte moves for it', async () => {
  const from = await lay({ run: 'echo' });
  const [there, back] = [ground.nothing(), ground.nothing()];
  await ground.upload(from, there);
  await ground.download(there, back);
  await chmod(join(from, 'run'), 0o755);
  expect(await ground.upload(from, there)).toEqual({ ...NOTHING, unchanged: 1 });
  expect(await ground.download(there, back)).toEqual({ ...NOTHING, unchanged: 1 });
  expect(tableOf(back)).toEqual(tableOf(from));
});

test('a folder that is there is merged into, and keeps what is only there, and its mode', async () => {
  const from = await lay({ 'a/x': 'newer' });
  const there = await lay({ 'a/x': 'old', 'a/kept': 'kept', also: 'kept' });
  await chmod(there, 0o751);
  await ground.upload(from, there);
  expect(await readFile(join(there, 'a/x'), 'utf8')).toBe('newer');
  expect(await readdir(there)).toEqual(['a', 'also']);
  expect((await stat(there)).mode & 0o777).toBe(0o751);
});

test('setuid, setgid and sticky bits stay behind', async () => {
  const from = await lay({ 'd/su': 'x' });
  await chmod(join(from, 'd/su'), 0o6755);
  await chmod(join(from, 'd'), 0o3755);
  const [there, back] = [ground.nothing(), ground.nothing()];
  await ground.upload(from, there);
  expect([(await stat(join(there, 'd/su'))).mode & 0o7777, (await stat(join(there, 'd'))).mode & 0o7777]).toEqual([
    0o755, 0o755,
  ]);
  await ground.download(from, back);
  expect((await stat(join(back, 'd/su'))).mode & 0o7777).toBe(0o755);
});

test('hard links arrive as files of their own', async () => {
  const from = await lay({ one: 'same' });
  await link(join(from, 'one'), join(from, 'two'));
  const there = ground.nothing();
  await ground.upload(from, there);
  expect((await stat(join(there, 'one'))).nlink).toBe(1);
  expect(await diff(from, there)).toBe('');
  // Two names of one file here are no clash of names.
  expect(await ground.download(there, from)).toMatchObject({ unchanged: 2, leftOutCount: 0 });
});

const LINKED = async (): Promise<string> => {
  const from = join(await lay({ 'tree/a/x': 'hello', 'tree/a/b/y': 'there' }), 'tree');
  await symlink('x', join(from, 'a/inside'));
  await symlink('../../a/x', join(from, 'a/b/up'));
  await symlink('b', join(from, 'a/folder'));
  await symlink('../../outside', join(from, 'a/out'));
  await symlink('b/../../..', join(from, 'a/crooked'));
  await symlink('/etc/passwd', join(from, 'absolute'));
  await symlink('..', join(from, 'a/b/loop'));
  await symlink('nowhere', join(from, 'dangling'));
  return from;
};

test('links are left out, and said, unless another way is chosen', async () => {
  const from = await LINKED();
  const [there, back] = [ground.nothing(), ground.nothing()];
  const up = await ground.upload(from, there);
  const down = await ground.download(from, back);
  expect([up.files, up.links, up.leftOutCount]).toEqual([2, 0, 8]);
  expect([down.files, down.links, down.leftOutCount]).toEqual([2, 0, 8]);
  expect(new Set(Object.values(leftOutOf(down)))).toEqual(new Set(['UNSUPPORTED']));
});

test('links that lead to something inside the tree, wherever it is, are copied as links; no other is', async () => {
  const from = await LINKED();
  const [there, back] = [ground.nothing(), ground.nothing()];
  const outside = { 'a/out': 'UNSUPPORTED', 'a/crooked': 'UNSUPPORTED', absolute: 'UNSUPPORTED' };
  const up = await ground.upload(from, there, { links: 'copy' });
  expect([up.links, leftOutOf(up)]).toEqual([5, outside]);
  const down = await ground.download(from, back, { links: 'copy' });
  expect([down.links, leftOutOf(down)]).toEqual([5, outside]);
  expect(tableOf(there)).toEqual(tableOf(from).filter(line => !/out |crooked |absolute /.test(line)));
  expect(tableOf(back)).toEqual(tableOf(there, here));
  expect(await ground.upload(back, there, { links: 'copy' })).toEqual({ ...NOTHING, unchanged: 7 });
});

test('a copied link takes the place of another link, and of nothing else', async () => {
  const from = await lay({ x: '', y: '' });
  await symlink('x', join(from, 'one'));
  await symlink('x', join(from, 'two'));
  for (const copy of [ground.upload, ground.download]) {
    const to = await lay({ two: 'a file' });
    await symlink('y', join(to, 'one'));
    expect(leftOutOf(await copy(from, to, { links: 'copy' }))).toEqual({ two: 'FILE_FAILED' });
    expect(tableOf(to).filter(line => line.startsWith('/one'))).toEqual(['/one link x']);
    expect(await readFile(join(to, 'two'), 'utf8')).toBe('a file');
  }
});

test('links are followed to what may be read, and never round in a circle', async () => {
  const from = await LINKED();
  const [there, back] = [ground.nothing(), ground.nothing()];
  const up = await ground.upload(from, there, { links: 'follow' });
  expect(leftOutOf(up)).toEqual({
    'a/b/loop': 'UNSUPPORTED',
    'a/folder/loop': 'UNSUPPORTED',
    'a/out': 'UNSUPPORTED',
    'a/crooked/tree': 'UNSUPPORTED',
    absolute: 'LOCAL_DENIED',
    dangling: 'UNSUPPORTED',
  });
  const down = await ground.download(from, back, { links: 'follow', leave: refusing('read', /^\/etc/) });
  expect(leftOutOf(down)).toMatchObject({
    'a/b/loop': 'UNSUPPORTED',
    absolute: 'POLICY_DENIED',
    dangling: 'NO_SUCH_FILE',
  });
  for (const to of [there, back]) {
    expect(await readFile(join(to, 'a/folder/y'), 'utf8')).toBe('there');
    expect(await readFile(join(to, 'a/b/up'), 'utf8')).toBe('hello');
  }
});

test('a rule that denies the name under which a file is sent denies the file', async () => {
  const from = await lay({ x: 'x', big: new Uint8Array(2_000_000).fill(1) });
  await symlink('x', join(from, 'l'));
  const leave = { ...leaveOf(), barred: refusing('write', /\/\.[^/]*$/).refusal };
  const counts = await ground.upload(from, ground.nothing(), { links: 'copy', leave });
  expect(leftOutOf(counts)).toEqual({ x: 'POLICY_DENIED', big: 'POLICY_DENIED', l: 'POLICY_DENIED' });
});

test('what the policy refuses is missing and said, and the rest is there', async () => {
  const from = await lay({ 'a/x': '1', 'a/secret': '2', 'keys/k': '3', 'keys/in/k': '4', z: '5' });
  const [there, back] = [ground.nothing(), ground.nothing()];
  const up = await ground.upload(from, there, { leave: refusing('write', /secret|keys/) });
  expect([up.files, leftOutOf(up)]).toEqual([2, { 'a/secret': 'POLICY_DENIED', keys: 'POLICY_DENIED' }]);
  expect((await readdir(there, { recursive: true })).sort()).toEqual(['a', 'a/x', 'z']);
  const down = await ground.download(from, back, { leave: refusing('read', /secret|in\/k/) });
  expect([down.files, leftOutOf(down)]).toEqual([3, { 'a/secret': 'POLICY_DENIED', 'keys/in/k': 'POLICY_DENIED' }]);
  const unlisted = await ground.download(from, ground.nothing(), { leave: refusing('list', /keys/) });
  expect([unlisted.files, leftOutOf(unlisted)]).toEqual([3, { keys: 'POLICY_DENIED' }]);
});

test('a folder there that is not granted itself is still filled with what is', async () => {
  const from = await lay({ 'a/x': 'newer', 'a/y': 'no' });
  const there = await lay({ 'a/x': 'old', 'a/y': 'old' });
  const counts = await ground.upload(from, there, { leave: refusing('write', /a$|y$/) });
  expect([counts.files, leftOutOf(counts)]).toEqual([1, { 'a/y': 'POLICY_DENIED' }]);
  expect(await readFile(join(there, 'a/x'), 'utf8')).toBe('newer');
});

test('every access is judged by its kind, and every byte is charged before it moves', async () => {
  const from = await lay({ 'a/x': 'hello', big: new Uint8Array(5_000_000).fill(7) });
  const [there, back] = [ground.nothing(), ground.nothing()];
  const [up, down] = [leaveOf(), leaveOf()];
  await ground.upload(from, there, { leave: up });
  await ground.download(there, back, { leave: down });
  const judged = (leave: typeof up) =>
    new Set(
      leave.asked.flatMap(one =>
        'path' in one && !one.path.endsWith('.part') ? [`${one.access} ${one.path.slice(there.length)}`] : [],
      ),
    );
  expect(judged(up)).toEqual(new Set(['write ', 'write /a', 'write /a/x', 'write /big']));
  expect(judged(down)).toEqual(new Set(['list ', 'list /a', 'read /a/x', 'read /big']));
  expect([up.bytes, down.bytes]).toEqual([5_000_005, 5_000_005]);
});

test('a limit that is reached ends the whole, and says how far it was', async () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, 'x'.repeat(1_000)]));
  const from = await lay(files);
  const limited = (): FileLeave =>
    leaveOf(undefined, async (_bytes, total) =>
      total > 50_000 ? new Failure('RATE_LIMITED', 'No more today.') : undefined,
    );
  for (const copy of [ground.upload, ground.download]) {
    const to = ground.nothing();
    const failure = await failureOf(copy(from, to, { leave: limited() }));
    expect(failure.code).toBe('RATE_LIMITED');
    const names = await readdir(to);
    expect(names.length).toBeLessThanOrEqual(50);
    expect(failure.details.copied).toMatchObject({ files: names.length, folders: 1 });
    expect(names.filter(name => name.includes('.part'))).toEqual([]);
  }
});

test('given up, it ends at once, and leaves nothing unfinished and no wrong file', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`d${index % 7}/f${index}`, `${index}`.repeat(500)]),
  );
  const from = await lay(files);
  for (const copy of [ground.upload, ground.download]) {
    const to = ground.nothing();
    const abort = new AbortController();
    const filed = (count: number): void => {
      if (count === 100) abort.abort();
    };
    const failure = await failureOf(copy(from, to, { signal: abort.signal, filed }));
    expect([failure.code, failure.details.copied]).toMatchObject(['CANCELLED', { unchanged: 0 }]);
    const arrived = tableOf(to).filter(line => / file /.test(line));
    expect(arrived.length).toBeGreaterThanOrEqual(100);
    expect(arrived.length).toBeLessThan(300);
    const whole = new Set(tableOf(from, copy === ground.download ? here : undefined));
    expect(arrived.filter(line => !whole.has(line))).toEqual([]);
    expect(await copy(from, to)).toMatchObject({ files: 300 - arrived.length, unchanged: arrived.length });
    expect(await diff(from, to)).toBe('');
  }
});

test('names with control characters are left out and said; all other bytes are names', async () => {
  const from = await ground.folder();
  const bytes = Array.from({ length: 255 }, (_, index) => index + 1).filter(byte => byte !== 0x2f);
  for (const byte of bytes) await writeFile(Buffer.concat([Buffer.from(`${from}/n`), Buffer.of(byte)]), `${byte}`);
  const controls = bytes.filter(byte => byte < 0x20 || byte === 0x7f).map(byte => `n${String.fromCharCode(byte)}`);
  for (const copy of [ground.upload, ground.download]) {
    const to = ground.nothing();
    const counts = await copy(from, to);
    expect(counts.files).toBe(bytes.length - controls.length);
    expect(counts.leftOut.map(({ path }) => path).sort()).toEqual([...controls].sort());
    const left = tableOf(from, copy === ground.download ? here : undefined).filter(
      line => !/^\/n[\0-\x1f\x7f]/.test(line),
    );
    expect(tableOf(to)).toEqual(left);
  }
});

test('what stands in the way of something else stays, and is said', async () => {
  const from = await lay({ file: 'new', linked: 'new', 'folder/x': 'new', 'linkedFolder/x': 'new' });
  for (const copy of [ground.upload, ground.download]) {
    const to = await lay({ 'file/kept': 'k', folder: 'a file', target: 'untouched', 'targetFolder/kept': 'k' });
    await symlink('target', join(to, 'linked'));
    await symlink('targetFolder', join(to, 'linkedFolder'));
    const before = tableOf(to).slice(1);
    const counts = await copy(from, to);
    expect(leftOutOf(counts)).toEqual({
      file: 'FILE_FAILED',
      linked: 'FILE_FAILED',
      folder: 'FILE_FAILED',
      linkedFolder: 'FILE_FAILED',
    });
    expect(tableOf(to).slice(1)).toEqual(before);
  }
});

test('long runs of zeros take no room', async () => {
  const from = await ground.folder();
  const content = Buffer.alloc(40_000_000);
  content.write('begin', 0);
  content.write('middle', 20_000_000);
  await writeFile(join(from, 'ends-with-hole'), content);
  content.write('end', 39_999_990);
  await writeFile(join(from, 'ends-with-data'), content);
  const [there, back] = [ground.nothing(), ground.nothing()];
  const up = await ground.upload(from, there);
  await ground.download(there, back);
  expect(await diff(from, back)).toBe('');
  expect(up.bytes).toBeLessThan(3_000_000);
  for (const to of [there, back])
    for (const name of ['ends-with-hole', 'ends-with-data'])
      expect((await stat(join(to, name))).blocks * 512).toBeLessThan(3_000_000);
});

test('extra entries are deleted at the end, each when that is granted, and links as links', async () => {
  const from = await lay({ 'a/x': 'x', keep: 'k' });
  const there = await lay({
    'a/x': 'old',
    'a/extra': '1',
    'gone/in/f': '2',
    'held/secret': '3',
    'held/f': '4',
    old: '5',
  });
  const outside = await lay({ treasure: 't' });
  await symlink(outside, join(there, 'a/link'));
  const leave = refusing('delete', /secret/);
  const counts = await ground.upload(from, there, { deleteExtra: true, leave });
  expect([counts.deleted, leftOutOf(counts)]).toEqual([7, { 'held/secret': 'POLICY_DENIED' }]);
  expect((await readdir(there, { recursive: true })).sort()).toEqual(['a', 'a/x', 'held', 'held/secret', 'keep']);
  expect(await readdir(outside)).toEqual(['treasure']);
  const deletions = leave.asked.flatMap(one => ('path' in one && one.access === 'delete' ? [one.path] : []));
  expect(deletions).not.toContain(there);
  expect((await ground.upload(from, there, { deleteExtra: true })).deleted).toBe(2);
  expect(tableOf(there)).toEqual(tableOf(from));
});

test('nothing is deleted when something could not be copied, and that is said', async () => {
  const from = await lay({ x: 'x', 'bad\u0001name': '' });
  const there = await lay({ extra: '1' });
  const counts = await ground.upload(from, there, { deleteExtra: true });
  expect([counts.deleted, leftOutOf(counts)]).toEqual([0, { 'bad\u0001name': 'FILE_FAILED', '': 'FILE_FAILED' }]);
  expect((await readdir(there)).sort()).toEqual(['extra', 'x']);
});

test('what is here, and was left out, is not extra there', async () => {
  const from = await lay({ x: 'x', secret: 'new' });
  await symlink('x', join(from, 'link'));
  const there = await lay({ secret: 'theirs', link: 'theirs' });
  const counts = await ground.upload(from, there, { deleteExtra: true, leave: refusing('write', /secret/) });
  expect([counts.deleted, leftOutOf(counts)]).toEqual([0, { secret: 'POLICY_DENIED', link: 'UNSUPPORTED' }]);
});

test('given up before the deletions, nothing is deleted', async () => {
  const from = await lay({ x: 'x' });
  const there = await lay({ extra: '1' });
  const abort = new AbortController();
  const filed = (): void => abort.abort();
  expect((await failureOf(ground.upload(from, there, { deleteExtra: true, signal: abort.signal, filed }))).code).toBe(
    'CANCELLED',
  );
  expect(await readdir(there)).toContain('extra');
});

test('a tree that is too large, or a folder that is too deep, is said', async () => {
  const from = await lay({ a: '', b: '', c: '', 'd/e/f': '' });
  for (const copy of [ground.upload, ground.download]) {
    expect(await failureOf(copy(from, ground.nothing(), { limits: { entries: 3 } }))).toMatchObject({
      code: 'FILE_FAILED',
    });
    const shallow = await copy(from, ground.nothing(), { limits: { depth: 1 } });
    expect([shallow.files, leftOutOf(shallow)]).toEqual([3, { 'd/e': 'FILE_FAILED' }]);
  }
});

test('of what is left out the first are told, and all are counted', async () => {
  const from = await ground.folder();
  for (let index = 0; index < 7; index += 1) await symlink('x', join(from, `l${index}`));
  const counts = await ground.upload(from, ground.nothing(), { limits: { told: 3 } });
  expect([counts.leftOut.length, counts.leftOutCount]).toEqual([3, 7]);
});

test('without its root, or with a file in its place, there is no tree', async () => {
  const from = await lay({ file: 'x' });
  const nothing = ground.nothing();
  expect((await failureOf(ground.upload(nothing, ground.nothing()))).code).toBe('NO_SUCH_FILE');
  expect((await failureOf(ground.download(nothing, ground.nothing()))).code).toBe('NO_SUCH_FILE');
  expect((await failureOf(ground.download(join(from, 'file'), ground.nothing()))).code).toBe('FILE_FAILED');
  expect((await failureOf(ground.upload(from, join(from, 'file')))).code).toBe('FILE_FAILED');
  expect((await failureOf(ground.upload(from, join(nothing, 'below')))).code).toBe('NO_SUCH_FILE');
  const leave = refusing('list', /./);
  expect((await failureOf(ground.download(from, ground.nothing(), { leave }))).code).toBe('POLICY_DENIED');
});

test('parts of other transfers are no files of a tree', async () => {
  const from = await lay({ x: 'x', '.x.sallyport-0123456789abcdef-01234567.part': 'half' });
  for (const copy of [ground.upload, ground.download])
    expect(await copy(from, ground.nothing())).toMatchObject({ files: 1, leftOutCount: 1 });
});

test('a big file that was cut goes on where it was cut', async () => {
  const from = await lay({ big: Buffer.alloc(20_000_000, 'data, not zeros') });
  for (const copy of [ground.upload, ground.download]) {
    const to = ground.nothing();
    const abort = new AbortController();
    const moved = (total: number): void => {
      if (total > 8_000_000) abort.abort();
    };
    const failure = await failureOf(copy(from, to, { signal: abort.signal, moved }));
    expect(failure.code).toBe('CANCELLED');
    const [part = ''] = await readdir(to);
    expect(part).toMatch(/^\.big\.sallyport-[0-9a-f]{16}-[0-9a-f]{8}\.part$/);
    const { size } = await stat(join(to, part));
    const again = await copy(from, to, { resume: true });
    expect(again.bytes).toBe(20_000_000 - size);
    expect(await readdir(to)).toEqual(['big']);
    expect(await diff(from, to)).toBe('');
  }
});
