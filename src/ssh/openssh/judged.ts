import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Failure } from '../../errors.ts';
import { forbidden } from '../dial/dial-failure.ts';
import { isOneHost, literalOf, type MayDial } from '../dial/networks.ts';
import type { Host } from '../host.ts';
import { knownName } from '../trust/known-hosts.ts';

/** What may be dialled, and how a name is looked up to find out. */
export type Limits = {
  readonly lookUp: (name: string) => Promise<readonly LookupAddress[]>;
  /** The addresses that may be dialled: every one unless given. */
  readonly mayDial?: MayDial | undefined;
  /** Whether `mayDial` refuses any; it does unless said otherwise. */
  readonly isLimited?: (() => boolean) | undefined;
};

/**
 * The host as OpenSSH may be told it, no address on the way being one that is never dialled. Where the networks are limited,
 * what this machine dials, the host or the first hop towards it, goes by an address that was judged, so that no name can stand
 * for another one a moment later.
 */
export const judged = async (host: Host, limits: Limits): Promise<Host> => {
  const { mayDial = isOneHost, isLimited = () => limits.mayDial !== undefined } = limits;
  for (let hop: Host | undefined = host; hop !== undefined; hop = hop.via) judgeLiteral(hop, mayDial);
  return isLimited() ? await placed(host, { ...limits, mayDial }) : host;
};

const judgeLiteral = (host: Host, mayDial: MayDial): void => {
  const address = literalOf(host.address);
  if (isIP(address) > 0 && !(isOneHost(address) && mayDial(address))) throw forbidden(host, [address]);
};

type Judge = { readonly mayDial: MayDial; readonly lookUp: Limits['lookUp'] };

const placed = async (host: Host, judge: Judge): Promise<Host> => {
  if (host.alias !== undefined) throw unjudged(host);
  return host.via === undefined ? await looked(host, judge) : { ...host, via: await placed(host.via, judge) };
};

const looked = async (host: Host, { mayDial, lookUp }: Judge): Promise<Host> => {
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
