import type { FileHandle } from 'node:fs/promises';

/** Has a disk begin on a file while more of it comes. */
export type Flushing = {
  /** So many bytes more were written. */
  readonly wrote: (bytes: number) => void;
  /** Resolves when none of it is under way; rejects with what went wrong, which the system says once and not again at the end. */
  readonly settled: () => Promise<void>;
};

/** Less is not worth a call; one is under way at a time. */
const EVERY_BYTES = 8 * 2 ** 20;

/** Syncs what was written to an open file now and then (fdatasync), so that little is left for the sync at the end. */
export const flushing = (handle: Pick<FileHandle, 'datasync'>): Flushing => {
  let due = 0;
  let under: Promise<void> | undefined;
  let failure: { readonly why: unknown } | undefined;
  const flush = async (): Promise<void> => {
    try {
      await handle.datasync();
    } catch (why) {
      failure ??= { why };
    }
    under = undefined;
  };
  return {
    wrote: bytes => {
      due += bytes;
      if (due < EVERY_BYTES || under !== undefined) return;
      due = 0;
      under = flush();
    },
    settled: async () => {
      await under;
      if (failure !== undefined) throw failure.why;
    },
  };
};
