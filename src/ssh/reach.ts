import { Failure } from '../errors.ts';
import { canOffer, offer } from './algorithms.ts';
import { type Dialled, dial, type Wires } from './dial.ts';
import type { Host } from './host.ts';
import type { HostKey } from './host-key.ts';
import type { Link } from './link.ts';
import { loadTrust, type Trust } from './trust.ts';

/** What reaching a host needs from outside. */
export type Reach = Wires & {
  /** The known_hosts files that are asked, in this order. */
  readonly knownHosts: readonly string[];
};

/** How to try this time: `prefer` is the key type that was right the last time. */
type Try = { readonly signal: AbortSignal; readonly prefer?: string };

/** Dials a host whose key is trusted, and no other: HOST_KEY_UNKNOWN, HOST_KEY_CHANGED or HOST_KEY_REVOKED before any login. */
export const reach = async (host: Host, { signal, prefer }: Try, parts: Reach): Promise<Link> => {
  const trust = await loadTrust(host, parts.knownHosts);
  for (const { file, line, message } of trust.problems)
    parts.log('warn', 'a line of known_hosts is not used', { file, line, message });
  if (trust.unreadable !== undefined) throw trust.unreadable;
  const first = prefer === undefined ? trust.types : [prefer, ...trust.types];
  const dialled = await dial(host, { algorithms: offer(first), accept: acceptedBy(trust), signal }, parts);
  if ('link' in dialled) return dialled.link;
  return await otherTypes(host, trust, dialled.refused, signal, parts);
};

const acceptedBy =
  (trust: Trust) =>
  (key: HostKey): boolean => {
    const verdict = trust.judge(key);
    return verdict === 'pinned' || verdict === 'known';
  };

/** A pin does not say its key's type: the host is asked for a key of each other type before the first one is held against it. */
const otherTypes = async (
  host: Host,
  trust: Trust,
  refused: HostKey,
  signal: AbortSignal,
  parts: Reach,
): Promise<Link> => {
  const verdict = trust.judge(refused);
  const refusal = trust.refusal(refused, verdict);
  if (trust.standing !== 'pinned' || verdict === 'revoked') throw refusal;
  for (let without = [refused.type]; canOffer(without); ) {
    const plan = { algorithms: offer(trust.types, without), accept: acceptedBy(trust), signal };
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

/** Fetches the key that a host presents, without logging in and without trusting it: for a person to compare. */
export const scan = async (host: Host, signal: AbortSignal, parts: Reach): Promise<HostKey> => {
  const trust = await loadTrust(host, parts.knownHosts);
  const dialled = await dial(host, { algorithms: offer(trust.types), accept: () => false, signal }, parts);
  if ('refused' in dialled) return dialled.refused;
  throw new Error('a key that was not accepted led to a login');
};
