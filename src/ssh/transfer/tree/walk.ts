import { type Latch, latchOf } from './latch.ts';
import type { Run } from './run.ts';

/** A folder that is being copied, on both sides. */
export type Visit<Entry> = {
  readonly entries: AsyncIterable<Entry>;
  /** Does something about an entry, or begins to: what goes on after its promise has entered the latch. */
  readonly each: (entry: Entry, latch: Latch) => Promise<void>;
  /** When everything in it is done; not when the whole has ended before. */
  readonly finish: () => Promise<void>;
  /** In any case, at the end. */
  readonly close: () => Promise<void>;
};

/**
 * Walks one folder, and resolves when all of its entries were met; `above` is left when all of them are done. `begin` gives nothing when it
 * has said why the folder is left out.
 */
export const walk = async <Entry>(
  run: Run,
  path: string,
  above: Latch,
  begin: () => Promise<Visit<Entry> | undefined>,
): Promise<void> => {
  above.enter();
  const begun: Visit<Entry>[] = [];
  await run.attempt(path, async () => {
    run.goOn();
    const visit = await begin();
    if (visit !== undefined) begun.push(visit);
  });
  const [visit] = begun;
  if (visit === undefined) return above.leave();
  const finish = async (): Promise<void> => {
    await run.attempt(path, async () => {
      run.goOn();
      await visit.finish();
    });
    await run.attempt(path, visit.close);
    above.leave();
  };
  const latch = latchOf(() => void finish());
  await run.attempt(path, async () => {
    for await (const entry of visit.entries) {
      run.meet();
      run.goOn();
      await visit.each(entry, latch);
    }
  });
  latch.leave();
};

/** Walks a folder beside the others while there is room for that, otherwise before it resolves: what is open stays bounded. */
export const branch = async (run: Run, walking: () => Promise<void>): Promise<void> => {
  const release = run.folders.tryTake();
  if (release === undefined) await walking();
  else void walking().finally(release);
};

/** Begins work on one file as soon as there is room for it; resolves then. */
export const begin = async (run: Run, path: string, latch: Latch, work: () => Promise<void>): Promise<void> => {
  const release = await run.files.take();
  latch.enter();
  void run
    .attempt(path, async () => {
      run.goOn();
      await work();
    })
    .finally(() => {
      release();
      latch.leave();
    });
};

/** Resolves when everything that `root` has begun is done. */
export const walked = async (root: (latch: Latch) => Promise<void>): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    const latch = latchOf(resolve);
    root(latch).then(latch.leave, reject);
  });
};
