import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { edited, entriesIn } from '../../src/config/edit.ts';
import { takeLock } from '../../src/config/lock.ts';
import { type Rewriting, rewrite, undo } from '../../src/config/rewrite.ts';
import { bundle } from '../state/bundle.ts';
import { type ManualClock, manualClock, realClock } from '../support/clock.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

type Place = AsyncDisposable & { readonly folder: TempFolder; readonly file: Rewriting; readonly path: string };

const place = async (more: Partial<Rewriting> = {}): Promise<Place> => {
  const folder = await tempFolder();
  const path = join(folder.path, 'c', 'config.json');
  const file: Rewriting = {
    ...{ path, history: join(folder.path, 'undo'), uid: process.getuid?.(), clock: manualClock() },
    unique: () => randomBytes(8).toString('hex'),
    pause: async () => undefined,
    ...more,
  };
  return { folder, file, path, [Symbol.asyncDispose]: () => folder.remove() };
};

const add = async ({ file, path }: Place, name: string): Promise<void> =>
  await rewrite(file, `added ${name}`, text =>
    edited(text, path, { change: 'add', name, entry: { address: name, user: 'u' } }),
  );
const namesIn = (path: string): readonly string[] => Object.keys(entriesIn(readFileSync(path, 'utf8'), path));

test('a first file is 0600 in folders 0700, and undoing it leaves none', async () => {
  await using at = await place();
  await add(at, 'a');
  expect([statSync(at.path).mode & 0o777, statSync(join(at.path, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(readdirSync(join(at.path, '..'))).toEqual(['config.json']);
  expect(await undo(at.file)).toEqual(expect.objectContaining({ what: 'added a', before: null, file: at.path }));
  expect(existsSync(at.path)).toBe(false);
});

test('the mode stays, and a link leads on to its file', async () => {
  await using at = await place();
  const real = await at.folder.write('dotfiles/mine.json', '{ "hosts": {} }', 0o640);
  await at.folder.write('c/other', '');
  symlinkSync(real, at.path);
  await add(at, 'a');
  expect([namesIn(real), statSync(real).mode & 0o777, readdirSync(join(real, '..'))]).toEqual([
    ['a'],
    0o640,
    ['mine.json'],
  ]);
});

test('a link to nothing, a file that others may write, and bytes that are no text stay as they are', async () => {
  await using at = await place();
  await at.folder.write('c/other', '');
  symlinkSync(join(at.folder.path, 'nowhere'), at.path);
  await expect(add(at, 'a')).rejects.toThrow('is a link to nothing');
  await using second = await place();
  await second.folder.write('c/config.json', '{}');
  chmodSync(second.path, 0o622);
  await expect(add(second, 'a')).rejects.toThrow('open to other users');
  await using third = await place();
  await third.folder.write('c/config.json', Buffer.from([...Buffer.from('{} // '), 0xe9]));
  await expect(add(third, 'a')).rejects.toThrow('not UTF-8');
  expect(readFileSync(third.path)).toEqual(Buffer.from([...Buffer.from('{} // '), 0xe9]));
});

test('what the edit throws leaves everything as it is', async () => {
  await using at = await place();
  await add(at, 'a');
  const before = readFileSync(at.path, 'utf8');
  await expect(add(at, 'a')).rejects.toThrow('"a" is taken');
  expect([readFileSync(at.path, 'utf8'), readdirSync(join(at.path, '..')), readdirSync(at.file.history)]).toEqual([
    before,
    ['config.json'],
    ['00000001.json'],
  ]);
});

test('an edit by somebody else in the same moment is seen, and not lost', async () => {
  await using at = await place();
  await at.folder.write('c/config.json', '{ "hosts": {} }');
  let meddled = 0;
  await rewrite(at.file, 'added b', text => {
    if (meddled === 0) writeFileSync(at.path, '{ "hosts": { "theirs": { "address": "x" } } }');
    meddled += 1;
    return edited(text, at.path, { change: 'add', name: 'b', entry: { address: 'b' } });
  });
  expect([namesIn(at.path), readdirSync(at.file.history)]).toEqual([['theirs', 'b'], ['00000001.json']]);
});

test('an editor that never rests is given up on', async () => {
  await using at = await place();
  let round = 0;
  await at.folder.write('c/config.json', '{}');
  const work = rewrite(at.file, 'x', text => {
    round += 1;
    writeFileSync(at.path, `{ "hosts": {} } // ${round}`);
    return edited(text, at.path, { change: 'add', name: 'b', entry: {} });
  });
  await expect(work).rejects.toMatchObject({ code: 'CONFIG_UNAVAILABLE' });
  expect([readFileSync(at.path, 'utf8'), readdirSync(at.file.history)]).toEqual([`{ "hosts": {} } // ${round}`, []]);
});

test('changes are undone one by one, the last ten of them, and none after an edit by hand', async () => {
  await using at = await place();
  for (let number = 0; number < 12; number += 1) await add(at, `h${number}`);
  expect(statSync(at.file.history).mode & 0o777).toBe(0o700);
  expect(readdirSync(at.file.history).map(name => statSync(join(at.file.history, name)).mode & 0o777)).toEqual(
    Array.from({ length: 10 }, () => 0o600),
  );
  for (let number = 11; number >= 2; number -= 1) expect((await undo(at.file))?.what).toBe(`added h${number}`);
  expect(await undo(at.file)).toBeUndefined();
  expect(namesIn(at.path)).toEqual(['h0', 'h1']);
  await add(at, 'h2');
  const changed = `${readFileSync(at.path, 'utf8')}// by hand\n`;
  writeFileSync(at.path, changed);
  expect(await undo(at.file)).toBeUndefined();
  expect(readFileSync(at.path, 'utf8')).toBe(changed);
});

test('files that share a state are undone each by itself', async () => {
  await using at = await place();
  const other: Place = {
    ...at,
    path: join(at.folder.path, 'c', 'other.json'),
    file: { ...at.file, path: join(at.folder.path, 'c', 'other.json') },
  };
  await add(at, 'a');
  await add(other, 'b');
  expect((await undo(at.file))?.what).toBe('added a');
  expect([existsSync(at.path), namesIn(other.path)]).toEqual([false, ['b']]);
});

test('a lock that a dead process left behind is taken over once it has stood still for five seconds', async () => {
  const clock: ManualClock = manualClock();
  let pauses = 0;
  const pause = async (ms: number): Promise<void> => {
    pauses += 1;
    clock.advance(ms);
  };
  await using at = await place({ clock, pause });
  await at.folder.write('c/config.json.lock', 'dead');
  await at.folder.write('c/config.json.dead.edit', 'half a te');
  utimesSync(join(at.path, '..', 'config.json.lock'), 0, 0);
  const begin = clock.monoMs();
  await add(at, 'a');
  expect({ waited: clock.monoMs() - begin, paused: pauses > 100, left: readdirSync(join(at.path, '..')) }).toEqual({
    waited: 5_010,
    paused: true,
    left: ['config.json'],
  });
});

test('one that living processes hold in turn is waited for, and not for ever', async () => {
  const clock = manualClock();
  await using folder = await tempFolder();
  const path = await folder.write('x.lock', '0');
  const pause = async (ms: number): Promise<void> => {
    clock.advance(ms);
    writeFileSync(path, String(clock.monoMs()));
  };
  expect(await takeLock(path, { clock, pause, unique: () => 'me' })).toBeUndefined();
  expect(readFileSync(path, 'utf8')).not.toBe('me');
});

const start = (program: string, { path, file }: Place, name: string, count: number): ChildProcess =>
  spawn(process.execPath, [program, path, file.history, name, `${count}`], { stdio: ['ignore', 'pipe', 'inherit'] });

test('eight processes add eight hosts each: none is lost', async () => {
  await using at = await place();
  const program = await bundle('test/config/rewrite.worker.ts', at.folder.path);
  const names = Array.from({ length: 8 }, (_, number) => `p${number}`);
  const children = names.map(name => start(program, at, name, 8));
  const codes = await Promise.all(children.map(async child => (await once(child, 'exit'))[0]));
  const wanted = names.flatMap(name => Array.from({ length: 8 }, (_, number) => `${name}-${number}`));
  expect(codes).toEqual(names.map(() => 0));
  expect([...namesIn(at.path)].sort()).toEqual(wanted.sort());
  expect(readdirSync(join(at.path, '..'))).toEqual(['config.json']);
});

test('a kill at any moment leaves the old text or the new, and the next process goes on', async () => {
  await using at = await place({ clock: realClock, pause: ms => new Promise(resolve => setTimeout(resolve, ms)) });
  const program = await bundle('test/config/rewrite.worker.ts', at.folder.path);
  await add(at, 'first');
  let told: readonly string[] = ['first'];
  for (let round = 0; round < 12; round += 1) {
    const child = start(program, at, `k${round}`, 10_000);
    let said = '';
    child.stdout?.setEncoding('utf8');
    const mark = 1 + ((round * 7) % 5);
    await new Promise<void>(resolve => {
      child.stdout?.on('data', (chunk: string) => {
        said += chunk;
        if (said.split('\n').length > mark) setTimeout(resolve, (round * 3) % 7);
      });
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    told = [...told, ...said.split('\n').filter(Boolean)];
    const names = namesIn(at.path);
    expect(told.filter(name => !names.includes(name))).toEqual([]);
    expect(names.length - told.length).toBeLessThanOrEqual(round + 1);
    // The clocks of the test need not wait for a dead process' lock.
    const lock = `${at.path}.lock`;
    rmSync(lock, { force: true });
  }
  await add(at, 'last');
  expect([namesIn(at.path).at(-1), readdirSync(join(at.path, '..'))]).toEqual(['last', ['config.json']]);
});
