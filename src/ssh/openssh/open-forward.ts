import type { Duplex } from 'node:stream';
import { forwarded } from '../dial/forwarded.ts';
import type { Mux } from './mux.ts';
import type { MuxChannel } from './mux-channel.ts';

/** A stream to an address that the host dials: see `Link.forward`. Who asks is said to be this machine itself, which tells the host nothing. */
export const openForward = (mux: Mux, address: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the connection ended first'));
    const opening = {
      opened: (channel: MuxChannel) => {
        channel.stderr.resume();
        resolve(forwarded(channel));
      },
      refused: (reason: number) => reject(Object.assign(new Error('(SSH) Channel open failure'), { reason })),
      gone,
    };
    mux.open('direct-tcpip', [address, port, '127.0.0.1', 0], opening);
  });
