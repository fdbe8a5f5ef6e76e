import type { Attributes, Entry } from '../../sftp/sftp.ts';
import { type Ground, moved } from '../place.ts';

/** Opens a folder of the host to list it by its real path: FILE_MOVED when that leads elsewhere right behind the opening, and then no name is given. */
export const openRemoteFolder = async (ground: Ground, path: string): Promise<AsyncIterable<readonly Entry[]>> => {
  const parts = ground.sftp.list(path)[Symbol.asyncIterator]();
  const { sftp } = ground;
  const [before, first, after] = await Promise.allSettled([sftp.realPath(path), parts.next(), sftp.realPath(path)]);
  if (first.status === 'rejected') throw first.reason;
  if (!leadsTo(path, before, after)) {
    await parts.return?.();
    throw moved(ground, path);
  }
  return partsOf(first.value, parts);
};

/** Whether a path led to itself each time that it was looked at. */
export const leadsTo = (path: string, ...looks: readonly PromiseSettledResult<string>[]): boolean =>
  looks.every(look => look.status === 'fulfilled' && look.value === path);

async function* partsOf(
  first: IteratorResult<readonly Entry[]>,
  rest: AsyncIterator<readonly Entry[]>,
): AsyncIterable<readonly Entry[]> {
  try {
    for (let part = first; part.done !== true; part = await rest.next()) yield part.value;
  } finally {
    await rest.return?.();
  }
}

/** Whether two looks, one after the other, can be at one plain file, which may only have grown between them. */
export const isSameFile = (one: Attributes, later: Attributes): boolean =>
  one.kind === 'file' &&
  later.kind === 'file' &&
  one.uid === later.uid &&
  one.gid === later.gid &&
  one.mode === later.mode &&
  (one.size ?? 0) <= (later.size ?? 0) &&
  (one.modifiedAt ?? 0) <= (later.modifiedAt ?? 0);
