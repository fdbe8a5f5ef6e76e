import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  checkPrivateFile,
  createPrivateBytes,
  createPrivateFile,
  ensurePrivateFolder,
  isCode,
  NotPrivate,
  readPrivateFile,
} from '../../src/state/private.ts';
import { tempFolder } from '../support/temp.ts';

const uid = process.getuid?.();
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('a folder is made with all above it, open to nobody else', async () => {
  await using place = await tempFolder();
  const folder = join(place.path, 'a', 'b', 'c');
  ensurePrivateFolder(folder, uid);
  expect(['a', 'a/b', 'a/b/c'].map(name => modeOf(join(place.path, name)))).toEqual(['700', '700', '700']);
});

test('a folder that others can read, but not write to, is good enough', async () => {
  await using place = await tempFolder();
  chmodSync(place.path, 0o755);
  ensurePrivateFolder(place.path, uid);
});

test('a folder is refused below one in which anybody may replace it', async () => {
  await using place = await tempFolder();
  const above = join(place.path, 'above');
  const folder = join(above, 'between', 'folder');
  ensurePrivateFolder(folder, uid);
  chmodSync(above, 0o777);
  expect(() => ensurePrivateFolder(folder, uid)).toThrow(
    `Anybody may replace what is in ${above}: run chmod o-w ${above}, or choose another folder.`,
  );
  chmodSync(above, 0o1777);
  ensurePrivateFolder(folder, uid);
});

test('where files have no owner, only what a path is counts', async () => {
  await using place = await tempFolder();
  const file = await place.write('file', 'x', 0o666);
  chmodSync(place.path, 0o777);
  ensurePrivateFolder(place.path, undefined);
  checkPrivateFile(file, undefined);
  expect(readPrivateFile(file, undefined, { secret: true }).toString()).toBe('x');
});

const MODES = [
  { mode: 0o600, plain: 'read', secret: 'read' },
  { mode: 0o400, plain: 'read', secret: 'read' },
  { mode: 0o644, plain: 'read', secret: 'refused' },
  { mode: 0o640, plain: 'read', secret: 'refused' },
  { mode: 0o620, plain: 'refused', secret: 'refused' },
  { mode: 0o602, plain: 'refused', secret: 'refused' },
] as const;
test.each(MODES)('mode $mode: a plain file is $plain, a secret one $secret', async ({ mode, plain, secret }) => {
  await using place = await tempFolder();
  const file = await place.write('file', 'x', mode);
  const outcome = (read: () => unknown): string => {
    try {
      read();
      return 'read';
    } catch (error) {
      return error instanceof NotPrivate ? 'refused' : String(error);
    }
  };
  expect(outcome(() => readPrivateFile(file, uid))).toBe(plain);
  expect(outcome(() => readPrivateFile(file, uid, { secret: true }))).toBe(secret);
  expect(outcome(() => checkPrivateFile(file, uid))).toBe(plain);
});

test('what is not a plain file is refused, and nothing waits for a pipe that nobody writes to', async () => {
  await using place = await tempFolder();
  const [link, pipe, folder] = ['link', 'pipe', 'folder'].map(name => join(place.path, name));
  symlinkSync(await place.write('file', 'x'), link ?? '');
  spawnSync('mkfifo', ['-m', '600', pipe ?? '']);
  mkdirSync(folder ?? '');
  for (const path of [link, pipe, folder]) expect(() => readPrivateFile(path ?? '', uid)).toThrow(NotPrivate);
  for (const path of [link, pipe, folder]) expect(() => checkPrivateFile(path ?? '', uid)).toThrow(NotPrivate);
});

test('a file of another user is refused, one of root is not', async () => {
  await using place = await tempFolder();
  const file = await place.write('file', 'x');
  if (uid === 0) {
    readPrivateFile(file, 12_345);
    chownSync(file, 12_345, 12_345);
  }
  expect(() => readPrivateFile(file, uid === 0 ? 0 : 12_345)).toThrow(
    /^.*file belongs to user \d+, not to user \d+\.$/,
  );
});

test('what is absent is told apart from what is not private', async () => {
  await using place = await tempFolder();
  const read = (): unknown => {
    try {
      return readPrivateFile(join(place.path, 'absent'), uid);
    } catch (error) {
      return isCode(error, 'ENOENT');
    }
  };
  expect(read()).toBe(true);
});

test('a file is put into place once: whoever comes second is told, and changes nothing', async () => {
  await using place = await tempFolder();
  const file = join(place.path, 'file');
  expect(createPrivateBytes(file, 'one', Buffer.from('first'))).toBe(true);
  expect(createPrivateBytes(file, 'two', Buffer.from('second'))).toBe(false);
  expect([readFileSync(file, 'utf8'), modeOf(file), readdirSync(place.path)]).toEqual(['first', '600', ['file']]);
});

test('a file that could not be filled does not appear', async () => {
  await using place = await tempFolder();
  const file = join(place.path, 'file');
  const fill = (temporary: string): never => {
    writeFileSync(temporary, 'half');
    throw new Error('full');
  };
  expect(() => createPrivateFile(file, 'one', fill)).toThrow('full');
  expect(readdirSync(place.path)).toEqual([]);
});
