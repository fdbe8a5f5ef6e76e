import type { Socket } from 'node:net';
import type { Client } from 'ssh2';
import type { Log } from '../call.ts';
import type { Peer } from './connection.ts';
import { levelOf } from './dial-failure.ts';
import { type Heartbeat, watchSilence } from './heartbeat.ts';
import type { Host } from './host.ts';
import type { HostKey } from './host-key.ts';
import { softwareOf } from './wire.ts';

/** One live connection, from its login to its end; never used again after that. */
export type Link = {
  readonly client: Client;
  readonly peer: Peer;
  readonly hostKey: HostKey;
  readonly isOpen: () => boolean;
  /** Calls back once, when it is over; at once when it already is. */
  readonly onClosed: (listener: () => void) => void;
  /** Says goodbye and drops the socket. */
  readonly end: () => void;
};

type Parts = { readonly heartbeat: Heartbeat; readonly log: Log };

/** A logged-in client as a link: watched for silence, and closed to everything the host would open towards us. */
export const createLink = (
  host: Host,
  { client, socket, hostKey, roundTripMs }: { client: Client; socket: Socket; hostKey: HostKey; roundTripMs: number },
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
  return {
    client,
    hostKey,
    peer: { server: softwareOf(client), fingerprint: hostKey.fingerprint, roundTripMs },
    isOpen: () => open,
    onClosed: listener => {
      if (open) listeners.add(listener);
      else listener();
    },
    end: () => {
      client.end();
      socket.destroySoon();
      over();
    },
  };
};
