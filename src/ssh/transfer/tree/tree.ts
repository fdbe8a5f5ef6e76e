import { holdDiskThread } from './disk-thread.ts';
import { deleteExtra } from './extra.ts';
import { fetchTree } from './fetch.ts';
import { runOf, type Tree } from './run.ts';
import { sendTree } from './send.ts';
import type { TreeCounts } from './tally.ts';

/**
 * Copies what is in one folder into another, which is made when it is missing and merged into when it is there (`rsync -a from/ to/`). Each entry
 * is judged; what is refused, or goes wrong by itself, is left out and counted. Rejects with what ended the whole, and `details.copied` says how
 * far it was: no file stands half done under its final name, and copying again moves only what is missing.
 */
export const copyTree = async (tree: Tree, direction: 'upload' | 'download'): Promise<TreeCounts> => {
  const run = runOf(tree);
  const release = holdDiskThread();
  try {
    await (direction === 'upload' ? sendTree(run) : fetchTree(run));
    run.outcome();
    if (direction === 'upload' && tree.deleteExtra) await run.attempt('', async () => await deleteExtra(run));
    return run.outcome();
  } finally {
    release();
  }
};
