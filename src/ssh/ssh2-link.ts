import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Log } from '../call.ts';
import { levelOf } from './dial-failure.ts';
import { type Heartbeat, watchSilence } from './heartbeat.ts';
import type { Host } from './host.ts';
import type { HostKey } from './host-key.ts';
import type { Link } from './link.ts';
import { openExec } from './open-channel.ts';
import { sendSignal, softwareOf } from './wire.ts';

type Parts = { readonly heartbeat: Heartbeat; readonly log: Log };

type Found = {
  readonly client: Client;
  readonly socket: Socket;
  readonly hostKey: HostKey;
  readonly roundTripMs: number;
};

/** A logged-in client of ssh2 as a link: watched for silence, and closed to everything the host would open towards us. */
export const ssh2Link = (
  host: Host,
  { client, socket, hostKey, roundTripMs }: Found,
  { heartbeat, log }: Parts,
): Link => {
  const listeners = new Set<() => void>();
  let open = true;
  const over = (): void => {
    if (!open) return;
    open = false;
    stopWatching();
    for (const listener of listeners) listener();
  };
  const stopWatching = watchSilence(socket, heartbeat, () => {
    log('warn', 'a host has gone silent, its connection is given up', { host: host.name });
    socket.destroy();
  });
  client.on('error', error => log('debug', 'a connection failed', { host: host.name, level: levelOf(error) }));
  client.on('end', over).on('close', over);
  const isOpen = (): boolean => open;
  return {
    keyType: hostKey.type,
    peer: { server: softwareOf(client), fingerprint: hostKey.fingerprint, roundTripMs },
    isOpen,
    onClosed: listener => {
      if (open) listeners.add(listener);
      else listener();
    },
    end: () => {
      client.end();
      socket.destroySoon();
      over();
    },
    open: async (command, options) => await openExec(host, { client, isOpen }, command, options),
    signal: (channel, name) => sendSignal(client, channel, name),
    forward: async (address, port) => await forward(client, address, port),
  };
};

/** What asks for the stream is said to be this machine itself, which tells the host nothing. */
const forward = (client: Client, address: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
