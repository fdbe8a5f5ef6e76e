import { isIP } from 'node:net';
import { contains, ipOf, type Network, networkOf } from '../../text/network.ts';

/** Networks as CIDR, or single addresses: what may be dialled, everything unless given, and what may not, which goes first. */
export type Networks = {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
};

/** Whether an IP address may be dialled; false for what is no IP address. */
export type MayDial = (address: string) => boolean;

/**
 * The judgement of some networks: IPv4 inside IPv6 counts as the IPv4 it is, and a network of one family says nothing about
 * the other. Throws when one of them is no network.
 */
export const networks = ({ allow, deny = [] }: Networks): MayDial => {
  const allowed = allow?.map(read);
  const denied = deny.map(read);
  return address => {
    // The zone of a link-local address (RFC 4007) says by which interface, not to whom.
    const ip = ipOf(address.replace(/%.*$/s, ''));
    if (ip === undefined || denied.some(network => contains(network, ip))) return false;
    return allowed === undefined || allowed.some(network => contains(network, ip));
  };
};

/** What may be dialled, by networks that may be others at the next dial, and whether anything that is one host may be. */
export type DialLimits = { readonly mayDial: MayDial; readonly isLimited: () => boolean };

/** The strictest of several networks, each looked up whenever it is asked. */
export const dialLimits = (...sources: readonly (() => Networks | undefined)[]): DialLimits => {
  const judged = new WeakMap<Networks, MayDial>();
  const judgementOf = (some: Networks): MayDial => {
    const judgement = judged.get(some) ?? networks(some);
    judged.set(some, judgement);
    return judgement;
  };
  return {
    mayDial: address => sources.every(source => judgementOf(source() ?? EVERYWHERE)(address)),
    isLimited: () => sources.some(source => source()?.allow !== undefined || (source()?.deny ?? []).length > 0),
  };
};

const EVERYWHERE: Networks = {};

const read = (text: string): Network => {
  const network = networkOf(text);
  if (network === undefined) throw new Error(`not a network: ${JSON.stringify(text)}`);
  return network;
};

/** Unspecified addresses, which some systems take for their own, multicast and broadcast. */
const NO_HOST = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::', 'ff00::/8'];

/** Whether an IP address can be that of one host. */
export const isOneHost: MayDial = networks({ deny: NO_HOST });

/** An address that is written as some programs write one, `127.1` or `0x7f000001`, as everybody does; what is none stays. */
export const literalOf = (address: string): string => {
  if (isIP(address) !== 0 || !/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(address)) return address;
  const url = `http://${address}`;
  return URL.canParse(url) ? new URL(url).hostname : address;
};
