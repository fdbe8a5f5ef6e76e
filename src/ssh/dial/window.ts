import type { Readable } from 'node:stream';
import type { Client } from 'ssh2';
import type { Channel } from '../command/channel.ts';

/** Below this round trip the 2 MiB that ssh2 gives a channel are enough for any line. */
const SHORT_MS = 2;
const BYTES_PER_MS = 2 ** 20;
const MOST_BYTES = 16 * 2 ** 20;

/**
 * How much a host may send ahead on one channel (RFC 4254 section 5.2): 1 MiB for each millisecond of the round trip, 16 MiB
 * at most, as the window in a round trip is all that a line can carry. Undefined when ssh2's own is enough.
 */
export const windowFor = (roundTripMs: number): number | undefined =>
  roundTripMs <= SHORT_MS ? undefined : Math.min(Math.ceil(roundTripMs * BYTES_PER_MS), MOST_BYTES);

/**
 * Lets the host of an open channel send so many bytes ahead, and again as they are read: what waits in memory, unread, and
 * what may still come are never more than that together, beside the 2 MiB that ssh2 holds to.
 */
export const widen = (client: Client, channel: Channel, bytes: number): void => {
  const { stderr } = channel;
  const open = (): void => {
    const unread = channel.readableLength + stderr.readableLength;
    grant(client, channel, bytes - unread);
  };
  // Asked for more whenever what was there is read, and not while the reader is behind.
  for (const stream of [channel, stderr]) onDemand(stream, open);
  open();
};

const onDemand = (stream: Readable, act: () => void): void => {
  const read = stream._read.bind(stream);
  stream._read = size => {
    read(size);
    act();
  };
};

/** Small steps are not worth a packet, and a channel that closes takes none. */
const STEP = 1 / 8;

const grant = (client: Client, channel: Channel, bytes: number): void => {
  if (!('incoming' in channel) || !isWindow(channel.incoming)) return;
  if (!('outgoing' in channel) || !isSide(channel.outgoing)) return;
  const { incoming, outgoing } = channel;
  const more = bytes - incoming.window;
  if (more < bytes * STEP || (outgoing.state !== 'open' && outgoing.state !== 'eof')) return;
  if (incoming.state !== 'open' || !('_protocol' in client) || !isProtocol(client._protocol)) return;
  incoming.window += more;
  client._protocol.channelWindowAdjust(outgoing.id, more);
};

type Side = { readonly id: number; readonly state: string };

const isSide = (side: unknown): side is Side =>
  typeof side === 'object' && side !== null && 'id' in side && typeof side.id === 'number' && 'state' in side;

const isWindow = (side: unknown): side is Side & { window: number } =>
  isSide(side) && 'window' in side && typeof side.window === 'number';

type Protocol = { readonly channelWindowAdjust: (channel: number, bytes: number) => void };

const isProtocol = (protocol: unknown): protocol is Protocol =>
  typeof protocol === 'object' &&
  protocol !== null &&
  'channelWindowAdjust' in protocol &&
  typeof protocol.channelWindowAdjust === 'function';
