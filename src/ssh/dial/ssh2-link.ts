import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import type { Log } from '../../call.ts';
import type { Link, OpenOptions } from '../connection/link.ts';
import type { Host } from '../host.ts';
import type { HostKey } from '../trust/host-key.ts';
import { levelOf } from './dial-failure.ts';
import { forwarded, type Pace, paceOf } from './forwarded.ts';
import { type Heartbeat, watchSilence } from './heartbeat.ts';
import { listenThere } from './listen-there.ts';
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
  const streams = streamsOf(client, life, { bytes: windowFor(roundTripMs), pace: paceOf(pipe.stream) });
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
    forward: async (address, port) => await forward(client, { address, port }, streams),
    listen: listenThere(host, { client, onClosed: life.onClosed }, streams),
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

type Flow = { readonly bytes: number | undefined; readonly pace: Pace };

/** What hosts may send ahead on all forwarded channels of a link, beside ssh2's own 2 MiB on each: a quarter of the rest is for the next one. */
const MOST_PROMISED = 96 * 2 ** 20;
const LEAST_PROMISED = 2 ** 22;

/** Makes a stream of a forwarded channel, which ends with the link. */
const streamsOf = (client: Client, life: ReturnType<typeof lifeOf>, { bytes = 0, pace }: Flow) => {
  let promised = 0;
  return (channel: ClientChannel): Duplex => {
    // A host that writes on after its end would else end this process.
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined).resume();
    const share = Math.min(bytes, Math.floor((MOST_PROMISED - promised) / 4));
    const extra = share < LEAST_PROMISED ? 0 : share;
    if (extra > 0) widen(client, channel, extra);
    promised += extra;
    const stream = forwarded(channel, pace);
    const letGo = life.onClosed(() => stream.destroy());
    return stream.once('close', () => {
      promised -= extra;
      letGo();
    });
  };
};

type Way = { readonly address: string; readonly port: number };

/** What asks for the stream is said to be this machine itself, which tells the host nothing. */
const forward = (client: Client, way: Way, streamOf: (channel: ClientChannel) => Duplex): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, way.address, way.port, (error, channel) => {
      if (error) reject(error);
      else resolve(streamOf(channel));
    });
  });
