import type { NetConnectOpts, Socket } from 'node:net';
import type { Algorithms, Client, ConnectConfig } from 'ssh2';
import type { Clock, Log } from '../call.ts';
import { Failure } from '../errors.ts';
import { type Attempt, attemptLogin } from './auth.ts';
import { explainDial, isTooManyTries, levelOf, type Phase } from './dial-failure.ts';
import { HEARTBEAT, type Heartbeat } from './heartbeat.ts';
import type { Host } from './host.ts';
import { type HostKey, readHostKey } from './host-key.ts';
import type { Link } from './link.ts';
import { ssh2Link } from './ssh2-link.ts';

/** What dialling needs from outside. */
export type Wires = {
  readonly clock: Clock;
  readonly log: Log;
  /** Opens a TCP connection; `net.connect`. */
  readonly connect: (options: NetConnectOpts) => Socket;
  /** For looking up the name, handshake and login together. */
  readonly connectTimeoutMs: number;
  readonly heartbeat?: Heartbeat;
};

/** What to offer, and how to judge the key that comes back. */
export type Plan = {
  readonly algorithms: Algorithms;
  /** Synchronous, because ssh2 mixes up its keys when a verdict comes later than the packets behind it. */
  readonly accept: (key: HostKey) => boolean;
  readonly signal: AbortSignal;
};

/** What came of a dial: a link, or a key that was not accepted, in which case no login was tried. */
export type Dialled = { readonly link: Link } | { readonly refused: HostKey };

/** Connects, checks the key, logs in, once each. Rejects with UNREACHABLE, AUTH_FAILED or CANCELLED. */
export const dial = async (host: Host, plan: Plan, wires: Wires): Promise<Dialled> => {
  // ssh2 takes longer to load than the rest of the program: not before the first call that needs it.
  const { default: ssh2 } = await import('ssh2');
  if (plan.signal.aborted) throw cancelled(host);
  const client = new ssh2.Client();
  const socket = wires.connect(socketOptions(host));
  const progress = follow(client, socket, wires.clock);
  const guard = guardKey(plan.accept);
  const login = attemptLogin(host, { parseKey: ssh2.utils.parseKey, createAgent: ssh2.createAgent });
  const config = {
    ...settings(host, plan, wires),
    sock: socket,
    hostVerifier: guard.verify,
    authHandler: login.handler,
  };
  try {
    await untilReady(client, config, { socket, login, signal: plan.signal });
    const { heartbeat = HEARTBEAT, log } = wires;
    const found = { client, socket, hostKey: guard.accepted(), roundTripMs: progress.roundTripMs() };
    return { link: ssh2Link(host, found, { heartbeat, log }) };
  } catch (error) {
    client.end();
    socket.destroySoon();
    const refused = guard.refused();
    if (refused !== undefined) return { refused };
    throw explain(host, error, { phase: progress.phase(), login, plan, timeoutMs: wires.connectTimeoutMs });
  }
};

const cancelled = (host: Host): Failure =>
  new Failure('CANCELLED', `The connection to ${host.name} was closed while it was being opened.`);

/** No delay from the first byte: with Nagle's algorithm a command over a warm connection takes ten times as long. */
const socketOptions = ({ address, port }: Host): NetConnectOpts => ({
  host: address,
  port,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
  autoSelectFamilyAttemptTimeout: 250,
});

const settings = (host: Host, { algorithms }: Plan, wires: Wires): ConnectConfig => ({
  username: host.user,
  ident: 'sallyport',
  algorithms,
  readyTimeout: wires.connectTimeoutMs,
  keepaliveInterval: (wires.heartbeat ?? HEARTBEAT).pingMs,
  // The pings are ssh2's, the judgement is the heartbeat's.
  keepaliveCountMax: Number.MAX_SAFE_INTEGER,
});

type Line = { readonly socket: Socket; readonly login: Attempt; readonly signal: AbortSignal };

const untilReady = (client: Client, config: ConnectConfig, { socket, login, signal }: Line): Promise<void> =>
  new Promise((resolve, reject) => {
    client.on('ready', resolve);
    // For good, because ssh2 emits a second error after the first; an agent's failure only ends that way to log in.
    client.on('error', error => {
      if (levelOf(error) !== 'agent') reject(error);
    });
    client.on('close', () => reject(undefined));
    client.on('change password', () => reject(login.failure('The password has expired.')));
    // Nothing is ever forwarded: what a host opens towards us is refused, also where ssh2 would only not answer.
    client.on('tcp connection', (_details, _accept, refuse) => refuse());
    client.on('unix connection', (_details, _accept, refuse) => refuse());
    client.on('x11', (_details, _accept, refuse) => refuse());
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    void login.exhausted.then(reject);
    client.connect(config);
    limitHandshake(client, socket, reject);
  });

/** A handshake takes about 4 KiB. ssh2 reads a greeting from its start again with each packet: a long one would keep it busy. */
const MAX_HANDSHAKE_BYTES = 128 * 1024;

const limitHandshake = (client: Client, socket: Socket, exceeded: (error: Error) => void): void => {
  const count = (): void => {
    if (socket.bytesRead > MAX_HANDSHAKE_BYTES) exceeded(new Error('the handshake is too long'));
  };
  socket.on('data', count);
  client.once('handshake', () => socket.off('data', count));
};

/** Follows how far a dial has come, and measures one round trip: from the SYN to the host's answer. */
const follow = (client: Client, socket: Socket, clock: Clock) => {
  let phase: Phase = 'connecting';
  let sentAt = clock.monoMs();
  let roundTripMs = 0;
  socket.on('connectionAttempt', () => {
    sentAt = clock.monoMs();
  });
  socket.on('connect', () => {
    roundTripMs = clock.monoMs() - sentAt;
    phase = 'handshake';
  });
  client.once('handshake', () => {
    phase = 'login';
  });
  return { phase: () => phase, roundTripMs: () => roundTripMs };
};

/** Asks for a verdict once; every rekey after that must present the very same key. */
const guardKey = (accept: Plan['accept']) => {
  let accepted: HostKey | undefined;
  let refused: HostKey | undefined;
  const verify = (blob: Buffer): boolean => {
    if (accepted !== undefined) return accepted.blob.equals(blob);
    const key = readHostKey(blob);
    if (key === undefined || !accept(key)) refused = key;
    else accepted = key;
    return accepted !== undefined;
  };
  return { verify, accepted: () => given(accepted), refused: () => refused };
};

const given = (key: HostKey | undefined): HostKey => {
  if (key === undefined) throw new Error('a login before a verdict on the host key');
  return key;
};

type Circumstances = {
  readonly phase: Phase;
  readonly login: Attempt;
  readonly plan: Plan;
  readonly timeoutMs: number;
};

const explain = (host: Host, error: unknown, { phase, login, plan, timeoutMs }: Circumstances): Failure => {
  if (plan.signal.aborted) return cancelled(host);
  if (error instanceof Failure) return error;
  if (isTooManyTries(error)) return login.failure('The host broke off after too many tries (MaxAuthTries).');
  return explainDial(host, phase, error, timeoutMs);
};
