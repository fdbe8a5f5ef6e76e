import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Log } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Link } from '../connection/link.ts';
import { cancelled } from '../dial/dial-failure.ts';
import { HEARTBEAT, type Heartbeat } from '../dial/heartbeat.ts';
import { windowFor } from '../dial/window.ts';
import { once } from '../giving-up.ts';
import type { Host } from '../host.ts';
import { takeOver } from './control.ts';
import { explainSsh } from './failure.ts';
import { judged, type Limits } from './judged.ts';
import { type Master, startMaster } from './master.ts';
import { Mux } from './mux.ts';
import { openForward, refuseToListen } from './open-forward.ts';
import { openSession, prepareSession } from './open-session.ts';
import { plan, saysOlder } from './plan.ts';
import type { Said } from './said.ts';

/** What reaching a host by way of OpenSSH needs from outside. */
export type OpensshParts = Limits & {
  readonly clock: Clock;
  readonly log: Log;
  readonly knownHosts: readonly string[];
  readonly connectTimeoutMs: number;
  readonly heartbeat?: Heartbeat | undefined;
  /** What the OpenSSH client is given as its environment: that of this process unless given. */
  readonly programEnv?: Readonly<Record<string, string | undefined>> | undefined;
};

type Try = { readonly signal: AbortSignal };

/**
 * Reaches a host by an OpenSSH client of this machine, which checks its key, logs in and encrypts; the channels are ours.
 * Rejects as the other transport does, and with UNSUPPORTED for what OpenSSH cannot be told without handing it a secret.
 */
export const reachByOpenssh = async (host: Host, { signal }: Try, parts: OpensshParts): Promise<Link> => {
  const told = await judged(host, parts);
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'));
  try {
    const master = await begin(told, { folder, signal, parts });
    try {
      const socket = connect(socketIn(folder));
      const release = once(signal, () => socket.destroy());
      return await linkTo(host, { master, socket, log: parts.log, first: firstAddress(told) }).finally(release);
    } catch (error) {
      master.end();
      throw signal.aborted ? cancelled(host) : lost(host, error);
    }
  } finally {
    // Nothing in it is needed once the only connection there will be is made.
    await rm(folder, { recursive: true, force: true });
  }
};

const socketIn = (folder: string): string => join(folder, 's');

type Start = { readonly folder: string; readonly signal: AbortSignal; readonly parts: OpensshParts };

/** Starts an ssh, and waits until it is logged in. */
const begin = async (host: Host, { folder, signal, parts }: Start, older = false): Promise<Master> => {
  const { heartbeat = HEARTBEAT, clock } = parts;
  const timeoutMs = host.connectTimeoutMs ?? parts.connectTimeoutMs;
  const times = { timeoutMs, aliveMs: host.aliveMs ?? heartbeat.pingMs };
  const given = { folder, socket: socketIn(folder), knownHosts: parts.knownHosts, times, older };
  const { args, files } = await plan(host, given);
  for (const { name, text } of files) await writeFile(join(folder, name), text, { mode: 0o600 });
  if (signal.aborted) throw cancelled(host);
  const beganMs = clock.monoMs();
  const master = await startMaster(args, { signal, timeoutMs, clock, env: parts.programEnv });
  const ready = await master.ready;
  const said = master.said();
  if (ready && isMeant(host, said)) return master;
  master.end();
  if (signal.aborted) throw cancelled(host);
  if (ready) throw elsewhere(host, said);
  if (!older && saysOlder(said.words)) return await begin(host, { folder, signal, parts }, true);
  const late = clock.monoMs() - beganMs >= timeoutMs;
  throw await explainSsh({ host, said, knownHosts: parts.knownHosts, timeoutMs, late });
};

const towards = ({ address, port, user }: Host): string => `${address}:${port} as '${user}'`;

/** What was judged is what was reached, also when the ssh_config was changed since it was read. */
const isMeant = (host: Host, said: Said): boolean => said.towards?.toLowerCase() === towards(host).toLowerCase();

const elsewhere = (host: Host, said: Said): Failure =>
  new Failure('UNREACHABLE', `ssh reached another host or account than ${host.name} was when it was judged.`, {
    details: { host: host.name },
    next: 'Its ssh_config may have changed: call again.',
    operator: `ssh logged in towards ${said.towards}, and ${host.name} is ${towards(host)}.`,
  });

const lost = ({ name }: Host, cause: unknown): Failure =>
  new Failure('UNREACHABLE', `The connection to ${name} ended right after the login.`, {
    details: { host: name },
    cause,
  });

/** Where the way begins that was told whole, as far as it says: another ssh may dial that. */
const firstAddress = ({ address, via, alias }: Host): string | undefined => {
  if (alias !== undefined) return undefined;
  if (via !== undefined) return firstAddress(via);
  return isIP(address) > 0 ? address : undefined;
};

type Ends = { readonly master: Master; readonly socket: Socket; readonly log: Log; readonly first: string | undefined };

/** The link lives as long as both the ssh and the socket to it do: the first to go takes the other with it. */
const linkTo = async (host: Host, { master, socket, log, first }: Ends): Promise<Link> => {
  const { server, key, roundTripMs, dialled } = master.said();
  const mux = new Mux(socket, windowFor(roundTripMs));
  const listeners = new Set<() => void>();
  const over = (): void => {
    if (!mux.isOpen) return;
    mux.lose();
    socket.destroy();
    master.end();
    for (const listener of listeners) listener();
  };
  socket.on('error', () => undefined).on('close', over);
  void master.ended.then(over);
  await takeOver(
    socket,
    message => mux.hear(message),
    error => log('warn', 'a connection broke the protocol, it is given up', { host: host.name, why: error.message }),
  );
  return {
    keyType: undefined,
    peer: { server, fingerprint: key?.fingerprint ?? '', roundTripMs, address: dialled ?? first },
    isOpen: () => mux.isOpen,
    onClosed: listener => {
      if (mux.isOpen) listeners.add(listener);
      else listener();
    },
    end: over,
    open: (command, options) => openSession(mux, host, command, options),
    prepare: () => prepareSession(mux, host),
    signal: (channel, name) => mux.has(channel) && channel.request('signal', [name]),
    forward: (address, port) => openForward(mux, address, port),
    listen: async () => refuseToListen(host),
  };
};
