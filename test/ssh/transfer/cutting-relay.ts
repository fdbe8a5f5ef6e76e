import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a server on loopback that resets itself once so many more bytes have gone through, in either direction. */
export type CuttingRelay = Disposable & {
  readonly port: number;
  /** Bytes that went through so far. */
  readonly passed: () => number;
  /** How often it was cut. */
  readonly cuts: () => number;
  /** To be cut after so many more bytes, once. */
  readonly cutAfter: (bytes: number) => void;
};

/** Lays one. */
export const cuttingRelayTo = async (target: number): Promise<CuttingRelay> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  let [passed, cuts, cutAt] = [0, 0, Number.POSITIVE_INFINITY];
  const cut = (): void => {
    cutAt = Number.POSITIVE_INFINITY;
    cuts += 1;
    for (const pair of pairs) for (const end of pair) end.resetAndDestroy();
    pairs.clear();
  };
  const lay = (from: Socket, to: Socket): void => {
    from.on('data', chunk => {
      passed += chunk.length;
      if (passed >= cutAt) cut();
      else if (!to.destroyed && !to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    from.on('error', () => undefined);
  };
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    lay(near, far);
    lay(far, near);
    pairs.add([near, far]);
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address() satisfies AddressInfo | string | null;
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    passed: () => passed,
    cuts: () => cuts,
    cutAfter: bytes => {
      cutAt = passed + bytes;
    },
    [Symbol.dispose]: () => {
      server.close();
      for (const pair of pairs) for (const end of pair) end.destroy();
    },
  };
};
