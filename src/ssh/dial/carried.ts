import { isIP } from 'node:net';
import type { Link } from '../connection/link.ts';
import { unlessGivenUp } from '../given-up.ts';
import { type Host, MOST_HOPS } from '../host.ts';
import { forbidden, impassable, onTheWay, tooFar } from './dial-failure.ts';
import { isOneHost, literalOf, type MayDial } from './networks.ts';
import { forwardedPipe, type Pipe } from './pipe.ts';

/** A link to a host that is on the way to another: shared with everybody whose way goes through it. */
export type Carry = (hop: Host, signal: AbortSignal) => Promise<Link>;

/** The host that is one hop nearer, and the link to it. */
export type Hop = { readonly host: Host; readonly link: Link };

type Means = { readonly carry: Carry; readonly mayDial?: MayDial | undefined };

/**
 * The link to the last host before this one. An address is judged before anything is dialled; what a name stands for is known
 * to the hop alone, so that networks say nothing about a host that is reached by its name through another. Rejects as dialling
 * the hop does, saying what lies behind it.
 */
export const hopTo = async (host: Host, hop: Host, { carry, mayDial }: Means, signal: AbortSignal): Promise<Hop> => {
  let hops = 0;
  for (let at: Host | undefined = hop; at !== undefined; at = at.via) {
    hops += 1;
    if (hops > MOST_HOPS) throw tooFar(host, MOST_HOPS);
  }
  const address = literalOf(host.address);
  if (isIP(address) !== 0 && !(isOneHost(address) && mayDial?.(address) !== false)) throw forbidden(host, [address]);
  const link = await carry(hop, signal).catch((error: unknown) => {
    throw onTheWay(host, hop, error);
  });
  return { host: hop, link };
};

/** A connection that the hop makes to a host. */
export const connectThrough = async (host: Host, hop: Hop, signal: AbortSignal): Promise<Pipe> => {
  const pipe = hop.link.forward(literalOf(host.address), host.port).then(forwardedPipe, (error: unknown) => {
    throw impassable(host, hop.host, error);
  });
  return await unlessGivenUp(pipe, signal).catch((error: unknown) => {
    pipe.then(
      late => late.end(),
      () => undefined,
    );
    throw error;
  });
};
