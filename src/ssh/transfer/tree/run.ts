import type { Links, Random } from '../../../call.ts';
import { Failure } from '../../../errors.ts';
import type { FileLeave } from '../../../gate/file-leave.ts';
import { givenUp, type Job } from '../job.ts';
import type { LocalPlace } from '../local-place.ts';
import { keyOf } from '../part.ts';
import { chargingOf } from './charging.ts';
import { entryFailure, isHalting } from './faults.ts';
import {
  BIG_AT_ONCE,
  BYTES_AT_ONCE,
  FILES_AT_ONCE,
  FOLDERS_AT_ONCE,
  KEPT_ENTRIES,
  TREE_LIMITS,
  type TreeLimits,
} from './limits.ts';
import { type Slots, slotsOf } from './slots.ts';
import { type Tally, type TreeCounts, tallyOf } from './tally.ts';

/** A tree to be copied. */
export type Tree = {
  readonly job: Job;
  /** The real path on the host, not yet judged; what is not there yet has its last name of its own. */
  readonly remotePath: string;
  readonly local: LocalPlace;
  readonly links: Links;
  readonly resume: boolean;
  /** Uploads: whether what is only on the host is deleted at the end. */
  readonly deleteExtra: boolean;
  /** One more file was copied. */
  readonly filed: () => void;
  readonly limits?: Partial<TreeLimits>;
};

/** A copy of a tree that is under way. */
export type Run = Omit<Tree, 'limits'> & {
  readonly limits: TreeLimits;
  readonly tally: Tally;
  /** As the tally's; but without its root there is no tree, and all is over. */
  readonly leaveOut: Tally['leaveOut'];
  /** The leave's charge, taken together with those of the others. */
  readonly charge: FileLeave['charge'];
  /** In the names of small files that are not finished (`part.ts`): those of one tree and grant. */
  readonly key: string;
  /** For names: many are drawn at a time. */
  readonly random: Random;
  readonly files: Slots;
  readonly bytes: Slots;
  readonly big: Slots;
  readonly folders: Slots;
  /** Entries that may still be kept to compare with. */
  readonly kept: { left: number };
  /** Whether nothing more is to be begun. */
  readonly over: () => boolean;
  /** Throws when nothing more is to be begun. */
  readonly goOn: () => void;
  /** Counts an entry that was met; when there are too many, it is all over. */
  readonly meet: () => void;
  /** Does something about one entry: what goes wrong with it alone leaves it out, anything else ends the whole. Never rejects. */
  readonly attempt: (path: string, work: () => Promise<void>) => Promise<void>;
  /** The counts; throws the first thing that ended the whole. */
  readonly outcome: () => TreeCounts;
};

/** Begins one. */
export const runOf = (tree: Tree): Run => {
  const { job } = tree;
  const limits = { ...TREE_LIMITS, ...tree.limits };
  const tally = tallyOf(limits.told, { moved: job.moved, filed: tree.filed });
  const end = endOf(job);
  let met = 0;
  const leaveOut: Tally['leaveOut'] = (path, why, how) =>
    path === '' ? end.halt(why) : tally.leaveOut(path, why, how);
  return {
    ...tree,
    ...{ limits, tally, leaveOut, over: end.over, charge: chargingOf(job.ground.leave) },
    key: keyOf({ grant: job.grant, to: tree.remotePath, size: 0, modifiedMs: 0 }),
    random: inAdvance(job.random),
    ...roomFor(job.ground.sftp.handles()),
    goOn: () => {
      if (end.over()) throw new Halted();
    },
    meet: () => {
      met += 1;
      if (met > limits.entries) end.halt(tooMany(limits.entries));
    },
    attempt: async (path, work) => {
      try {
        await work();
      } catch (error) {
        if (end.over() || error instanceof Halted) return;
        const why = entryFailure(job.ground, path === '' ? tree.remotePath : path, error);
        if (isHalting(error) || !(why instanceof Failure)) end.halt(why);
        else leaveOut(path, why, 'failed');
      }
    },
    outcome: () => {
      if (end.over()) throw withCounts(end.cause(), tally.counts());
      return tally.counts();
    },
  };
};

const roomFor = (handles: number) => ({
  files: slotsOf(Math.max(1, Math.min(FILES_AT_ONCE, Math.floor(handles / 2)))),
  bytes: slotsOf(BYTES_AT_ONCE),
  big: slotsOf(BIG_AT_ONCE),
  folders: slotsOf(FOLDERS_AT_ONCE),
  kept: { left: KEPT_ENTRIES },
});

const DRAWN_BYTES = 4_096;

const inAdvance = (random: Random): Random => {
  let drawn: Buffer = Buffer.alloc(0);
  return bytes => {
    if (drawn.length < bytes) drawn = random(DRAWN_BYTES);
    const some = drawn.subarray(0, bytes);
    drawn = drawn.subarray(bytes);
    return some;
  };
};

/** Ends one piece of work because the whole is over. */
class Halted extends Error {}

/** The end of a whole tree: the first thing that came, whoever brought it. */
const endOf = ({ signal }: Job) => {
  let first: { readonly cause: unknown } | undefined;
  const halt = (cause: unknown): void => {
    first ??= { cause };
  };
  const over = (): boolean => {
    if (signal.aborted) halt(givenUp());
    return first !== undefined;
  };
  return { halt, over, cause: () => first?.cause };
};

const tooMany = (entries: number): Failure =>
  new Failure('FILE_FAILED', `The tree has more than ${entries} entries.`, { next: 'Copy its folders one by one.' });

/** What ended the whole, and how far it was: what is there stays, and copying again goes on behind it. */
const withCounts = (cause: unknown, { files, unchanged, folders, bytes, deleted }: TreeCounts): unknown => {
  if (!(cause instanceof Failure)) return cause;
  const { code, message, next, operator } = cause;
  const details = { ...cause.details, copied: { files, unchanged, folders, bytes, deleted } };
  return new Failure(code, message, { next, operator, details, cause });
};
