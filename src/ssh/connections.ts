import type { Log, Random } from '../call.ts';
import { Failure } from '../errors.ts';
import { LINK_CAPS, type LinkCaps } from './caps.ts';
import type { Connection, Connections } from './connection.ts';
import { createDialQueue } from './dial-queue.ts';
import type { Host } from './host.ts';
import { HostConnection } from './host-connection.ts';
import type { Inventory } from './inventory.ts';
import type { Link } from './link.ts';
import type { LinkMeans } from './links.ts';
import { Refusals } from './patience.ts';
import type { Reach } from './reach.ts';
import { type After, after } from './timer.ts';
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
  const connections = new Map<string, HostConnection>();
  const hops = new Map<string, HostConnection>();
  const retired = createRetired();
  let shut = false;
  const make = (host: Host): HostConnection => {
    const connection = new HostConnection(host, means);
    if (shut) connection.shut();
    return connection;
  };
  const named = (host: Host): HostConnection => entry(connections, host.name, () => make(host));
  const carry = async (hop: Host, signal: AbortSignal): Promise<Link> => {
    const configured = inventory.get(hop.name);
    const own = configured !== undefined && accountOf(configured) === accountOf(hop);
    const connection = own ? named(configured) : entry(hops, accountOf(hop), () => make(hop));
    return await connection.carry(signal);
  };
  const means = meansOf(parts, carry);
  inventory.onChange(names => {
    // Who still leads to a host, as it did, is not ended because another host changed.
    const leading = new Set(inventory.all().flatMap(hopsOf));
    const left = [...hops].filter(([, { host }]) => !leading.has(host));
    retired.take([...names.flatMap(name => connections.get(name) ?? []), ...left.map(([, connection]) => connection)]);
    for (const name of names) connections.delete(name);
    for (const [account] of left) hops.delete(account);
  });
  return {
    rejudge: () => {
      const barred = [...connections.values(), ...hops.values()].filter(isBarred(parts));
      const lost = new Set(barred.map(({ host }) => accountOf(host)));
      for (const [account] of hops) if (lost.has(account)) hops.delete(account);
      const led = [...connections.values()].filter(({ host }) =>
        [host, ...hopsOf(host)].some(one => lost.has(accountOf(one))),
      );
      for (const { host } of led) connections.delete(host.name);
      retired.take([...new Set([...led, ...barred])]);
      return led.map(({ host }) => host.name);
    },
    get: (name): Connection => {
      const host = inventory.get(name);
      const connection = connections.get(name) ?? (host === undefined ? undefined : named(host));
      if (connection === undefined) throw new Failure('UNKNOWN_HOST', `No host is called ${JSON.stringify(name)}.`);
      return connection;
    },
    all: () => [...connections.values()],
    closeAll: () => {
      shut = true;
      for (const connection of [...connections.values(), ...hops.values(), ...retired.all()]) connection.shut();
    },
  };
};

/** Connections that nobody can ask for any more, and that close when what ran there has been stopped. */
const createRetired = () => {
  const retired = new Set<HostConnection>();
  const take = (connections: readonly HostConnection[]): void => {
    for (const old of retired) if (old.state() !== 'ready') retired.delete(old);
    for (const connection of connections) {
      retired.add(connection);
      connection.retire();
    }
  };
  return { take, all: () => [...retired] };
};

const entry = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
};

/** Whether a connection stands to an address that may not be dialled now. */
const isBarred =
  ({ mayDial }: Parts) =>
  (connection: HostConnection): boolean =>
    connection.peers().some(({ address }) => address !== undefined && mayDial?.(address) === false);

const hopsOf = ({ via }: Host): readonly Host[] => (via === undefined ? [] : [via, ...hopsOf(via)]);

const accountOf = ({ name, address, port, user }: Host): string => JSON.stringify([name, address, port, user]);

const meansOf = (
  parts: Parts,
  carry: (hop: Host, signal: AbortSignal) => Promise<Link>,
): LinkMeans & { readonly carry: typeof carry } => {
  const refusals = new Refusals(parts.clock);
  const usual = { after, ...parts, caps: { ...LINK_CAPS, ...parts.caps }, refusals, carry };
  return { ...usual, queue: createDialQueue(usual) };
};
