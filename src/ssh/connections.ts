import { Failure } from '../errors.ts';
import type { Connection, Connections } from './connection.ts';
import { HostConnection, type Parts } from './host-connection.ts';
import type { Inventory } from './inventory.ts';

/** Connections to these hosts, none of them dialled. */
export const createConnections = (inventory: Inventory, parts: Parts): Connections => {
  const connections = new Map<string, HostConnection>();
  let shut = false;
  const get = (name: string): Connection => {
    const existing = connections.get(name);
    if (existing !== undefined) return existing;
    const host = inventory.get(name);
    if (host === undefined) throw new Failure('UNKNOWN_HOST', `No host is called ${JSON.stringify(name)}.`);
    const connection = new HostConnection(host, parts);
    if (shut) connection.shut();
    connections.set(name, connection);
    return connection;
  };
  return {
    get,
    all: () => [...connections.values()],
    closeAll: () => {
      shut = true;
      for (const connection of connections.values()) connection.shut();
    },
  };
};
