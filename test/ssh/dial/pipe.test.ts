import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { socketPipe } from '../../../src/ssh/dial/pipe.ts';

/** A pipe over a real socket, and the end of it that listens. */
const laid = async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() satisfies AddressInfo | string | null;
  if (address === null || typeof address === 'string') throw new Error('no port');
  const near = connect(address.port, '127.0.0.1');
  const [[far]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(near, 'connect')]);
  const heard: Buffer[] = [];
  far.on('data', chunk => void heard.push(chunk));
  return {
    ...{ near, far, pipe: socketPipe(near) },
    all: async () => {
      await once(far, 'end');
      return Buffer.concat(heard).toString();
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of [near, far]) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

const numbers = Array.from({ length: 300 }, (_, at) => `${at} `);

test('what is written in one go is one piece, in order, and what is written later is not held back', async () => {
  await using line = await laid();
  for (const number of numbers) line.pipe.stream.write(number);
  const [first] = await once(line.far, 'data');
  expect(String(first)).toBe(numbers.join(''));
  line.pipe.stream.write('later');
  const [second] = await once(line.far, 'data');
  expect([String(second), line.near.writableCorked, line.near.writableLength]).toEqual(['later', 0, 0]);
});

test.each([
  ['its pipe', (line: Awaited<ReturnType<typeof laid>>) => line.pipe.end()],
  ['its stream', (line: Awaited<ReturnType<typeof laid>>) => void line.pipe.stream.end()],
])('what is written right before the end of %s arrives', async (_what, end) => {
  await using line = await laid();
  const all = line.all();
  for (const number of numbers) line.pipe.stream.write(number);
  end(line);
  expect(await all).toBe(numbers.join(''));
});

test('what is written right before it is destroyed is told that it was not, and nothing else is heard', async () => {
  await using line = await laid();
  const told = new Promise<unknown>(resolve => line.pipe.stream.write('lost', error => resolve(error)));
  line.pipe.stream.destroy();
  expect(await told).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
});

test('a write that throws holds nothing back behind it', async () => {
  await using line = await laid();
  const all = line.all();
  expect(() => line.pipe.stream.write(7)).toThrow();
  line.pipe.stream.write('next');
  await Promise.resolve();
  expect(line.near.writableCorked).toBe(0);
  line.pipe.end();
  expect(await all).toBe('next');
});

test('more than the kernel takes at once is held back until there is room, and all of it arrives', async () => {
  await using line = await laid();
  line.far.pause();
  const piece = Buffer.alloc(65_536, 'x');
  let more = true;
  let sent = 0;
  while (more || sent < 16 * 2 ** 20) {
    more = line.pipe.stream.write(piece);
    sent += piece.length;
  }
  let drained = false;
  line.pipe.stream.once('drain', () => {
    drained = true;
  });
  await new Promise(resolve => setImmediate(resolve));
  expect([drained, line.near.writableLength > 0]).toEqual([false, true]);
  line.far.resume();
  await once(line.pipe.stream, 'drain');
  const all = line.all();
  line.pipe.end();
  expect((await all).length).toBe(sent);
});
