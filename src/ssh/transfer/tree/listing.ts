import type { Attributes } from '../../sftp/sftp.ts';
import { within } from '../path.ts';
import { lookAt } from '../place.ts';
import { keyOfPart } from './names.ts';
import { takeAway } from './put-there.ts';
import { openRemoteFolder } from './remote-folder.ts';
import type { Run } from './run.ts';

/** What is in a folder of the host already. */
export type Listing = {
  /** What a name is, links not followed; undefined when there is nothing. */
  readonly get: (name: string) => Promise<Attributes | undefined>;
  /** The names of unfinished files with a key (`part.ts`), as far as they are known. */
  readonly parts: (key: string) => readonly string[];
  /** Forgets it all. */
  readonly release: () => void;
};

/** Of a folder that was made just now. */
export const NOTHING: Listing = { get: async () => undefined, parts: () => [], release: () => undefined };

/** Of one that is asked name by name, and not listed. */
export const askedOne = ({ job }: Run, folder: string): Listing => ({
  ...NOTHING,
  get: name => lookAt(job.ground, within(folder, name)),
});

/**
 * Of one that is listed, once, unless it is too large to be kept: then it is asked name by name. What an earlier copy of this tree has left
 * unfinished is taken away.
 */
export const listed = async (run: Run, folder: string): Promise<Listing> => {
  const entries = new Map<string, Attributes>();
  const parts = new Map<string, readonly string[]>();
  const release = (): void => {
    run.kept.left += entries.size;
    entries.clear();
  };
  for await (const part of await openRemoteFolder(run.job.ground, folder)) {
    run.goOn();
    if (part.length > run.kept.left) {
      release();
      return askedOne(run, folder);
    }
    const before = entries.size;
    for (const { name, attributes } of part) {
      const key = keyOfPart(name);
      if (key === run.key) await takeAway(run, within(folder, name));
      else entries.set(name, attributes);
      if (key !== '') parts.set(key, [...(parts.get(key) ?? []), name]);
    }
    run.kept.left -= entries.size - before;
  }
  return { get: async name => entries.get(name), parts: key => parts.get(key) ?? [], release };
};
