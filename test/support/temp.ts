import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of its own under the system's temporary one, 0700, gone with everything in it when disposed. */
export type TempFolder = AsyncDisposable & {
  readonly path: string;
  /** Writes a file in it (0600 unless given otherwise, whatever the umask) and gives its path. */
  readonly write: (name: string, content: string | Uint8Array, mode?: number) => Promise<string>;
  readonly remove: () => Promise<void>;
};

/** Makes a folder that nobody else uses. */
export const tempFolder = async (prefix = 'sallyport-test-'): Promise<TempFolder> => {
  const path = await mkdtemp(join(tmpdir(), prefix));
  // What a test has stopped may still be writing its last.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  const write = async (name: string, content: string | Uint8Array, mode = 0o600) => {
    const file = join(path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode });
    await chmod(file, mode);
    return file;
  };
  return { path, write, remove, [Symbol.asyncDispose]: remove };
};
