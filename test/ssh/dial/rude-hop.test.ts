import { connect } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { reader, run, type TestConnections, testConnections } from '../../support/connections.ts';
import { type Manner, manners, type RudeHost, startRudeHost } from '../../support/rude-host.ts';

/** What a hop does when it is asked to connect to somewhere. */
type Way = (accept: () => ServerChannel, reject: () => void) => void;

const mannerOf = (command: string): Manner => (command === 'wait' ? manners.patient : manners.polite);

let hop: RudeHost;
let web: RudeHost;
let way: Way;
beforeEach(async () => {
  const onReady = (connection: Connection): void => {
    connection.on('tcpip', (accept, reject) => way(accept, () => reject?.()));
  };
  [hop, web] = await Promise.all([startRudeHost({ onReady }), startRudeHost({ exec: mannerOf })]);
});
afterEach(() => Promise.all([hop.close(), web.close()]));

/** Writes what it likes, in whatever state the channel is, as the library would not let it. */
const inside = (channel: ServerChannel) => {
  const { _client: client, outgoing } = channel as unknown as {
    _client: {
      _protocol: Record<'channelEOF' | 'channelClose', (id: number) => void> & {
        channelData: (id: number, data: Buffer) => void;
        channelExtData: (id: number, data: Buffer, type: number) => void;
      };
    };
    outgoing: { id: number };
  };
  const { _protocol: protocol } = client;
  return {
    data: (text: string) => protocol.channelData(outgoing.id, Buffer.from(text)),
    errorData: (text: string) => protocol.channelExtData(outgoing.id, Buffer.from(text), 1),
    eof: () => protocol.channelEOF(outgoing.id),
    close: () => protocol.channelClose(outgoing.id),
  };
};

const open = (parts = {}): TestConnections => {
  const via = hop.host({ name: 'hop', hostKeys: [hop.fingerprint] });
  const target = web.host({ hostKeys: [web.fingerprint], via });
  return testConnections([target, via], { knownHosts: [], connectTimeoutMs: 2_000, ...parts });
};

const HANDSHAKE = /^web \(127\.0\.0\.1:\d+, by way of hop\) closed the connection before the SSH handshake was done\.$/;

test.each<[string, Way, RegExp]>([
  ['refuses it', (_accept, reject) => reject(), /by way of hop, which cannot connect to 127/],
  ['closes it at once', accept => inside(accept()).close(), HANDSHAKE],
  [
    'ends it at once and writes on',
    accept => {
      const { eof, data, errorData, close } = inside(accept());
      eof();
      data('SSH-2.0-late\r\n');
      errorData('late');
      close();
      errorData('later');
    },
    HANDSHAKE,
  ],
  ['says nonsense in the place of the host', accept => accept().end('HTTP/1.1 400 Bad Request\r\n\r\n'), HANDSHAKE],
  ['writes on stderr', accept => inside(accept()).errorData('x'.repeat(30_000)), /did not finish .* within 300 ms/],
  ['says nothing', accept => void accept(), /finish the SSH handshake within 300 ms\.$/],
  ['greets without end', accept => greet(accept()), HANDSHAKE],
])('a hop that %s makes the host unreachable, and goes on being a host itself', async (_what, manner, message) => {
  way = manner;
  using connections = open({ connectTimeoutMs: 300 });
  await run(connections, 'first', { host: 'hop' });
  const failure: Failure = await run(connections, 'x').catch(error => error);
  expect([failure.code, failure.message]).toEqual(['UNREACHABLE', expect.stringMatching(message)]);
  expect(await run(connections, 'next', { host: 'hop' })).toMatchObject({ stdout: 'ran: next', code: 0 });
  expect([hop.seen.connections, web.seen.connections]).toEqual([1, 0]);
});

/** Greetings, each a line of its own, as long as anybody takes them. */
const greet = (channel: ServerChannel): void => {
  const line = (): void =>
    void (channel.writable && channel.write(`${'g'.repeat(1_000)}\r\n`, () => setImmediate(line)));
  channel.on('error', () => {});
  line();
};

test('a hop that connects after the time was over is not listened to any more', async () => {
  let late: (() => ServerChannel) | undefined;
  way = accept => {
    late = accept;
  };
  using connections = open({ connectTimeoutMs: 200 });
  const failure: Failure = await run(connections, 'x').catch(error => error);
  expect(failure.message).toMatch(/^web \(.*, by way of hop\) did not answer within 200 ms\.$/);
  const channel = late?.();
  await new Promise(resolve => channel?.on('close', resolve).resume());
});

/** Connects where it is asked to, until it is told to do something else. */
const honest = (): { readonly way: Way; readonly channels: ServerChannel[] } => {
  const channels: ServerChannel[] = [];
  const way: Way = accept => {
    const channel = accept();
    const socket = connect(web.port, '127.0.0.1').on('error', () => {});
    channel
      .on('error', () => {})
      .pipe(socket)
      .pipe(channel);
    channels.push(channel);
  };
  return { way, channels };
};

test.each<[string, (channel: ServerChannel) => void]>([
  ['closes the way', channel => inside(channel).close()],
  ['ends the way', channel => inside(channel).eof()],
  ['writes nonsense into it', channel => inside(channel).data('nonsense'.repeat(1_000))],
])('a hop that %s while a command runs loses it, and the next goes a new way', async (_what, spoil) => {
  const far = honest();
  way = far.way;
  using connections = open();
  const { attach, ran } = reader();
  await connections.get('web').exec('wait', { attach });
  spoil(far.channels[0] ?? expect.unreachable());
  expect(await ran).toMatchObject({ code: undefined });
  expect(await run(connections, 'next')).toMatchObject({ stdout: 'ran: next', code: 0 });
  expect([hop.seen.connections, web.seen.connections]).toEqual([1, 2]);
});
