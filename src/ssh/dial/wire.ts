import { EventEmitter } from 'node:events';
import type { Client, ClientChannel } from 'ssh2';
import type { Channel } from '../command/channel.ts';

// What this room needs of ssh2 and cannot have by its documented interface; everything is looked at before it is used.

const MAX_VERSION = 100;

/** The host's software version from its greeting (RFC 4253 section 4.2), printable ASCII only. */
export const softwareOf = (client: Client): string => {
  const version = '_remoteVer' in client && typeof client._remoteVer === 'string' ? client._remoteVer : '';
  return version.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_VERSION);
};

/**
 * Sends a signal request (RFC 4254 section 6.9). The documented `signal` does nothing once stdin has ended, which is how
 * nearly every command runs. False when the channel is closed, closing, or not this client's.
 */
export const sendSignal = (client: Client, channel: Channel, name: string): boolean => {
  // A channel of an earlier connection may have the number of somebody else's here.
  if (!('_client' in channel) || channel._client !== client) return false;
  const outgoing = 'outgoing' in channel ? channel.outgoing : undefined;
  if (typeof outgoing !== 'object' || outgoing === null || !('id' in outgoing) || !('state' in outgoing)) return false;
  if (outgoing.state !== 'open' && outgoing.state !== 'eof') return false;
  const protocol = protocolOf(client);
  if (protocol === undefined || !('signal' in protocol)) return false;
  if (typeof protocol.signal !== 'function') return false;
  protocol.signal(outgoing.id, name);
  return true;
};

/**
 * To be called right after an open was sent: the channel's number here. What goes wrong with its streams is heard from the
 * moment it opens, because a host that writes after its own end of file would else end this process.
 */
export const expectChannel = (client: Client): number | undefined => {
  const channels = channelsOf(client);
  const number = channels !== undefined && '_cur' in channels ? channels._cur : undefined;
  if (channels === undefined || typeof number !== 'number') return undefined;
  const taker = lookUp(channels, number);
  if (typeof taker !== 'function') return number;
  passTo(channels, number, (error, channel) => {
    hearErrors(channel);
    taker(error, channel);
  });
  return number;
};

/**
 * Takes back an exec request that waits for its channel to open: the channel is then closed as soon as it opens, and
 * nothing is asked of it. False when the channel is open, so that the request was sent.
 */
export const takeBack = (client: Client, number: number | undefined): boolean => {
  const channels = channelsOf(client);
  if (channels === undefined || typeof lookUp(channels, number) !== 'function') return false;
  passTo(channels, number, (_error, channel) => {
    hearErrors(channel);
    closeChannel(channel);
  });
  return true;
};

/** What ssh2 gives a channel at first (its MAX_WINDOW and PACKET_SIZE): it counts down from there. */
const OPENED = { window: 2 * 1024 * 1024, packet: 32 * 1024 };

/** Asks for a session channel and nothing more; false when nothing could be asked. */
export const openBare = (client: Client, taker: Taker): boolean => {
  const [channels, protocol] = [channelsOf(client), protocolOf(client)];
  if (channels === undefined || !('add' in channels) || typeof channels.add !== 'function') return false;
  if (protocol === undefined || !('session' in protocol) || typeof protocol.session !== 'function') return false;
  const opened: Taker = (error, channel) => {
    hearErrors(channel);
    taker(error, channel);
  };
  const number: unknown = channels.add(Object.assign(opened, { type: 'session' }));
  if (typeof number !== 'number' || number < 0) return false;
  protocol.session(number, OPENED.window, OPENED.packet);
  return true;
};

/** A session channel that ssh2 has opened, with its number here and there; undefined when it is closed or closing. */
export const endsOf = (channel: unknown): { readonly here: number; readonly there: number } | undefined => {
  if (typeof channel !== 'object' || channel === null) return undefined;
  const [incoming, outgoing] = ['incoming' in channel && channel.incoming, 'outgoing' in channel && channel.outgoing];
  if (!isOpenEnd(incoming) || !isOpenEnd(outgoing)) return undefined;
  return { here: incoming.id, there: outgoing.id };
};

const isOpenEnd = (end: unknown): end is { readonly id: number } =>
  typeof end === 'object' && end !== null && 'state' in end && end.state === 'open' && 'id' in end;

/** What an open channel is asked for: to run a command, or to begin the subsystem of that name. */
type Wanted = {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly subsystem: boolean;
};

/** Asks an open channel for it; `answer` is called once, with whether it failed. False when nothing was sent. */
export const execOn = (
  client: Client,
  channel: ClientChannel,
  { command, env, subsystem }: Wanted,
  answer: (failed: boolean) => void,
): boolean => {
  const [ends, protocol] = [endsOf(channel), protocolOf(client)];
  const callbacks = '_callbacks' in channel ? channel._callbacks : undefined;
  if (ends === undefined || protocol === undefined || !Array.isArray(callbacks)) return false;
  if (!('exec' in protocol) || typeof protocol.exec !== 'function') return false;
  if (!('env' in protocol) || typeof protocol.env !== 'function') return false;
  if (!('subsystem' in protocol) || typeof protocol.subsystem !== 'function') return false;
  for (const [name, value] of Object.entries(env)) protocol.env(ends.there, name, value, false);
  callbacks.push((failed: unknown) => answer(Boolean(failed)));
  if (subsystem) protocol.subsystem(ends.there, command, true);
  else protocol.exec(ends.there, command, true);
  return true;
};

/** Whether this is a channel as ssh2 makes them. */
export const isChannel = (channel: unknown): channel is ClientChannel =>
  channel instanceof EventEmitter && 'stderr' in channel && 'setWindow' in channel;

type Taker = (error: unknown, channel: unknown) => void;

/** Gives a channel that is being opened to somebody else than who asked for it. */
const passTo = (channels: object, number: number | undefined, taker: Taker): void => {
  if (!('update' in channels) || typeof channels.update !== 'function') return;
  channels.update(number, Object.assign(taker, { type: 'session' }));
};

const ignore = (): void => {};

const hearErrors = (channel: unknown): void => {
  if (!(channel instanceof EventEmitter)) return;
  channel.on('error', ignore);
  if ('stderr' in channel && channel.stderr instanceof EventEmitter) channel.stderr.on('error', ignore);
};

/** Closes a channel that was opened and never handed out, its exec request being refused or unanswered; false when there is none. */
export const closeUnclaimed = (client: Client, number: number | undefined): boolean => {
  const channels = channelsOf(client);
  return channels !== undefined && closeChannel(lookUp(channels, number));
};

const closeChannel = (channel: unknown): boolean => {
  if (typeof channel !== 'object' || channel === null || !('close' in channel)) return false;
  if (typeof channel.close === 'function') channel.close();
  return true;
};

const lookUp = (channels: object, number: number | undefined): unknown =>
  number !== undefined && 'get' in channels && typeof channels.get === 'function' ? channels.get(number) : undefined;

const channelsOf = (client: Client): object | undefined => {
  const channels = '_chanMgr' in client ? client._chanMgr : undefined;
  return typeof channels === 'object' && channels !== null ? channels : undefined;
};

const protocolOf = (client: Client): object | undefined => {
  const protocol = '_protocol' in client ? client._protocol : undefined;
  return typeof protocol === 'object' && protocol !== null ? protocol : undefined;
};

/** Hears what a host says for people to read (SSH_MSG_DEBUG, RFC 4253 section 11.3); ssh2 keeps it for its own log. */
export const hearDebug = (client: Client, hear: (text: string) => void): void => {
  const protocol = protocolOf(client);
  const handlers = protocol !== undefined && '_handlers' in protocol ? protocol._handlers : undefined;
  if (typeof handlers !== 'object' || handlers === null) return;
  const take = (_protocol: unknown, _display: unknown, text: unknown): void =>
    hear(typeof text === 'string' ? text : '');
  Object.assign(handlers, { DEBUG: take });
};
