import type { LookupAddress } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import { Failure } from '../../errors.ts';
import { unlessGivenUp } from '../given-up.ts';
import { networkWord } from './dial-failure.ts';
import { connectToAny, type Network } from './direct.ts';
import { isOneHost, networks } from './networks.ts';

/** Where a tunnel leads: a name or an address in its plain form (`text/plain-host.ts`), and a port. */
export type Destination = { readonly host: string; readonly port: number };

/**
 * A TCP connection from this machine, which can be ended one way and read on. A name is looked up once: each address that it
 * stands for must be one that may be dialled, and be neither this machine's nor its link's, and one of those is dialled.
 * Rejects with UNREACHABLE or CANCELLED.
 */
export const dialOut = async (to: Destination, network: Network, signal: AbortSignal): Promise<Socket> => {
  try {
    const addresses = await unlessGivenUp(addressesOf(to, network), signal);
    const connect: Network['connect'] = options => network.connect({ ...options, allowHalfOpen: true });
    return await connectToAny({ address: to.host, port: to.port }, addresses, { connect }, signal);
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new Failure('UNREACHABLE', `${to.host}:${to.port} ${networkWord(code)}.`, { cause: error });
  }
};

const addressesOf = async (to: Destination, { lookUp, mayDial }: Network): Promise<readonly LookupAddress[]> => {
  const known = knownOf(to.host);
  const found = known ?? (await lookUp(to.host));
  const isFit = ({ address }: LookupAddress): boolean =>
    isOneHost(address) && mayDial?.(address) !== false && (known !== undefined || isElsewhere(address));
  const fit = found.filter(isFit);
  // Of localhost one is enough; a name that stands for one thing too many is not the name that was granted.
  if (fit.length > 0 && (known !== undefined || fit.length === found.length)) return fit;
  const message = `${to.host}:${to.port} is not dialled: it stands for an address that may not be.`;
  throw new Failure('UNREACHABLE', message, {
    operator: `${message} Its addresses are ${found.map(({ address }) => address).join(', ') || 'none'}.`,
    next: 'Ask the operator: networks of the configuration and the policy say which may be dialled, and this machine is asked for as localhost.',
  });
};

/** What needs no name server, whatever that says of localhost (RFC 6761 section 6.3). */
const knownOf = (host: string): readonly LookupAddress[] | undefined => {
  if (host === 'localhost') return [at('127.0.0.1'), at('::1')];
  return isIP(host) === 0 ? undefined : [at(host)];
};

const at = (address: string): LookupAddress => ({ address, family: isIP(address) });

/** A name that somebody else resolves does not open what listens for this machine alone, or for its link. */
const isElsewhere = networks({ deny: ['127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10'] });
