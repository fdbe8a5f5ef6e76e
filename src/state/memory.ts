import { randomBytes } from 'node:crypto';
import type { Clock } from '../call.ts';
import type { Pages } from './book.ts';
import { closed, storeOver } from './counting.ts';
import type { Head, Store } from './store.ts';

/** Longer than any process lives: what is held here ends with its holder anyway. */
const FOR_EVER_MS = 2 ** 50;

/** A store that ends with the process and is shared with no other: for tests, and for a server without limits. */
export const memoryStore = (clock: Clock): Store => {
  const texts = new Map<string, string>();
  const heads = new Map<string, Head>();
  let open = true;
  const opened = (): void => {
    if (!open) throw closed();
  };
  const pages: Pages = { get: name => texts.get(name), put: (name, text) => void texts.set(name, text) };
  const keeping = {
    transact: async <Out>(work: (pages: Pages) => Out): Promise<Out> => {
      opened();
      return work(pages);
    },
    setHead: async (head: Head): Promise<void> => {
      opened();
      if ((heads.get(head.file)?.seq ?? -1) <= head.seq) heads.set(head.file, head);
    },
    heads: async (): Promise<readonly Head[]> => {
      opened();
      return [...heads.values()];
    },
    close: () => {
      open = false;
    },
  };
  const nothing = (): void => undefined;
  const counting = { clock, random: randomBytes, log: nothing, leaseMs: FOR_EVER_MS, every: () => nothing };
  return storeOver(keeping, counting);
};
