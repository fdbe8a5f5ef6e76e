import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Forward } from '../../../src/call.ts';
import type { Permit } from '../../../src/gate/permit.ts';
import type { TunnelView } from '../../../src/ssh/tunnel/tunnel.ts';
import type { TestFleet } from '../../support/fleet.ts';

/** Something that listens on loopback, as a database behind a host would. */
export type Service = AsyncDisposable & { readonly port: number; readonly open: ReadonlySet<Socket> };

/** Starts one, which does this with whoever connects. */
export const service = async (serve: (socket: Socket) => void, address = '127.0.0.1'): Promise<Service> => {
  const open = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    serve(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    port: bound.port,
    open,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

/** Says everything back, and ends when the other side does. */
export const echo = (socket: Socket): void => void socket.pipe(socket);

/** Answers the digest of all it was told, once that has ended. */
export const digest = (socket: Socket): void => {
  const hash = createHash('sha256');
  socket.on('data', chunk => hash.update(chunk)).on('end', () => socket.end(hash.digest('hex')));
};

/** Connects to a tunnel. */
export const reach = async (port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

/** Sends it all, ends, and reads to the end. */
export const tell = async (port: number, bytes: Buffer | string): Promise<Buffer> => {
  const socket = await reach(port);
  socket.end(bytes);
  return Buffer.concat(await socket.toArray());
};

/** Sends a text and reads to the end: what came back, or `broken off`. */
export const ask = async (port: number, text: string): Promise<string> =>
  await tell(port, text).then(
    bytes => bytes.toString(),
    () => 'broken off',
  );

/** So many exchanges of a random payload, a few at a time, each compared; says how many came back whole. */
export const exchange = async (port: number, times: number, atOnce: number, bytes = 40_000): Promise<number> => {
  let [next, whole] = [0, 0];
  const work = async (): Promise<void> => {
    while (next++ < times) {
      const payload = randomBytes(1 + Math.floor(Math.random() * bytes));
      if ((await tell(port, payload)).equals(payload)) whole++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return whole;
};

/** So many connections that are all open before the first of them says anything; says how many got their own payload back. */
export const together = async (port: number, count: number): Promise<number> => {
  const sockets: Socket[] = [];
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(Array.from({ length: Math.min(100, count - sockets.length) }, () => reach(port)))),
    );
  const answers = sockets.map(async socket => {
    const payload = randomBytes(1 + Math.floor(Math.random() * 20_000));
    socket.end(payload);
    return Buffer.concat(await socket.toArray()).equals(payload);
  });
  return (await Promise.all(answers)).filter(Boolean).length;
};

export type TestTunnel = {
  readonly view: TunnelView;
  readonly permit: Permit<Forward>;
  readonly look: () => Promise<TunnelView>;
  readonly close: () => Promise<TunnelView>;
};

/** A tunnel of a test's fleet. */
export const tunnelOn = async (
  { fleet, target, permit }: TestFleet,
  to: Forward['to'],
  more: Partial<Pick<Forward, 'direction' | 'listenPort'>> = {},
  grant = 'local',
): Promise<TestTunnel> => {
  const allowed = permit({ kind: 'forward', target, direction: 'local', listenPort: 0, to, ...more }, grant);
  const view = await fleet.openTunnel(allowed);
  return {
    view,
    permit: allowed,
    look: async () => {
      const { tunnels } = await fleet.status(permit({ kind: 'observe', what: 'status' }, grant));
      const now = tunnels.find(({ id }) => id === view.id);
      if (now === undefined) throw new Error('it is not known any more');
      return now;
    },
    close: async () => await fleet.closeTunnel(permit({ kind: 'stop', what: 'tunnel', id: view.id }, grant)),
  };
};

/** Whether somebody listens there. */
export const listens = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};
