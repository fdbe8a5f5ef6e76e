import type { Host } from './host.ts';

/** The hosts that may be reached, as the configuration has them now: it may change while this process runs. */
export type Inventory = {
  readonly all: () => readonly Host[];
  readonly get: (name: string) => Host | undefined;
  /** Resolves when the hosts have been read once, whatever is read anew since; never rejects. */
  readonly ready: () => Promise<void>;
  /** Calls back after each change with the names of the hosts that are gone or are others now. */
  readonly onChange: (listener: (names: readonly string[]) => void) => void;
};

/** An inventory that stays as it is. */
export const fixedInventory = (hosts: readonly Host[]): Inventory => {
  const byName = new Map(hosts.map(host => [host.name, host]));
  return {
    all: () => hosts,
    get: name => byName.get(name),
    ready: async () => undefined,
    onChange: () => undefined,
  };
};
