import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Failure } from '../../errors.ts';
import { forbidden } from '../dial-failure.ts';
import type { Host } from '../host.ts';
import { knownName } from '../known-hosts.ts';
import { isOneHost, type MayDial } from '../networks.ts';

/** What may be dialled, and how a name is looked up to find out. */
export type Limits = {
  readonly lookUp: (name: string) => Promise<readonly LookupAddress[]>;
  /** The addresses that may be dialled: every one unless given. */
  readonly mayDial?: MayDial | undefined;
  /** Whether `mayDial` refuses any; it does unless said otherwise. */
  readonly isLimited?: (() => boolean) | undefined;
};

/**
 * The host as OpenSSH may be told it where the networks are limited: what this machine dials, the host or the first hop
 * towards it, by an address that was judged, so that no name can stand for another one a moment later.
 */
export const judged = async (host: Host, limits: Limits): Promise<Host> => {
  const { mayDial } = limits;
  if (mayDial === undefined || limits.isLimited?.() === false) return host;
  if (host.alias !== undefined) throw unjudged(host);
  if (host.via === undefined) return await looked(host, mayDial, limits.lookUp);
  if (isIP(host.address) > 0 && !mayDial(host.address)) throw forbidden(host, [host.address]);
  return { ...host, via: await judged(host.via, limits) };
};

const looked = async (host: Host, mayDial: MayDial, lookUp: Limits['lookUp']): Promise<Host> => {
  const found = isIP(host.address) > 0 ? [host.address] : (await lookUp(host.address)).map(({ address }) => address);
  const address = found.find(one => isOneHost(one) && mayDial(one));
  if (address === undefined) throw forbidden(host, found);
  return { ...host, address, keyAlias: host.keyAlias ?? knownName(host.address, host.port) };
};

const unjudged = ({ name }: Host): Failure =>
  new Failure(
    'UNSUPPORTED',
    `The networks that may be dialled are limited, and ssh_config alone says where ${name} is.`,
    {
      next: 'Ask the operator to describe the host in config.json.',
      details: { host: name },
    },
  );
