import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Log } from '../../call.ts';
import type { Link, OpenOptions } from '../connection/link.ts';
import type { Host } from '../host.ts';
import type { HostKey } from '../trust/host-key.ts';
import { levelOf } from './dial-failure.ts';
import { forwarded } from './forwarded.ts';
import { type Heartbeat, watchSilence } from './heartbeat.ts';
import { openExec, prepareExec } from './open-channel.ts';
import type { Pipe } from './pipe.ts';
import { widen, windowFor } from './window.ts';
import { sendSignal, softwareOf } from './wire.ts';

type Parts = { readonly heartbeat: Heartbeat; readonly log: Log };

type Found = {
  readonly client: Client;
  readonly pipe: Pipe;
  readonly hostKey: HostKey;
  readonly roundTripMs: number;
  readonly login: readonly string[];
};

/** A logged-in client of ssh2 as a link: watched for silence, and closed to everything the host would open towards us. */
export const ssh2Link = (
  host: Host,
  { client, pipe, hostKey, roundTripMs, login }: Found,
  { heartbeat, log }: Parts,
): Link => {
  const life = lifeOf(client);
  const stopWatching = watchSilence(pipe.received, heartbeat, () => {
    log('warn', 'a host has gone silent, its connection is given up', { host: host.name });
    pipe.stream.destroy();
    life.over();
  });
  life.onClosed(stopWatching);
  client.on('error', error => log('debug', 'a connection failed', { host: host.name, level: levelOf(error) }));
  const line = { client, isOpen: life.isOpen };
  const wide = widening(client, windowFor(roundTripMs));
  return {
    keyType: hostKey.type,
    peer: { server: softwareOf(client), fingerprint: hostKey.fingerprint, roundTripMs, login, address: pipe.address },
    isOpen: life.isOpen,
    onClosed: life.onClosed,
    end: () => {
      client.end();
      pipe.end();
      life.over();
    },
    open: async (command, options) => await openExec(host, line, command, wide(options)),
    prepare: async () => {
      const prepared = await prepareExec(host, line);
      return prepared && { ...prepared, run: (command, options) => prepared.run(command, wide(options)) };
    },
    signal: (channel, name) => sendSignal(client, channel, name),
    forward: async (address, port) => await forward(client, life, { address, port, bytes: windowFor(roundTripMs) }),
  };
};

/** From the login to the first word of its end. */
const lifeOf = (client: Client) => {
  const listeners = new Set<() => void>();
  let open = true;
  const over = (): void => {
    if (!open) return;
    open = false;
    for (const listener of listeners) listener();
    listeners.clear();
  };
  client.on('end', over).on('close', over);
  return {
    over,
    isOpen: (): boolean => open,
    /** Calls back when it is over; what it gives back lets go of a listener that is over earlier. */
    onClosed: (listener: () => void): (() => void) => {
      if (open) listeners.add(listener);
      else listener();
      return () => listeners.delete(listener);
    },
  };
};

const widening =
  (client: Client, bytes: number | undefined) =>
  (options: OpenOptions): OpenOptions =>
    bytes === undefined
      ? options
      : {
          ...options,
          attach: channel => {
            widen(client, channel, bytes);
            options.attach?.(channel);
          },
        };

type Way = { readonly address: string; readonly port: number; readonly bytes: number | undefined };

/** What asks for the stream is said to be this machine itself, which tells the host nothing; it ends with the link. */
const forward = (client: Client, life: ReturnType<typeof lifeOf>, { address, port, bytes }: Way): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
      if (error) return reject(error);
      // A host that writes on after its end would else end this process.
      channel.on('error', () => undefined);
      channel.stderr.on('error', () => undefined).resume();
      if (bytes !== undefined) widen(client, channel, bytes);
      const stream = forwarded(channel);
      stream.once(
        'close',
        life.onClosed(() => stream.destroy()),
      );
      resolve(stream);
    });
  });
