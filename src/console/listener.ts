import { chmodSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Clock, Log, Random } from '../call.ts';
import type { Uid } from '../state/private.ts';
import { attend, type Client } from './client.ts';
import { openFolder, removeSocket, socketName, sweepUnfinished, withShortPath } from './folder.ts';

/** Where the socket lies, and who answers on it. */
export type ListenerParts = {
  readonly folder: string;
  readonly pid: number;
  readonly uid: Uid;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly answer: (line: string, client: Client) => Promise<void>;
};

/** Clients at one time; more are turned away at once. */
const MOST_CLIENTS = 32;

/** The control socket of this process. */
export type Listener = {
  /** Removes its name, synchronously, and drops every client; a second time does nothing. */
  readonly close: () => void;
};

/**
 * Opens it, 0600 in a folder that is 0700. Its name appears only when it listens, so that one which refuses is one whose
 * process is gone. Throws `NotPrivate`, or what the system says; keeps no process alive.
 */
export const listen = async (parts: ListenerParts): Promise<Listener> => {
  const { folder, log } = parts;
  openFolder(folder, parts.uid);
  sweepUnfinished(folder, parts.clock.wallMs());
  const name = socketName(parts.pid, parts.random(8).toString('hex'));
  const drop = new Set<() => void>();
  const server = createServer(socket => {
    const leave = (): void => void socket.destroy();
    drop.add(leave);
    socket.once('close', () => void drop.delete(leave));
    socket.unref();
    attend(socket, parts.answer);
  });
  server.maxConnections = MOST_CLIENTS;
  server.unref();
  const unfinished = `${name}.new`;
  await withShortPath(folder, unfinished, path => bound(server, path));
  server.on('error', error => log('warn', 'the control socket failed', { cause: error.message }));
  chmodSync(join(folder, unfinished), 0o600);
  renameSync(join(folder, unfinished), join(folder, name));
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    removeSocket(folder, name);
    server.close();
    for (const leave of drop) leave();
  };
  return { close };
};

const bound = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
