import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Log } from '../../src/call.ts';
import { newCommandId } from '../../src/call.ts';
import { socketsIn, withShortPath } from '../../src/console/folder.ts';
import type { Listener } from '../../src/console/listener.ts';
import { openControl } from '../../src/console/open.ts';
import { listingOf } from '../../src/console/talk.ts';
import { Capture } from '../../src/ssh/command/output.ts';
import { type Overseen, Overseer } from '../../src/ssh/overseer.ts';
import { after } from '../../src/ssh/timer.ts';
import { NotPrivate } from '../../src/state/private.ts';
import { realClock } from '../support/clock.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

const uid = process.getuid?.();
const silent: Log = () => undefined;

type Place = { readonly folder: string; readonly overseer: Overseer; readonly listener: Listener };

const open = async (temp: TempFolder, folder = join(temp.path, 'control')): Promise<Place> => {
  const overseer = new Overseer();
  const listener = await openControl({
    ...{ folder, pid: process.pid, uid, clock: realClock, random: randomBytes, log: silent, after, overseer },
    ...{ server: { pid: process.pid, version: '1', grant: 'local' }, connections: () => [], record: () => undefined },
  });
  return { folder, overseer, listener };
};

/** Something that writes what a test says, and ends when it says so. */
const writer = (overseer: Overseer): { id: string; write: (text: string) => void; end: () => void } => {
  const output = new Capture(65_536);
  const id = newCommandId(randomBytes);
  let over = false;
  let settle: (how: string) => void = () => undefined;
  const ended = new Promise<string>(resolve => {
    settle = resolve;
  });
  const one: Overseen = {
    ...{ id, kind: 'command', grant: 'local', host: 'web', what: 'yes', output, ended },
    look: () => ({ status: 'running', durationMs: 1, over }),
    end: async () => ({ outcome: 'confirmed', signals: ['INT'], remaining: [] }),
  };
  overseer.began(one);
  const end = (): void => {
    output.finish();
    over = true;
    settle('exited');
  };
  return { id, write: text => output.take(Buffer.from(text)), end };
};

const nameIn = (folder: string): string => socketsIn(folder, uid)[0]?.name ?? '';
const dial = async (folder: string): Promise<Socket> => {
  const socket = connect(join(folder, nameIn(folder)));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};
const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    if (socket.destroyed) resolve();
    socket.once('close', () => resolve());
  });
/** The answers on a socket so far, as JSON values. */
const hearing = (socket: Socket): (() => readonly Record<string, unknown>[]) => {
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  return () =>
    said
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line));
};
const listing = async (folder: string): Promise<unknown> => await listingOf(folder, nameIn(folder), 10_000);

const LISTING = {
  v: 1,
  answer: 'list',
  server: { pid: process.pid, version: '1', grant: 'local' },
  connections: [],
  open: [],
};

describe('a hostile client', () => {
  test.each([5_000, 10 * 1_048_576])(
    'that sends a line of %d bytes is dropped, and the next is served',
    async bytes => {
      await using temp = await tempFolder();
      const { folder, listener } = await open(temp);
      const socket = await dial(folder);
      socket.write('x'.repeat(bytes));
      await closed(socket);
      expect(await listing(folder)).toEqual(LISTING);
      listener.close();
    },
  );

  test.each([
    ['no JSON', 'hello'],
    ['another version', '{"v":2,"op":"list"}'],
    ['an unknown request', '{"v":1,"op":"run","command":"id"}'],
    ['an unknown member', '{"v":1,"op":"list","more":1}'],
    ['an empty line', ''],
  ])('that sends %s is told what is taken, and may ask again', async (_what, line) => {
    await using temp = await tempFolder();
    const { folder, listener } = await open(temp);
    const socket = await dial(folder);
    const answers = hearing(socket);
    socket.write(`${line}\n`);
    await untilTrue(() => answers().length === 1);
    expect(answers()).toEqual([
      {
        v: 1,
        answer: 'failed',
        code: 'INVALID_INPUT',
        message: 'This server takes requests of version 1: list, watch and end.',
      },
    ]);
    socket.write('{"v":1,"op":"list"}\n');
    await untilTrue(() => answers().length === 2);
    expect(answers()[1]).toEqual(LISTING);
    listener.close();
  });

  test('may send a request in halves, byte by byte, and several at once', async () => {
    await using temp = await tempFolder();
    const { folder, listener } = await open(temp);
    const socket = await dial(folder);
    const answers = hearing(socket);
    for (const character of '{"v":1,"op":"list"}\n{"v":1,"op":"li') socket.write(character);
    socket.write('st"}\n{"v":1,"op":"list"}\n');
    await untilTrue(() => answers().length === 3);
    expect(answers()).toEqual([LISTING, LISTING, LISTING]);
    listener.close();
  });

  test('that opens a thousand connections is turned away from most, and keeps nobody out for long', async () => {
    await using temp = await tempFolder();
    const { folder, listener } = await open(temp);
    const name = nameIn(folder);
    const sockets = Array.from({ length: 1_000 }, () => connect(join(folder, name)).on('error', () => undefined));
    let left = 0;
    for (const socket of sockets)
      socket.resume().once('close', () => {
        left += 1;
      });
    await untilTrue(() => left >= 960);
    expect(await listingOf(folder, name, 1_000)).toBe('turned_away');
    await untilTrue(() => left === 1_000);
    expect(await listing(folder)).toEqual(LISTING);
    listener.close();
  });

  test('that never reads costs a bounded amount of memory, and what it watches goes on', async () => {
    await using temp = await tempFolder();
    const { folder, overseer, listener } = await open(temp);
    const one = writer(overseer);
    const socket = await dial(folder);
    socket.pause();
    socket.write(`{"v":1,"op":"watch","id":"${one.id}"}\n`);
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const block = 'y\n'.repeat(32_768);
    for (let count = 0; count < 400; count += 1) {
      one.write(block);
      if (count % 20 === 0) await new Promise(resolve => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(50 * 1_048_576);
    expect(await listing(folder)).toMatchObject({ open: [{ id: one.id, last_output: 'y' }] });
    socket.destroy();
    listener.close();
  });
});

describe('watching', () => {
  test('at leisure misses the middle, and is not dropped for that', async () => {
    await using temp = await tempFolder();
    const { folder, overseer, listener } = await open(temp);
    const one = writer(overseer);
    const socket = await dial(folder);
    const answers = hearing(socket);
    socket.pause();
    socket.write(`{"v":1,"op":"watch","id":"${one.id}"}\n`);
    for (let round = 0; round < 40; round += 1) {
      one.write('y'.repeat(65_536));
      await new Promise(resolve => setTimeout(resolve, 15));
    }
    one.end();
    socket.resume();
    await untilTrue(() => answers().at(-1)?.answer === 'ended');
    expect(answers().some(({ dropped }) => dropped !== undefined)).toBe(true);
    listener.close();
  });

  test('gives what was recently written, all that is written then, what was missed, and the end', async () => {
    await using temp = await tempFolder();
    const { folder, overseer, listener } = await open(temp);
    const one = writer(overseer);
    one.write('before\n');
    const socket = await dial(folder);
    const answers = hearing(socket);
    socket.write(`{"v":1,"op":"watch","id":"${one.id}"}\n`);
    await untilTrue(() => answers().length === 1);
    one.write('a\n');
    await untilTrue(() => answers().length === 2);
    one.write('z'.repeat(1_000_000));
    one.end();
    await untilTrue(() => answers().at(-1)?.answer === 'ended');
    const [first, second, third] = answers();
    expect([first, second]).toEqual([
      { v: 1, answer: 'output', id: one.id, text: 'before\n' },
      { v: 1, answer: 'output', id: one.id, text: 'a\n' },
    ]);
    expect(third).toMatchObject({ dropped: expect.any(Number) });
    expect(answers().at(-1)).toEqual({ v: 1, answer: 'ended', id: one.id, status: 'exited' });
    const shown = answers().reduce((sum, { text = '', dropped = 0 }) => sum + String(text).length + Number(dropped), 0);
    expect(shown).toBe('before\na\n'.length + 1_000_000);
    listener.close();
  });
});

describe('the place of the socket', () => {
  test('may have a path that is longer than a socket can have', async () => {
    await using temp = await tempFolder();
    const deep = join(temp.path, 'd'.repeat(120), 'control');
    const { folder, listener } = await open(temp, deep);
    expect(await listing(folder)).toEqual(LISTING);
    listener.close();
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([0o770, 0o707])('is refused when others may write to it (mode %o)', async mode => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'control');
    await mkdir(folder);
    await chmod(folder, mode);
    await expect(open(temp)).rejects.toThrow(NotPrivate);
    expect(() => socketsIn(folder, uid)).toThrow(NotPrivate);
  });

  test('that others may read is closed by a server, and refused by whoever asks before', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'control');
    await mkdir(folder);
    await chmod(folder, 0o755);
    expect(() => socketsIn(folder, uid)).toThrow(`${folder} is open to other users: run chmod 700 ${folder}.`);
    const { listener } = await open(temp);
    expect(await listing(folder)).toEqual(LISTING);
    listener.close();
  });

  test('is refused when others may write to the folder above, or when it is only a link', async () => {
    await using temp = await tempFolder();
    await chmod(temp.path, 0o770);
    await expect(open(temp)).rejects.toThrow(`${temp.path} is open to other users (mode 0770)`);
    await chmod(temp.path, 0o700);
    await mkdir(join(temp.path, 'elsewhere'));
    await symlink(join(temp.path, 'elsewhere'), join(temp.path, 'control'));
    await expect(open(temp)).rejects.toThrow('is not a folder, or only a link to one');
  });

  test('is refused when it belongs to somebody else', async () => {
    await using temp = await tempFolder();
    const { folder, listener } = await open(temp);
    const other = (uid ?? 0) + 12_345;
    if (uid === 0) await (await import('node:fs/promises')).chown(folder, other, other);
    expect(() => socketsIn(folder, uid === 0 ? 0 : other)).toThrow(NotPrivate);
    listener.close();
  });

  test('is looked through for sockets alone: a file, a folder or a link of that name is passed over', async () => {
    await using temp = await tempFolder();
    const { folder, listener } = await open(temp);
    const own = nameIn(folder);
    await writeFile(join(folder, `1-${'0'.repeat(16)}.sock`), '');
    await symlink(join(folder, own), join(folder, `2-${'0'.repeat(16)}.sock`));
    await mkdir(join(folder, `3-${'0'.repeat(16)}.sock`));
    expect(socketsIn(folder, uid)).toEqual([{ name: own, pid: process.pid }]);
    listener.close();
  });

  test('is cleaned of a socket that a killed process never finished', async () => {
    await using temp = await tempFolder();
    const first = await open(temp);
    const left = `4-${'0'.repeat(16)}.sock.new`;
    const server = createServer();
    await withShortPath(first.folder, left, path => once(server.listen(path), 'listening'));
    const again = await open(temp);
    expect(await readdir(first.folder)).toContain(left);
    await utimes(join(first.folder, left), 0, 0);
    const last = await open(temp);
    expect(await readdir(first.folder)).not.toContain(left);
    server.close();
    for (const { listener } of [first, again, last]) listener.close();
  });
});

test('a server that never answers is silent, one that talks nonsense too, and one that is gone is removed', async () => {
  await using temp = await tempFolder();
  const { folder, listener } = await open(temp);
  listener.close();
  const names = ['5', '6'].map(pid => `${pid}-${'0'.repeat(16)}.sock`);
  const [mute, mad] = [createServer(socket => void socket.resume()), createServer(socket => void socket.end('{}\n'))];
  await Promise.all([mute, mad].map((server, at) => once(server.listen(join(folder, names[at] ?? '')), 'listening')));
  expect(await listingOf(folder, names[0] ?? '', 50)).toBe('silent');
  expect(await listingOf(folder, names[1] ?? '', 5_000)).toBe('silent');
  expect(await listingOf(folder, `7-${'0'.repeat(16)}.sock`, 5_000)).toBe('dead');
  for (const server of [mute, mad]) server.close();
});
