import type { Duplex } from 'node:stream';
import { Failure } from '../../errors.ts';
import { forwarded } from '../dial/forwarded.ts';
import type { Host } from '../host.ts';
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
      refused: (reason: number, words: string) =>
        reject(Object.assign(new Error(`(SSH) Channel open failure: ${words}`), { reason })),
      gone,
    };
    mux.open('direct-tcpip', [address, port, '127.0.0.1', 0], opening);
  });

/**
 * A proxied connection cannot have the host listen: a master passes the request on and keeps the answer, so that nobody knows
 * whether it does, or where.
 */
export const refuseToListen = ({ name }: Host): never => {
  throw new Failure('UNSUPPORTED', `${name} is reached by way of OpenSSH, which cannot have it listen for a tunnel.`, {
    next: 'Use direction local, or ask the operator to take the transport ssh2 for this host.',
    details: { host: name },
  });
};
