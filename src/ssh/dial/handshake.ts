import type { Algorithms, Client, ConnectConfig } from 'ssh2';
import type { Clock, Log } from '../../call.ts';
import type { Failure } from '../../errors.ts';
import type { Link } from '../connection/link.ts';
import type { Host } from '../host.ts';
import { type Attempt, attemptLogin } from '../login/auth.ts';
import { readCertificate } from '../trust/certificate.ts';
import { checkByCertifiedKey, offerCertificates } from '../trust/certified-kex.ts';
import { type HostKey, readHostKey } from '../trust/host-key.ts';
import type { CertificateTypes, Certified } from '../trust/trust.ts';
import { levelOf, type Phase } from './dial-failure.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Pipe } from './pipe.ts';
import { ssh2Link } from './ssh2-link.ts';

/** What to offer, and how to judge the key that comes back. */
export type Plan = {
  readonly algorithms: Algorithms;
  /** The certificates to ask for, and the types of keys that are known; what is presented is judged with what it certifies. */
  readonly certificates?: { readonly types: CertificateTypes; readonly known: readonly string[] };
  /** Synchronous, because ssh2 mixes up its keys when a verdict comes later than the packets behind it. */
  readonly accept: (key: HostKey, certified?: Certified) => boolean;
  readonly signal: AbortSignal;
};

/** What came of a dial: a link, or a key that was not accepted, in which case no login was tried. */
export type Dialled = { readonly link: Link } | Refused;

/** A key that was not accepted, with the certificate that it came with. */
export type Refused = { readonly refused: HostKey; readonly certified?: Certified | undefined };

/** One handshake and one login, over whatever leads to the host. */
export type Handshake = {
  /** Rejects with why it came to nothing; the pipe is let go of then. */
  readonly over: (pipe: Pipe, signal: AbortSignal) => Promise<Dialled>;
  readonly phase: () => Phase;
  /** The failure of the login, as it stands, with this reason. */
  readonly loginFailure: (why: string) => Failure;
};

type Parts = { readonly clock: Clock; readonly log: Log; readonly heartbeat: Heartbeat };

/** Prepares a handshake by ssh2. */
export const handshakeWith = (
  { Client, utils }: typeof import('ssh2'),
  host: Host,
  plan: Plan,
  { clock, log, heartbeat }: Parts,
): Handshake => {
  const client = new Client();
  const guard = guardKey(client, plan.accept, clock);
  const login = attemptLogin(host, { client, parseKey: utils.parseKey, clock });
  const progress = follow(client, login, clock);
  const over: Handshake['over'] = async (pipe, signal) => {
    progress.connected();
    const config = { ...settings(host, plan, heartbeat), hostVerifier: guard.verify, authHandler: progress.handler };
    try {
      await untilReady(client, { ...config, sock: pipe.stream }, { pipe, login, signal, plan });
      const found = {
        client,
        pipe,
        hostKey: guard.accepted(),
        roundTripMs: progress.roundTripMs(),
        login: login.took(),
      };
      return { link: ssh2Link(host, found, { heartbeat, log }) };
    } catch (error) {
      client.end();
      pipe.end();
      const refused = guard.refused();
      if (refused !== undefined) return refused;
      throw error;
    }
  };
  return { over, phase: progress.phase, loginFailure: login.failure };
};

const settings = (host: Host, { algorithms }: Plan, { pingMs }: Heartbeat): ConnectConfig => ({
  username: host.user,
  ident: 'sallyport',
  algorithms,
  // All of it has one time to be done in, from before there is a connection.
  readyTimeout: 0,
  keepaliveInterval: pingMs,
  // The pings are ssh2's, the judgement is the heartbeat's.
  keepaliveCountMax: Number.MAX_SAFE_INTEGER,
});

type Line = {
  readonly pipe: Pipe;
  readonly login: Attempt;
  readonly signal: AbortSignal;
  readonly plan: Plan;
};

const untilReady = (client: Client, config: ConnectConfig, line: Line): Promise<void> =>
  new Promise((resolve, reject) => {
    const { pipe, login, signal, plan } = line;
    if (signal.aborted || pipe.stream.destroyed) return reject(signal.reason);
    client.on('ready', resolve);
    // For good, because ssh2 emits a second error after the first; an agent's failure only ends that way to log in.
    client.on('error', error => {
      if (levelOf(error) !== 'agent') reject(error);
    });
    client.on('close', () => reject(undefined));
    client.on('change password', () => reject(login.failure('The password has expired.')));
    // What a host opens towards us is refused, also where ssh2 would only not answer; but where it was asked to listen.
    client.on('unix connection', (_details, _accept, refuse) => refuse());
    client.on('x11', (_details, _accept, refuse) => refuse());
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    void login.exhausted.then(reject);
    client.connect(config);
    if (plan.certificates !== undefined) offerCertificates(client, plan.certificates.types, plan.certificates.known);
    limitHandshake(client, pipe, reject);
  });

/** A handshake takes about 4 KiB. ssh2 reads a greeting from its start again with each packet: a long one would keep it busy. */
const MAX_HANDSHAKE_BYTES = 128 * 1024;

const limitHandshake = (client: Client, { stream, received }: Pipe, exceeded: (error: Error) => void): void => {
  const count = (): void => {
    if (received() > MAX_HANDSHAKE_BYTES) exceeded(new Error('the handshake is too long'));
  };
  stream.on('data', count);
  client.once('handshake', () => stream.off('data', count));
};

/**
 * Follows how far a dial has come, and measures one round trip to the host itself, whatever lies between: from the request for
 * the login service to its acceptance (RFC 4253 section 10), which costs the host nothing.
 */
const follow = (client: Client, login: Attempt, clock: Clock) => {
  let phase: Phase = 'connecting';
  let askedAt = 0;
  let roundTripMs: number | undefined;
  client.once('handshake', () => {
    phase = 'login';
    askedAt = clock.monoMs();
  });
  const handler: Attempt['handler'] = (...asked) => {
    roundTripMs ??= clock.monoMs() - askedAt;
    login.handler(...asked);
  };
  const connected = (): void => {
    phase = 'handshake';
  };
  return { phase: () => phase, connected, handler, roundTripMs: () => roundTripMs ?? 0 };
};

/** Asks for a verdict once; every rekey after that must present the very same key, or the very same certificate. */
const guardKey = (client: Client, accept: Plan['accept'], clock: Clock) => {
  let accepted: { readonly blob: Buffer; readonly key: HostKey } | undefined;
  let refused: Refused | undefined;
  const verify = (blob: Buffer): boolean => {
    if (accepted !== undefined && !accepted.blob.equals(blob)) return false;
    const certificate = readCertificate(blob);
    const key = certificate?.certified ?? readHostKey(blob);
    const certified = certificate && { certificate, wallMs: clock.wallMs() };
    if (accepted === undefined) {
      if (key === undefined || !accept(key, certified)) refused = key && { refused: key, certified };
      else accepted = { blob: Buffer.from(blob), key };
    }
    if (certificate !== undefined) checkByCertifiedKey(client, certificate);
    return accepted !== undefined;
  };
  return { verify, accepted: () => given(accepted?.key), refused: () => refused };
};

const given = (key: HostKey | undefined): HostKey => {
  if (key === undefined) throw new Error('a login before a verdict on the host key');
  return key;
};
