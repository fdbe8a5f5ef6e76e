import type { Algorithms } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Link } from '../connection/link.ts';
import type { Host } from '../host.ts';
import { reachByOpenssh } from '../openssh/reach.ts';
import type { HostKey } from '../trust/host-key.ts';
import { type Certified, loadTrust, type Trust } from '../trust/trust.ts';
import { offer } from './algorithms.ts';
import type { Carry } from './carried.ts';
import { dial, type Wires } from './dial.ts';
import { noKeyLeft } from './dial-failure.ts';
import type { Dialled, Refused } from './handshake.ts';

/** What reaching a host needs from outside. */
export type Reach = Wires & {
  /** The known_hosts files that are asked, in this order. */
  readonly knownHosts: readonly string[];
  /** Whether a host of which no key is known is dialled all the same, so that its refusal names the key: where a person asks. */
  readonly meetsStrangers?: boolean;
  /** What an OpenSSH client is given as its environment: that of this process unless given. */
  readonly programEnv?: Readonly<Record<string, string | undefined>> | undefined;
};

/** How to try this time: `prefer` is the key type that was right the last time. */
type Try = { readonly signal: AbortSignal; readonly prefer?: string };

/**
 * Dials a host whose key is trusted, and no other: HOST_KEY_UNKNOWN, HOST_KEY_CHANGED or HOST_KEY_REVOKED before any login, and
 * before any packet when no key could be right.
 */
export const reach = async (host: Host, { signal, prefer }: Try, given: Reach): Promise<Link> => {
  if (host.transport === 'openssh') return await reachByOpenssh(host, { signal }, given);
  const parts = carrying(given);
  const trust = await loadTrust(host, parts.knownHosts);
  for (const { file, line, message } of trust.problems)
    parts.log('warn', 'a line of known_hosts is not used', { file, line, message });
  if (trust.unreadable !== undefined) throw trust.unreadable;
  const isStranger = trust.standing === 'unknown' && host.unreachable === undefined;
  if (isStranger && parts.meetsStrangers !== true) throw trust.stranger();
  const first = prefer === undefined ? trust.types : [prefer, ...trust.types];
  const certificates = { types: trust.certificates, known: trust.types };
  const plan = { algorithms: wish(host, first), certificates, accept: acceptedBy(trust), signal };
  const dialled = await dial(host, plan, parts);
  if ('link' in dialled) return dialled.link;
  return await otherTypes(host, trust, dialled, signal, parts);
};

const wish = (host: Host, first: readonly string[]): Algorithms => {
  const algorithms = offer({ first, only: host.keyAlgorithms });
  if (algorithms === undefined) throw noKeyLeft(host);
  return algorithms;
};

const acceptedBy =
  (trust: Trust) =>
  (key: HostKey, certified?: Certified): boolean => {
    const verdict = trust.judge(key, certified);
    return verdict === 'pinned' || verdict === 'known';
  };

/** A pin does not say its key's type: the host is asked for a key of each other type before the first one is held against it. */
const otherTypes = async (
  host: Host,
  trust: Trust,
  { refused, certified }: Refused,
  signal: AbortSignal,
  parts: Reach,
): Promise<Link> => {
  const verdict = trust.judge(refused, certified);
  const refusal = trust.refusal(refused, verdict, certified);
  if (trust.standing !== 'pinned' || verdict === 'revoked') throw refusal;
  for (let without = [refused.type]; ; ) {
    const algorithms = offer({ first: trust.types, without, only: host.keyAlgorithms });
    if (algorithms === undefined) break;
    const plan = { algorithms, accept: acceptedBy(trust), signal };
    const dialled = await dial(host, plan, parts).catch((error: unknown) => orNone(error));
    if (dialled === undefined) break;
    if ('link' in dialled) return dialled.link;
    if (trust.judge(dialled.refused) === 'revoked') throw trust.refusal(dialled.refused, 'revoked');
    without = [...without, dialled.refused.type];
  }
  throw refusal;
};

/** Undefined when the host has no key of the types that were left. */
const orNone = (error: unknown): Dialled | undefined => {
  if (error instanceof Failure && error.details.mismatch === 'host key format') return undefined;
  throw error;
};

/** Fetches the key that a host presents, without logging in and without trusting it: for a person to compare. Hops before it are trusted as ever. */
export const scan = async (host: Host, signal: AbortSignal, given: Reach): Promise<HostKey> => {
  const parts = carrying(given);
  const trust = await loadTrust(host, parts.knownHosts);
  const dialled = await dial(host, { algorithms: wish(host, trust.types), accept: () => false, signal }, parts);
  if ('refused' in dialled) return dialled.refused;
  throw new Error('a key that was not accepted led to a login');
};

/** Where nobody shares links, a hop gets one of its own for each connection that it carries, which ends with that. */
const carrying = (parts: Reach): Reach => {
  if (parts.carry !== undefined) return parts;
  const carry: Carry = async (hop, signal) => {
    const link = await reach(hop, { signal }, parts);
    const forward: Link['forward'] = async (address, port) => {
      const stream = await link.forward(address, port).catch((error: unknown) => {
        link.end();
        throw error;
      });
      return stream.once('close', link.end);
    };
    return { ...link, forward };
  };
  return { ...parts, carry };
};
