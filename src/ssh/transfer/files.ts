import type { Uid } from '../../state/private.ts';

/** The folders of this machine that transfers may read and write, absolute; never empty. */
export type Files = {
  readonly roots: readonly [string, ...string[]];
  /** Whose they must be; where it is undefined, owners and modes are not looked at. */
  readonly uid?: Uid;
  /** Files and folders that no such folder may hold or lie in, absolute: what says who may do what, and what logs in. */
  readonly kept?: readonly string[];
};
