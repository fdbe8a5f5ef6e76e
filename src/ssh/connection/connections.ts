import type { Log, Random } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { LINK_CAPS, type LinkCaps } from '../caps.ts';
import { dialOut } from '../dial/dial-out.ts';
import type { Reach } from '../dial/reach.ts';
import type { Host } from '../host.ts';
import type { Inventory } from '../inventory.ts';
import { type After, after } from '../timer.ts';
import type { Connection, Connections } from './connection.ts';
import { createDialQueue } from './dial-queue.ts';
import { HostConnection } from './host-connection.ts';
import type { Link } from './link.ts';
import type { LinkMeans } from './links.ts';
import { Refusals } from './patience.ts';
import { accountOf, Pool } from './pool.ts';
import type { LeaseTimes } from './warden.ts';

/** What connections need from outside. */
export type Parts = Omit<Reach, 'carry'> & {
  readonly random: Random;
  readonly log: Log;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** The real timers unless given. */
  readonly after?: After;
  /** How long remote work may outlive us; without it nothing stands on a host to see to that. */
  readonly lease?: LeaseTimes;
  readonly caps?: Partial<LinkCaps>;
};

/** Connections to these hosts, none of them dialled; those to hosts that lead to others are shared with whoever uses those. */
export const createConnections = (inventory: Inventory, parts: Parts): Connections => {
  let shut = false;
  const pool = new Pool(host => {
    const connection = new HostConnection(host, means);
    if (shut) connection.shut();
    return connection;
  });
  const carry = async (hop: Host, signal: AbortSignal): Promise<Link> => {
    const configured = inventory.get(hop.name);
    const own = configured !== undefined && accountOf(configured) === accountOf(hop);
    return await (own ? pool.host(configured) : pool.hop(hop)).carry(signal);
  };
  const means = meansOf(parts, carry);
  inventory.onChange(names => pool.changed(names, inventory.all()));
  return {
    get: (name): Connection => {
      const host = inventory.get(name);
      const connection = pool.find(name) ?? (host === undefined ? undefined : pool.host(host));
      if (connection === undefined) throw new Failure('UNKNOWN_HOST', `No host is called ${JSON.stringify(name)}.`);
      return connection;
    },
    all: () => pool.hosts(),
    dialOut: async (to, signal) => await dialOut(to, parts, signal),
    mayDialOut: address => parts.mayDial?.(address) !== false,
    rejudge: () => {
      const { mayDial, isLimited = () => true } = parts;
      return mayDial === undefined ? [] : pool.rejudge({ mayDial, isLimited });
    },
    closeAll: () => {
      shut = true;
      for (const connection of pool.all()) connection.shut();
    },
  };
};

const meansOf = (
  parts: Parts,
  carry: (hop: Host, signal: AbortSignal) => Promise<Link>,
): LinkMeans & { readonly carry: typeof carry } => {
  const refusals = new Refusals(parts.clock);
  const usual = { after, ...parts, caps: { ...LINK_CAPS, ...parts.caps }, refusals, carry };
  return { ...usual, queue: createDialQueue(usual) };
};
