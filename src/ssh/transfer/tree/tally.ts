import type { Failure } from '../../../errors.ts';
import type { LeftOut, Transferred } from '../transfer.ts';

/** What a tree came to, without what its caller knows already. */
export type TreeCounts = Omit<
  Extract<Transferred, { readonly what: 'tree' }>,
  'host' | 'direction' | 'remotePath' | 'localPath' | 'durationMs'
>;

/** What is counted one by one. */
export type Counted = 'files' | 'unchanged' | 'folders' | 'links' | 'deleted';

/** Why something was left out: it was told to be, by the policy or the choice of links or as no file at all; or something went wrong. */
export type Left = 'meant' | 'failed';

/** The book that is kept of a tree. */
export type Tally = {
  readonly count: (what: Counted) => void;
  readonly moved: (bytes: number) => void;
  readonly leaveOut: (path: string, why: Failure, how: Left) => void;
  /** How many were left out because something went wrong. */
  readonly failed: () => number;
  readonly counts: () => TreeCounts;
};

/** Who else hears of it. */
type Listener = { readonly moved: (bytes: number) => void; readonly filed: () => void };

/** An empty book that tells `told` of what is left out. */
export const tallyOf = (told: number, listener: Listener): Tally => {
  const counted = { files: 0, unchanged: 0, folders: 0, links: 0, deleted: 0 };
  const leftOut: LeftOut[] = [];
  let bytes = 0;
  let leftOutCount = 0;
  let failed = 0;
  return {
    count: what => {
      counted[what] += 1;
      if (what === 'files') listener.filed();
    },
    moved: more => {
      bytes += more;
      listener.moved(more);
    },
    leaveOut: (path, why, how) => {
      leftOutCount += 1;
      if (how === 'failed') failed += 1;
      if (leftOut.length < told) leftOut.push({ path, why });
    },
    failed: () => failed,
    counts: () => ({ what: 'tree', ...counted, bytes, leftOut: [...leftOut], leftOutCount }),
  };
};
