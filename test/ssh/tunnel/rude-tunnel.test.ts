import { once } from 'node:events';
import { connect } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import { afterEach, expect, test } from 'vitest';
import { type After, after } from '../../../src/ssh/timer.ts';
import { testFleet } from '../../support/fleet.ts';
import { type RudeHost, startRudeHost } from '../../support/rude-host.ts';
import { untilTrue } from '../../support/until.ts';
import { ask, echo, reach, type Service, service, tunnelOn } from './tunnels.ts';

/** What a host does when it is asked to listen, or to listen no longer; `answer` says yes with a port, or no. */
type Listener = (answer: (port: number | false) => void, name: string) => void;
/** What it does when it is asked to connect to somewhere. */
type Dialler = (accept: () => ServerChannel, reject: () => void) => void;

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const rude = async ({
  listen = answer => answer(7_000),
  dial = (_accept, reject) => reject(),
}: {
  listen?: Listener;
  dial?: Dialler;
}): Promise<{ readonly host: RudeHost; readonly connections: Connection[] }> => {
  const connections: Connection[] = [];
  const host = await startRudeHost({
    onReady: connection => {
      connections.push(connection);
      connection.on('request', (accept, reject, name) =>
        listen(port => (port === false ? reject?.() : accept?.(port)), String(name)),
      );
      connection.on('tcpip', (accept, reject) => dial(accept, () => reject?.()));
    },
  });
  open.push(host);
  return { host, connections };
};

const fleetOf = (host: RudeHost, parts = {}) =>
  testFleet(host.host({ hostKeys: [host.fingerprint] }), { knownHosts: host.knownHosts, ...parts });

const echoes = async (): Promise<Service> => {
  const made = await service(echo);
  open.push({ close: async () => await made[Symbol.asyncDispose]() });
  return made;
};

/** What becomes of a connection that a host claims to have been made to one of its own ports. */
const claim = (connection: Connection | undefined, address: string, port: number): Promise<ServerChannel | string> =>
  new Promise(resolve => {
    connection?.forwardOut(address, port, '127.0.0.1', 1, (error, channel) => {
      resolve(error ? 'refused' : (channel as unknown as ServerChannel));
    });
  });

test('a host that was asked to listen is let in there, and nowhere else, and no longer than it was asked to', async () => {
  const { port } = await echoes();
  const { host, connections } = await rude({});
  using web = fleetOf(host);
  const tunnel = await tunnelOn(web, { host: '127.0.0.1', port }, { direction: 'remote' });
  expect(tunnel.view.listenPort).toBe(7_000);
  const [connection] = connections;
  for (const [address, at] of [
    ['127.0.0.1', 7_001],
    ['127.0.0.1', 0],
    ['0.0.0.0', 7_000],
    ['localhost', 7_000],
    ['', 7_000],
    ['127.0.0.1', 7_000 + 65_536],
  ] as const)
    expect([address, at, await claim(connection, address, at)]).toEqual([address, at, 'refused']);
  const channel = await claim(connection, '127.0.0.1', 7_000);
  if (typeof channel === 'string') expect.unreachable();
  channel.write('there');
  expect(String((await once(channel, 'data'))[0])).toBe('there');
  const closed = once(channel.resume(), 'close');
  await tunnel.close();
  await closed;
  expect(await claim(connection, '127.0.0.1', 7_000)).toBe('refused');
});

test('a host that says to listen twice on one port is believed once', async () => {
  const { port } = await echoes();
  const { host, connections } = await rude({});
  using web = fleetOf(host);
  const first = await tunnelOn(web, { host: '127.0.0.1', port }, { direction: 'remote' });
  const failure = await tunnelOn(web, { host: '127.0.0.1', port: 1 }, { direction: 'remote' }).catch(error => error);
  expect(failure).toMatchObject({ code: 'UNSUPPORTED' });
  const channel = await claim(connections[0], '127.0.0.1', 7_000);
  if (typeof channel === 'string') expect.unreachable();
  channel.write('first');
  expect(String((await once(channel, 'data'))[0])).toBe('first');
  expect(await first.look()).toMatchObject({ state: 'open', connections: 1 });
});

test.each([0, 70_000, 4_294_967_295])('a host that says to listen on port %d is not believed', async port => {
  const { host } = await rude({ listen: answer => answer(port) });
  using web = fleetOf(host);
  await expect(tunnelOn(web, { host: '127.0.0.1', port: 1 }, { direction: 'remote' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
});

test('a host that does not answer whether it listens is not waited for without end', async () => {
  const soon: After = (ms, run) => after(ms === 15_000 ? 100 : ms, run);
  const { host } = await rude({ listen: () => undefined });
  using web = fleetOf(host, { after: soon });
  await expect(tunnelOn(web, { host: '127.0.0.1', port: 1 }, { direction: 'remote' })).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: 'The host did not say within 15000 ms whether it listens.',
  });
});

test('a host that does not answer that it listens no longer keeps nobody waiting', async () => {
  const soon: After = (ms, run) => after(ms === 2_000 ? 50 : ms, run);
  const { host } = await rude({ listen: (answer, name) => (name === 'tcpip-forward' ? answer(7_000) : undefined) });
  using web = fleetOf(host, { after: soon });
  const tunnel = await tunnelOn(web, { host: '127.0.0.1', port: 1 }, { direction: 'remote' });
  expect(await tunnel.close()).toMatchObject({ state: 'ended' });
});

test('a host that opens more connections than fit is refused them', async () => {
  const { port } = await echoes();
  const { host, connections } = await rude({});
  using web = fleetOf(host, { caps: { tunnelConnections: 4 } });
  const tunnel = await tunnelOn(web, { host: '127.0.0.1', port }, { direction: 'remote' });
  const claims = await Promise.all(Array.from({ length: 300 }, () => claim(connections[0], '127.0.0.1', 7_000)));
  expect(claims.filter(one => one !== 'refused')).toHaveLength(4);
  expect(await tunnel.look()).toMatchObject({ connections: 4, total: 300, failed: 296 });
});

test('a host that never answers a connection holds it for a while, and a late answer is taken back', async () => {
  const soon: After = (ms, run) => after(ms === 30_000 ? 100 : ms, run);
  let late: (() => ServerChannel) | undefined;
  const { host } = await rude({
    dial: accept => {
      late = accept;
    },
  });
  using web = fleetOf(host, { after: soon });
  const tunnel = await tunnelOn(web, { host: 'db', port: 5432 });
  expect(await ask(tunnel.view.listenPort, 'x')).toBe('broken off');
  expect(await tunnel.look()).toMatchObject({
    ...{ connections: 0, failed: 1 },
    why: 'The other end was not there within 30000 ms.',
  });
  const channel = late?.();
  await new Promise(resolve => channel?.on('close', resolve).resume());
});

test('a client that gives up while its connection is opened leaves nothing', async () => {
  let accepted: (() => ServerChannel) | undefined;
  const { host } = await rude({
    dial: accept => {
      accepted = accept;
    },
  });
  using web = fleetOf(host);
  const tunnel = await tunnelOn(web, { host: 'db', port: 5432 });
  const socket = await reach(tunnel.view.listenPort);
  await untilTrue(() => accepted !== undefined);
  socket.resetAndDestroy();
  const channel = accepted?.();
  await new Promise(resolve => channel?.on('close', resolve).resume());
  await untilTrue(async () => (await tunnel.look()).connections === 0);
});

test('a host that grants a channel without end is written to no faster than it reads', async () => {
  const sockets: { pause: () => void; resume: () => void }[] = [];
  const { host } = await rude({
    dial: accept => {
      const channel = accept();
      const { _client: client, outgoing } = channel as unknown as {
        _client: {
          _protocol: { channelWindowAdjust: (id: number, bytes: number) => void };
          _sock: (typeof sockets)[0];
        };
        outgoing: { id: number };
      };
      client._protocol.channelWindowAdjust(outgoing.id, 2 ** 31);
      channel.resume();
      sockets.push(client._sock);
      setTimeout(() => client._sock.pause(), 50);
    },
  });
  using web = fleetOf(host);
  const tunnel = await tunnelOn(web, { host: 'db', port: 5432 });
  const socket = connect(tunnel.view.listenPort, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  await new Promise(resolve => setTimeout(resolve, 200));
  let taken = 0;
  while (taken < 64 * 2 ** 20 && socket.writableLength < 2 ** 20) {
    taken += 65_536;
    if (!socket.write(Buffer.alloc(65_536))) await new Promise(resolve => setTimeout(resolve, 20));
  }
  expect((await tunnel.look()).bytesOut).toBeLessThan(16 * 2 ** 20);
  sockets[0]?.resume();
  socket.destroy();
});
