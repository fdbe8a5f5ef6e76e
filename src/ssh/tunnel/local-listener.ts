import { createServer, type Server, type Socket } from 'node:net';
import { Failure } from '../../errors.ts';
import type { Knock, Listening } from '../connection/link.ts';
import { breakOff } from './join.ts';

/**
 * Listens on this machine's 127.0.0.1, on any free port for 0, and says who comes. PORT_TAKEN when another program has the
 * port, or the system keeps it back. Nothing that is open when it closes is touched.
 */
export const listenHere = (port: number, knock: (knock: Knock) => void): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, socket =>
      knock(asKnock(socket)),
    );
    server.once('error', error => reject(notGiven(port, error)));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.removeAllListeners('error').on('error', () => undefined);
      resolve({ port: portOf(server), close: () => closed(server) });
    });
  });

const asKnock = (socket: Socket): Knock => {
  // It may be reset while nobody reads it yet: unheard, that would end this process.
  socket.on('error', () => undefined);
  return { accept: () => socket, refuse: () => breakOff(socket) };
};

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listener on a port has one');
  return address.port;
};

/** It listens no longer at once; who is connected is broken off by whoever let them in, and waited for. */
const closed = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()));

const notGiven = (port: number, error: Error): Failure => {
  const code = 'code' in error ? error.code : undefined;
  const details = { port };
  if (code === 'EADDRINUSE')
    return new Failure('PORT_TAKEN', `Port ${port} of this machine is taken.`, { details, cause: error });
  if (code === 'EACCES')
    return new Failure('PORT_TAKEN', `Port ${port} of this machine is kept back by its system.`, {
      details,
      cause: error,
      next: 'Choose one above 1023, or leave listen_port out to get a free one.',
    });
  return new Failure('PORT_TAKEN', `Port ${port} of this machine cannot be listened on.`, {
    details,
    cause: error,
    operator: `Listening on 127.0.0.1:${port} failed: ${error.message}`,
  });
};
