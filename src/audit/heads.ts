import type { Log } from '../call.ts';
import type { Head, Store } from '../state/store.ts';
import type { Later } from './committer.ts';

/** Where the files of this process end, told to the state store, so that a cut tail or a missing file shows. */
export type Heads = {
  /** Tells it at once when it was quiet, else within 100 ms. */
  readonly publish: (head: Head) => void;
  /** Tells what is still to be told. */
  readonly flush: () => void;
};

const QUIET_MS = 100;

/** Heads are a second line of defence: a store that does not take one delays nothing. */
export const makeHeads = (store: Store, log: Log, later: Later): Heads => {
  const pending = new Map<string, Head>();
  let quiet = true;
  let complained = false;
  const tell = async (head: Head): Promise<void> => {
    try {
      await store.setHead(head);
      complained = false;
    } catch (error) {
      if (!complained)
        log('warn', 'the end of the audit is not vouched for', { file: head.file, error: String(error) });
      complained = true;
    }
  };
  const flush = (): void => {
    const heads = [...pending.values()];
    pending.clear();
    for (const head of heads) void tell(head);
  };
  const beat = (): void => {
    quiet = pending.size === 0;
    if (quiet) return;
    flush();
    later(QUIET_MS, beat);
  };
  return {
    publish: head => {
      pending.set(head.file, head);
      if (quiet) beat();
    },
    flush,
  };
};
