import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a server on loopback that a test can break. */
export type Relay = Disposable & {
  readonly port: number;
  /** Passes nothing on any more, and says nothing of it, as a dead line does. */
  readonly goSilent: () => void;
  /** Resets every connection, at both ends. */
  readonly reset: () => void;
};

/** Lays one. */
export const relayTo = async (target: number): Promise<Relay> => {
  const pairs: [Socket, Socket][] = [];
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const end of [near, far]) end.on('error', () => {});
    near.pipe(far);
    far.pipe(near);
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
