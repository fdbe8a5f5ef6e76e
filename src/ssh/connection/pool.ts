import type { DialLimits } from '../dial/networks.ts';
import type { Host } from '../host.ts';
import type { Peer } from './connection.ts';
import type { HostConnection } from './host-connection.ts';

/** The connections of a process: to hosts by their names, and to those that only lead to hosts by their accounts. */
export class Pool {
  readonly #make: (host: Host) => HostConnection;
  readonly #hosts = new Map<string, HostConnection>();
  readonly #hops = new Map<string, HostConnection>();
  /** Nobody can ask for them any more; each closes when what ran there has been stopped. */
  readonly #retired = new Set<HostConnection>();

  /** `make` makes a connection that nobody has dialled yet. */
  constructor(make: (host: Host) => HostConnection) {
    this.#make = make;
  }

  find(name: string): HostConnection | undefined {
    return this.#hosts.get(name);
  }

  host(host: Host): HostConnection {
    return entry(this.#hosts, host.name, () => this.#make(host));
  }

  hop(hop: Host): HostConnection {
    return entry(this.#hops, accountOf(hop), () => this.#make(hop));
  }

  hosts(): readonly HostConnection[] {
    return [...this.#hosts.values()];
  }

  all(): readonly HostConnection[] {
    return [...this.#hosts.values(), ...this.#hops.values(), ...this.#retired];
  }

  /** Gives up the hosts of these names, and what leads to none of `hosts`: who still leads to one is not ended because another changed. */
  changed(names: readonly string[], hosts: readonly Host[]): void {
    const leading = new Set(hosts.flatMap(hopsOf));
    const idle = [...this.#hops.values()].filter(({ host }) => !leading.has(host));
    this.#retire([...names.flatMap(name => this.#hosts.get(name) ?? []), ...idle]);
  }

  /**
   * Gives up what stands to an address that may not be dialled, or to one that only OpenSSH knows where they are limited, and
   * what is led through such a one; the names of the hosts.
   */
  rejudge({ mayDial, isLimited }: DialLimits): readonly string[] {
    const isBarred = ({ host }: HostConnection, { address }: Peer): boolean => {
      const unjudged = host.transport === 'openssh' && (host.alias !== undefined || address === undefined);
      return address === undefined || unjudged ? unjudged && isLimited() : !mayDial(address);
    };
    const open = [...this.#hosts.values(), ...this.#hops.values()];
    const barred = open.filter(connection => connection.peers().some(peer => isBarred(connection, peer)));
    const accounts = new Set(barred.map(({ host }) => accountOf(host)));
    const led = this.hosts().filter(({ host }) => [host, ...hopsOf(host)].some(one => accounts.has(accountOf(one))));
    this.#retire([...new Set([...led, ...barred])]);
    return led.map(({ host }) => host.name);
  }

  #retire(connections: readonly HostConnection[]): void {
    for (const old of this.#retired) if (old.state() !== 'ready') this.#retired.delete(old);
    for (const connection of connections) {
      const { host } = connection;
      if (this.#hosts.get(host.name) === connection) this.#hosts.delete(host.name);
      if (this.#hops.get(accountOf(host)) === connection) this.#hops.delete(accountOf(host));
      this.#retired.add(connection);
      connection.retire();
    }
  }
}

/** What makes two descriptions of a host the same one to connect to. */
export const accountOf = ({ name, address, port, user }: Host): string => JSON.stringify([name, address, port, user]);

const hopsOf = ({ via }: Host): readonly Host[] => (via === undefined ? [] : [via, ...hopsOf(via)]);

const entry = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
};
