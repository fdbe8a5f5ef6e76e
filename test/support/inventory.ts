import type { Host } from '../../src/ssh/host.ts';
import type { Inventory } from '../../src/ssh/inventory.ts';

/** An inventory that a test changes, as an edit of the configuration would. */
export type ChangingInventory = Inventory & {
  /** These hosts from now on; says the names of those that are gone or others now. */
  readonly change: (hosts: readonly Host[]) => void;
};

/** One that begins with these hosts. */
export const changingInventory = (first: readonly Host[]): ChangingInventory => {
  let hosts = new Map(first.map(host => [host.name, host]));
  const listeners: ((names: readonly string[]) => void)[] = [];
  return {
    all: () => [...hosts.values()],
    get: name => hosts.get(name),
    ready: async () => undefined,
    onChange: listener => void listeners.push(listener),
    change: next => {
      const before = hosts;
      hosts = new Map(next.map(host => [host.name, host]));
      const names = [...before.values()].filter(host => hosts.get(host.name) !== host).map(({ name }) => name);
      for (const listener of listeners) listener(names);
    },
  };
};
