import { randomBytes } from 'node:crypto';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { failureOf, layGround, namesIn } from './ground.ts';
import { atStep, hurriedClock } from './hurried-clock.ts';

/** What a disk says once that has failed to keep what was written. */
const inputOutput = () => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });

/** The methods that every open file of this process has. */
const methods = async (): Promise<FileHandle> => {
  await using handle = await open('/dev/null');
  return Object.getPrototypeOf(handle);
};

test.each(['datasync', 'sync'] as const)(
  'bytes that the disk here has failed to keep are no beginning of anything, however the download ends (%s)',
  async method => {
    await using ground = await layGround({}, { clock: hurriedClock() });
    await writeFile(join(ground.there, 'f'), randomBytes(30_000_000));
    const failing = vi.spyOn(await methods(), method).mockRejectedValueOnce(inputOutput());
    try {
      const abort = new AbortController();
      const more = method === 'datasync' ? { signal: abort.signal, progress: atStep(60, () => abort.abort()) } : {};
      const failure = await failureOf(ground.down('f', 'f', more));
      expect([failure.code, failure.details.resumable_bytes]).toEqual(['LOCAL_FAILED', undefined]);
      expect(failing).toHaveBeenCalled();
      expect(await namesIn(ground.here)).toEqual([]);
    } finally {
      failing.mockRestore();
    }
  },
);
