/** How far a tree may go: what is beyond is left out, but more entries than `entries` end the whole. */
export const TREE_LIMITS = {
  entries: 1_000_000,
  depth: 256,
  pathBytes: 4_096,
  nameBytes: 255,
  /** Of what was left out, this many are told one by one. */
  told: 100,
} as const;

/** The same, as a test may choose them. */
export type TreeLimits = { readonly [Key in keyof typeof TREE_LIMITS]: number };

/** A file of fewer bytes moves in one piece, is not synced to the disk by itself, and has nothing worth resuming. */
export const SMALL_BYTES = 1_048_576;

/** Files on their way at a time; half as many as the host lets a conversation have open where that is less. */
export const FILES_AT_ONCE = 128;
/** Bytes of small ones that are in memory. */
export const BYTES_AT_ONCE = 8 * SMALL_BYTES;
/** Big files at a time: each fills the line by itself. */
export const BIG_AT_ONCE = 2;
/** Folders that are walked at a time: between two files of one, there is a round trip for the next. */
export const FOLDERS_AT_ONCE = 8;
/** Entries of the host that are kept to compare with, over all folders that are open; beyond that each is asked for. */
export const KEPT_ENTRIES = 50_000;
/** Bytes of a big file that are charged before they move. */
export const CHARGED_AT_ONCE = 4 * SMALL_BYTES;
/** Bytes of a big file that are read from the disk at a time. */
export const READ_AT_ONCE = SMALL_BYTES;
/** Bytes of a big file that are charged and asked for in one go. */
export const FETCHED_AT_ONCE = 64 * SMALL_BYTES;
