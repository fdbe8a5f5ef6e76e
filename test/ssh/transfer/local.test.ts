import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Files } from '../../../src/ssh/transfer/files.ts';
import {
  type LocalFile,
  type LocalPlace,
  localPlace,
  makeLocal,
  openLocal,
} from '../../../src/ssh/transfer/local-place.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { failureOf, namesIn } from './ground.ts';
import { startRacer } from './racer.ts';

let temp: TempFolder;
let files: Files;
const at = (...names: readonly string[]): string => join(temp.path, ...names);

beforeAll(async () => {
  temp = await tempFolder('sallyport-local-');
  for (const name of ['root', 'root/in', 'second', 'outside']) await mkdir(at(name), { mode: 0o700 });
  await writeFile(at('outside', 'secret'), 'SECRET');
  await writeFile(at('root', 'in', 'f'), 'mine');
  await symlink(at('outside'), at('root', 'out'));
  await symlink(at('outside', 'secret'), at('root', 'leak'));
  await symlink(at('outside', 'missing'), at('root', 'nowhere'));
  await symlink('in/f', at('root', 'alias'));
  await symlink(at('second'), at('root', 'over'));
  await symlink('loop', at('root', 'loop'));
  await symlink(at('root'), at('door'));
  files = { roots: [at('root'), at('second')], uid: process.getuid?.() };
});
afterAll(async () => {
  await temp.remove();
});

test.each([
  { asked: 'in/f', path: ['root', 'in', 'f'] },
  { asked: 'alias', path: ['root', 'in', 'f'] },
  { asked: './in//f', path: ['root', 'in', 'f'] },
  { asked: 'in/', path: ['root', 'in'] },
  { asked: 'over/new', path: ['second', 'new'] },
  { asked: 'in/not/there/yet', path: ['root', 'in', 'not', 'there', 'yet'] },
  { asked: '.', path: ['root'] },
])('$asked counts from the first folder, and leads to $path', async ({ asked, path }) => {
  expect((await localPlace(files, asked)).path).toBe(at(...path));
});

test('an absolute path may lie in any of the folders, also by the name that a link to one has', async () => {
  const paths = await Promise.all([
    localPlace(files, at('second', 'x')),
    localPlace({ ...files, roots: [at('door')] }, at('door', 'in', 'f')),
    localPlace({ ...files, roots: [at('door')] }, at('root', 'in', 'f')),
  ]);
  expect(paths.map(({ path }) => path)).toEqual([at('second', 'x'), at('root', 'in', 'f'), at('root', 'in', 'f')]);
});

describe('what is outside', () => {
  test.each(['out/secret', 'out/missing', 'leak', 'nowhere', 'loop', '/etc/passwd', '/nothing/at/all', '/'])(
    '%s is refused in the same words, whether or not it is there',
    async asked => {
      const failure = await failureOf(localPlace(files, asked));
      expect([failure.code, failure.text]).toEqual([
        'LOCAL_DENIED',
        `LOCAL_DENIED: local_path ${asked} is not inside a folder that transfers may use. Use a path inside the folder that files.root of config.json names, or ask the operator.`,
      ]);
    },
  );

  test('a name that only begins like a folder is not in it', async () => {
    expect((await failureOf(localPlace(files, `${at('root')}er/f`))).code).toBe('LOCAL_DENIED');
  });

  test.each(['../outside/secret', 'in/../../outside/secret', 'a\0b', 'a\nb', '', '~/x', '~', 'n'.repeat(256)])(
    '%j is no local path',
    async asked => {
      expect((await failureOf(localPlace(files, asked))).code).toBe('INVALID_INPUT');
    },
  );
});

describe('a folder for files', () => {
  test('that nobody has named leaves only text, and says how to name one', async () => {
    const failure = await failureOf(localPlace(undefined, 'f'));
    expect([failure.code, failure.next]).toEqual([
      'LOCAL_DENIED',
      expect.stringContaining('"files": { "root": "FOLDER" }'),
    ]);
  });

  test.each([
    {
      what: 'that others may write to',
      mode: 0o770,
      uid: process.getuid?.(),
      says: /can be written by others: run chmod go-w/,
    },
    { what: 'of somebody else', mode: 0o700, uid: 12_345, says: /belongs to user \d+, not to user 12345/ },
  ])('$what is none, and only the operator hears why', async ({ mode, uid, says }) => {
    await mkdir(at('judged'), { mode });
    await chmod(at('judged'), mode);
    const failure = await failureOf(localPlace({ roots: [at('judged')], uid }, 'f'));
    await rm(at('judged'), { recursive: true });
    expect([failure.code, failure.operator]).toEqual(['LOCAL_DENIED', expect.stringMatching(says)]);
    expect(failure.text).not.toContain(temp.path);
  });

  test('that is missing or a file is none', async () => {
    for (const root of [at('missing'), at('outside', 'secret')])
      expect((await failureOf(localPlace({ roots: [root] }, 'f'))).code).toBe('LOCAL_DENIED');
  });
});

/** What became of opening, many times over: the text that was read, `made`, or the code of the failure. */
const race = async (open: () => Promise<LocalFile>, rounds: number): Promise<ReadonlySet<string>> => {
  const words = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const opened = await open().then(
      file => file,
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'defect'),
    );
    if (typeof opened === 'string') words.add(opened);
    else {
      words.add((await opened.handle.readFile('utf8').catch(() => 'made')) || 'made');
      await opened.handle.close();
    }
  }
  return words;
};

const POSSIBLE = ['mine', 'made', 'LOCAL_DENIED', 'LOCAL_FAILED', 'FILE_MOVED', 'NO_SUCH_FILE', 'FILE_FAILED'];

test('while a folder is moved to and fro, nothing outside is read or stays made', async () => {
  const racer = await startRacer('folder', at('root', 'in'), at('root', 'kept'), at('outside'));
  await writeFile(at('outside', 'f'), 'SECRET');
  const place = (name: string): LocalPlace => ({ path: at('root', 'in', name), root: at('root'), asked: name });
  const reads = await race(async () => await openLocal(place('f')), 3_000);
  let count = 0;
  const makes = await race(async () => await makeLocal(place(`new-${count++}`)), 1_000);
  await racer[Symbol.asyncDispose]();
  expect([...reads, ...makes].filter(word => !POSSIBLE.includes(word))).toEqual([]);
  expect(await namesIn(at('outside'))).toEqual(['f', 'secret']);
  expect(await readFile(at('outside', 'f'), 'utf8')).toBe('SECRET');
}, 30_000);
