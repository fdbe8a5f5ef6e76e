import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { takeOver } from '../../../src/ssh/openssh/control.ts';
import { Mux } from '../../../src/ssh/openssh/mux.ts';
import type { MuxChannel } from '../../../src/ssh/openssh/mux-channel.ts';
import { openSession } from '../../../src/ssh/openssh/open-session.ts';
import { BrokenMessage, fieldsOf, frame, type Part, splitter } from '../../../src/ssh/packet.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(() => temp.remove());

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const control = (type: number, ...parts: readonly Part[]): Buffer => frame(uint32(type), parts);
const packet = (type: number, ...parts: readonly Part[]): Buffer => frame(Buffer.of(0, type), parts);
const POLITE = [control(1, 4), control(0x80000001, 1), control(0x8000000f, 2)];

/** A small generator of numbers below a bound that is the same in every run. */
const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

let sockets = 0;

/** What speaks as a master would, or as it likes; `sent` is what came of our channels. */
const master = async (hello: readonly Buffer[] = POLITE, window?: number) => {
  const path = join(temp.path, `s${sockets++}`);
  const sent: { type: number; body: Buffer }[] = [];
  let theirs: Socket | undefined;
  let heard = 0;
  const take = splitter(message => {
    if (heard++ >= 3) sent.push({ type: message[1] ?? 0, body: message.subarray(2) });
  });
  const server = createServer(socket => {
    theirs = socket.on('error', () => {}).on('data', take);
    for (const bytes of hello) socket.write(bytes);
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  const socket = connect(path).on('error', () => {});
  const mux = new Mux(socket, window);
  socket.on('close', () => mux.lose());
  const broken: string[] = [];
  const taken = takeOver(
    socket,
    message => mux.hear(message),
    error => broken.push(error.message),
  );
  return {
    mux,
    taken,
    broken,
    sent,
    say: (...bytes: readonly Buffer[]) => theirs?.write(Buffer.concat(bytes)),
    hangUp: () => theirs?.destroy(),
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      theirs?.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
};

type Master = Awaited<ReturnType<typeof master>>;

/** A channel that a master has confirmed as its number 9, with this window. */
const channelOn = async ({ mux, say, sent, taken }: Master, window = 100_000, most = 32_768): Promise<MuxChannel> => {
  await taken;
  const opened = new Promise<MuxChannel>((resolve, reject) =>
    mux.open('session', [], { opened: resolve, refused: reject, gone: () => reject(new Error('gone')) }),
  );
  await untilTrue(() => sent.some(({ type }) => type === 90));
  say(packet(91, 1, 9, window, most));
  return await opened;
};

test('messages are cut right, however the stream was cut', () => {
  const next = generator(5);
  const messages = Array.from({ length: 200 }, (_, at) => Buffer.alloc(next(4) === 0 ? next(70_000) : next(40), at));
  const stream = Buffer.concat(messages.map(message => Buffer.concat([uint32(message.length), message])));
  const got: Buffer[] = [];
  const take = splitter(message => got.push(Buffer.from(message)));
  for (let at = 0; at < stream.length; ) {
    const size = 1 + next(next(3) === 0 ? 100_000 : 7);
    take(stream.subarray(at, at + size));
    at += size;
  }
  expect(got.length).toBe(messages.length);
  expect(Buffer.concat(got).equals(Buffer.concat(messages))).toBe(true);
});

test('a message that says it is longer than any can be is broken, before room is made for it', () => {
  expect(() => splitter(() => {})(uint32(262_145))).toThrow(BrokenMessage);
  expect(() => fieldsOf(Buffer.from([0, 0, 0, 9, 1])).bytes()).toThrow(BrokenMessage);
});

describe('taking over a master', () => {
  test('succeeds with one that agrees to listen to nobody else and to pass messages on', async () => {
    await using one = await master();
    await one.taken;
    expect(one.mux.isOpen).toBe(true);
  });

  test.each([
    ['speaks another version', [control(1, 5)], 'refuses'],
    ['goes on listening', [control(1, 4), control(0x80000003, 1, 'no')], 'refuses'],
    ['passes nothing on', [control(1, 4), control(0x80000001, 1), control(0x80000002, 2, 'no')], 'refuses'],
    ['answers another question', [control(1, 4), control(0x80000001, 2)], 'refuses'],
    ['speaks something else', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], 'too long'],
    ['says too little', [frame(Buffer.of(1), [])], 'too short'],
  ])('fails with one that %s', async (_what, hello, why) => {
    await using one = await master(hello);
    await expect(one.taken).rejects.toThrow(why);
    await untilTrue(() => !one.mux.isOpen);
  });

  test('fails with one that hangs up', async () => {
    await using one = await master([control(1, 4)]);
    await setTimeout(20);
    one.hangUp();
    await expect(one.taken).rejects.toThrow('hung up');
  });
});

describe('a channel', () => {
  test('sends what the window of the host allows, in packets as small as it wants, and goes on when it grows', async () => {
    await using one = await master();
    const channel = await channelOn(one, 10, 4);
    channel.write('0123456789abcdef');
    channel.end();
    const data = () => one.sent.filter(({ type }) => type === 94).map(({ body }) => body.subarray(8).toString());
    await untilTrue(() => data().length === 3);
    one.say(packet(93, 1, 3));
    await untilTrue(() => data().length === 4);
    expect([data(), one.sent.some(({ type }) => type === 96)]).toEqual([['0123', '4567', '89', 'abc'], false]);
    one.say(packet(93, 1, 100));
    await untilTrue(() => one.sent.some(({ type }) => type === 96));
    expect(data().join('')).toBe('0123456789abcdef');
  });

  test('gives the window back as it is read, and not before', async () => {
    await using one = await master(POLITE, 1_000_000);
    const channel = await channelOn(one);
    channel.stderr.resume();
    const adjusted = () => one.sent.filter(({ type }) => type === 93).map(({ body }) => body.readUInt32BE(4));
    for (let at = 0; at < 30; at++) one.say(packet(94, 1, Buffer.alloc(32_000, at)));
    await untilTrue(() => channel.readableLength === 960_000);
    expect(adjusted()).toEqual([]);
    channel.resume();
    await untilTrue(() => adjusted().length > 0);
    expect(adjusted().reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(500_000);
    expect(one.broken).toEqual([]);
  });

  test('says how it ended once, before it closes, and closes once everything was read', async () => {
    await using one = await master();
    const channel = await channelOn(one);
    const events: unknown[] = [];
    channel
      .on('exit', (...how) => events.push(['exit', ...how]))
      .on('close', (...how) => events.push(['close', ...how]));
    one.say(
      packet(98, 1, 'exit-signal', false, 'TERM', false, '', ''),
      packet(98, 1, 'exit-status', false, 3),
      packet(94, 1, 'out'),
      packet(95, 1, 1, 'err'),
      packet(95, 1, 7, 'neither'),
      packet(96, 1),
      packet(97, 1),
    );
    await untilTrue(() => one.sent.some(({ type }) => type === 97));
    await setTimeout(20);
    expect(events).toEqual([['exit', null, 'SIGTERM']]);
    const texts = await Promise.all([channel, channel.stderr].map(async stream => (await stream.toArray()).join('')));
    await untilTrue(() => events.length === 2);
    expect([texts, events[1]]).toEqual([
      ['out', 'err'],
      ['close', null, 'SIGTERM'],
    ]);
  });

  test('is silent after it has closed, and answers no to what it is asked before', async () => {
    await using one = await master(POLITE, 65_536);
    const channel = await channelOn(one);
    one.say(packet(98, 1, 'keepalive@openssh.com', true), packet(90, 'forwarded-tcpip', 77, 1, 1));
    await untilTrue(() => one.sent.length === 3);
    expect(one.sent.slice(1).map(({ type, body }) => [type, body.readUInt32BE()])).toEqual([
      [100, 9],
      [92, 77],
    ]);
    channel.close();
    channel.eof();
    channel.setWindow(1, 1, 1, 1);
    channel.write('late');
    expect([channel.alive, channel.request('signal', ['TERM']), one.mux.has(channel), one.mux.has({})]).toEqual([
      false,
      false,
      true,
      false,
    ]);
    one.say(packet(94, 1, Buffer.alloc(32_000)), packet(94, 1, Buffer.alloc(32_000)));
    channel.resume();
    await setTimeout(20);
    expect(one.sent.slice(3).map(({ type }) => type)).toEqual([97]);
  });

  test('is closed without a status when the connection ends, after what came was read', async () => {
    await using one = await master();
    const channel = await channelOn(one);
    one.say(packet(94, 1, 'last words'));
    await once(channel, 'readable');
    one.hangUp();
    await untilTrue(() => !one.mux.isOpen);
    const closed = once(channel, 'close');
    channel.stderr.resume();
    expect((await channel.toArray()).join('')).toBe('last words');
    expect(await closed).toEqual([]);
  });
});

describe('a host that', () => {
  test.each([
    ['sends more than its window', [packet(94, 1, Buffer.alloc(32_000)), packet(94, 1, Buffer.alloc(40_000))]],
    ['grants more than there is', [packet(93, 1, 0xffff_ffff), packet(93, 1, 0xffff_ffff)]],
    ['answers what nobody asked', [packet(99, 1)]],
    ['confirms what is open', [packet(91, 1, 9, 1, 1)]],
    ['speaks of channels that there are not', [packet(94, 5, 'x')]],
    ['ends a message early', [frame(Buffer.of(0, 94), [1])]],
    ['sends an empty message', [uint32(0)]],
    ['sends nonsense', [Buffer.from('SSH-2.0-OpenSSH_9.9\r\n')]],
    ['sends a message of the key exchange for a channel', [packet(101, 1)]],
  ])('%s is not listened to any more, and its channels end', async (_what, bytes) => {
    await using one = await master(POLITE, 65_536);
    const channel = await channelOn(one);
    const closed = once(channel.resume(), 'close');
    channel.stderr.resume();
    one.say(...bytes);
    expect(await closed).toEqual([]);
    expect([one.broken.length, one.mux.isOpen]).toEqual([1, false]);
  });

  test('sends whatever bytes ends its connection at worst', async () => {
    const next = generator(23);
    for (let round = 0; round < 60; round++) {
      await using one = await master();
      const channel = await channelOn(one);
      channel.resume();
      channel.stderr.resume();
      for (let at = next(30); at > 0; at--) {
        const body = Buffer.from(Array.from({ length: next(40) }, () => (next(3) === 0 ? next(256) : next(3))));
        one.say(next(8) === 0 ? body : frame(Buffer.of(0, 80 + next(24), 0, 0, 0, next(3)), [body]));
      }
      await setTimeout(5);
    }
  });

  test('opens no channel is told apart, and its number is used again', async () => {
    await using one = await master();
    await one.taken;
    const host = { name: 'web', user: 'deploy' } as Host;
    const opening = openSession(one.mux, host, 'true', { pause: setTimeout });
    await untilTrue(() => one.sent.length === 1);
    one.say(packet(92, 1, 2, 'open failed', ''));
    expect(await opening).toEqual({ how: 'refused', reason: 2 });
    expect(one.mux.isOpen).toBe(true);
  });

  test('says yes within a second after it was given up has the command handed out, to be stopped properly', async () => {
    await using one = await master();
    await one.taken;
    const giveUp = new AbortController();
    const host = { name: 'web', user: 'deploy' } as Host;
    let passed: () => void = () => {};
    const pause = () =>
      new Promise<void>(resolve => {
        passed = resolve;
      });
    const opening = openSession(one.mux, host, 'true', { pause, signal: giveUp.signal });
    await untilTrue(() => one.sent.length === 1);
    one.say(packet(91, 1, 9, 100, 100));
    await untilTrue(() => one.sent.length === 2);
    giveUp.abort();
    one.say(packet(99, 1));
    expect((await opening).how).toBe('open');
    passed();
    await setTimeout(5);
    expect(one.sent.map(({ type }) => type)).toEqual([90, 98]);
  });

  test('confirms a session that was given up gets it closed, and is never sent the command', async () => {
    await using one = await master();
    await one.taken;
    const giveUp = new AbortController();
    const host = { name: 'web', user: 'deploy' } as Host;
    const opening = openSession(one.mux, host, 'never', { pause: setTimeout, signal: giveUp.signal });
    await untilTrue(() => one.sent.length === 1);
    giveUp.abort();
    await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' });
    one.say(packet(91, 1, 9, 100, 100));
    await untilTrue(() => one.sent.length === 2);
    expect(one.sent[1]?.type).toBe(97);
  });
});

test('what may come unread over all channels stays below what OpenSSH keeps', async () => {
  await using one = await master(POLITE, 16 * 2 ** 20);
  await one.taken;
  const none = { opened: () => {}, refused: () => {}, gone: () => {} };
  for (let at = 0; at < 100; at++) one.mux.open('session', [], none);
  await untilTrue(() => one.sent.length === 100);
  const windows = one.sent.map(({ body }) => body.readUInt32BE(15));
  expect([windows[0], windows.reduce((sum, size) => sum + size, 0) < 128 * 2 ** 20]).toEqual([16 * 2 ** 20, true]);
  expect(Math.min(...windows)).toBe(65_536);
});
