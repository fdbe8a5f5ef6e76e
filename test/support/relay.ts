import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a server on loopback that a test can break. */
export type Relay = Disposable & {
  readonly port: number;
  /** Passes nothing on any more, and says nothing of it, as a dead line does. */
  readonly goSilent: () => void;
  /** Resets every connection, at both ends. */
  readonly reset: () => void;
};

/** Lays one. With a delay each byte is so long on its way, in each direction, and as many are on their way as are sent. */
export const relayTo = async (target: number, { delayMs = 0 }: { delayMs?: number } = {}): Promise<Relay> => {
  const pairs: [Socket, Socket][] = [];
  const lay = delayMs === 0 ? (from: Socket, to: Socket) => void from.pipe(to) : later(delayMs);
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const end of [near, far]) end.on('error', () => {});
    lay(near, far);
    lay(far, near);
    pairs.push([near, far]);
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address() satisfies AddressInfo | string | null;
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    goSilent: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    reset: () => {
      for (const end of pairs.flat()) end.resetAndDestroy();
    },
    [Symbol.dispose]: () => {
      server.close();
      for (const end of pairs.flat()) end.destroy();
    },
  };
};

const later =
  (delayMs: number) =>
  (from: Socket, to: Socket): void => {
    from.on('data', chunk => setTimeout(() => to.write(chunk), delayMs));
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('close', () => setTimeout(() => to.destroy(), delayMs));
  };
