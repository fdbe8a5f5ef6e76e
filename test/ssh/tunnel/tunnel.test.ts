import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { lifeOf, testFleet } from '../../support/fleet.ts';
import { freePort, type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';
import { digest, echo, exchange, listens, reach, type Service, service, tell, together, tunnelOn } from './tunnels.ts';

let sshd: Sshd;
let echoes: Service;
let host: Host;
beforeAll(async () => {
  [sshd, echoes] = await Promise.all([startSshd(), service(echo)]);
  host = await sshd.host();
});
afterAll(async () => {
  await sshd.close();
  await echoes[Symbol.asyncDispose]();
});

const fleetOf = (more: Partial<Host> = {}, parts = {}) =>
  testFleet({ ...host, ...more }, { knownHosts: sshd.knownHosts, ...parts });

const here = (port: number) => ({ host: '127.0.0.1', port });

const WAYS = [
  ['local', 'ssh2'],
  ['local', 'openssh'],
  ['remote', 'ssh2'],
] as const;

describe.each(WAYS)('a %s tunnel by %s', (direction, transport) => {
  test('carries 1,000 connections, 32 at a time, each with a payload of its own', async () => {
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(echoes.port), { direction });
    expect(await exchange(tunnel.view.listenPort, 1_000, 32)).toBe(1_000);
    const { bytesOut, bytesIn, ...now } = await tunnel.close();
    expect(now).toMatchObject({ state: 'ended', connections: 0, total: 1_000, failed: 0, reconnects: 0 });
    expect(bytesOut).toBeGreaterThan(1_000_000);
    expect(bytesIn).toBe(bytesOut);
    expect(await listens(tunnel.view.listenPort)).toBe(false);
  }, 60_000);

  test('carries 1,000 connections that are open at once, each with a payload of its own', async () => {
    using web = fleetOf({ transport }, { caps: { tunnelConnections: 1_000 } });
    const tunnel = await tunnelOn(web, here(echoes.port), { direction });
    expect(await together(tunnel.view.listenPort, 1_000)).toBe(1_000);
    expect(await tunnel.close()).toMatchObject({ connections: 0, total: 1_000, failed: 0, reconnects: 0 });
  }, 60_000);

  test('lets a side that has ended read on', async () => {
    await using digests = await service(digest);
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(digests.port), { direction });
    const answer = await tell(tunnel.view.listenPort, Buffer.alloc(1_000_000, 7));
    expect(answer.toString()).toMatch(/^[0-9a-f]{64}$/);
  });

  test('lets a side that has ended first be written to', async () => {
    const got: Buffer[] = [];
    let ended = (): void => {};
    const over = new Promise<void>(resolve => {
      ended = resolve;
    });
    await using polite = await service(socket => {
      socket.end('bye');
      socket.on('data', chunk => got.push(chunk)).on('end', ended);
    });
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(polite.port), { direction });
    const socket = await reach(tunnel.view.listenPort);
    const said: Buffer[] = [];
    await once(
      socket.on('data', chunk => said.push(chunk)),
      'end',
    );
    expect(said.join('')).toBe('bye');
    socket.write(Buffer.alloc(500_000, 1));
    socket.end('the last');
    await over;
    expect(Buffer.concat(got).toString('latin1').replaceAll('\u0001', '')).toBe('the last');
    expect(Buffer.concat(got)).toHaveLength(500_008);
  });

  test('breaks off what is broken off', async () => {
    const broken: string[] = [];
    await using endless = await service(socket => {
      const more = (): void => void (socket.writable && socket.write(Buffer.alloc(65_536), () => setImmediate(more)));
      more();
      socket.resume().on('close', () => broken.push('closed'));
    });
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(endless.port), { direction });
    const socket = await reach(tunnel.view.listenPort);
    await once(socket, 'data');
    socket.resetAndDestroy();
    await untilTrue(() => broken.length === 1);
    await untilTrue(async () => (await tunnel.look()).connections === 0);
  });

  test('is held back by a reader that does not read', async () => {
    const held: Socket[] = [];
    await using lazy = await service(socket => void held.push(socket.pause()));
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(lazy.port), { direction });
    const socket = await reach(tunnel.view.listenPort);
    const before = process.memoryUsage().rss;
    let taken = 0;
    const chunk = randomBytes(65_536);
    while (taken < 64 * 2 ** 20 && socket.writableLength < 16 * chunk.length) {
      taken += chunk.length;
      if (!socket.write(chunk)) await new Promise(resolve => setTimeout(resolve, 20));
    }
    const { bytesOut } = await tunnel.look();
    expect(bytesOut).toBeLessThan(24 * 2 ** 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
    const sent = socket.bytesWritten;
    socket.end();
    let got = 0;
    for (const one of held) for await (const piece of one) got += piece.length;
    expect(got).toBe(sent);
  });

  test('closes what is open through it when it is stopped', async () => {
    using web = fleetOf({ transport });
    const tunnel = await tunnelOn(web, here(echoes.port), { direction });
    const sockets = await Promise.all(Array.from({ length: 5 }, () => reach(tunnel.view.listenPort)));
    for (const socket of sockets) {
      socket.write('x');
      await once(socket, 'data');
    }
    const closed = Promise.all(
      sockets.map(socket => new Promise(resolve => socket.on('end', resolve).on('close', resolve))),
    );
    for (const socket of sockets) socket.resume();
    expect(await tunnel.close()).toMatchObject({ state: 'ended', connections: 0, total: 5, bytesOut: 5, bytesIn: 5 });
    await closed;
    for (const socket of sockets) socket.destroy();
    await untilTrue(() => echoes.open.size === 0);
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'ended', connections: 5, failed: 0, bytes_out: 5 });
  });
});

test('a host by OpenSSH is not asked to listen, and that is said', async () => {
  using web = fleetOf({ transport: 'openssh' });
  await expect(tunnelOn(web, here(echoes.port), { direction: 'remote' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'web is reached by way of OpenSSH, which cannot have it listen for a tunnel.',
  });
});

test('a port that is taken is said to be, on either side', async () => {
  using web = fleetOf();
  const to = here(echoes.port);
  await expect(tunnelOn(web, to, { listenPort: echoes.port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: `Port ${echoes.port} of this machine is taken.`,
  });
  await expect(tunnelOn(web, to, { listenPort: echoes.port, direction: 'remote' })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: `web does not give port ${echoes.port} to ${sshd.user}: it is taken, or not for this account.`,
  });
  const port = await freePort();
  const tunnel = await tunnelOn(web, to, { listenPort: port });
  expect(tunnel.view.listenPort).toBe(port);
  await tunnel.close();
  const other = await tunnelOn(web, to, { listenPort: port, direction: 'remote' });
  expect(other.view.listenPort).toBe(port);
  await expect(tunnelOn(web, to, { listenPort: port, direction: 'remote' })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
  });
  expect((await tell(port, 'still there')).toString()).toBe('still there');
});

test('a tunnel listens on 127.0.0.1 and nowhere else', async () => {
  using web = fleetOf();
  const tunnel = await tunnelOn(web, here(echoes.port));
  const server = createServer();
  server.listen({ host: '127.0.0.2', port: tunnel.view.listenPort });
  await once(server, 'listening');
  server.close();
});
