import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * What a file holds, or why it cannot be had: in words for a client, and with the system's own for the operator. Where there
 * is no file at all, and at a device such as /dev/null, there is nothing to be had (`isEmpty`).
 */
export type PlainFile =
  | { readonly bytes: Buffer; readonly stats: Stats }
  | { readonly why: string; readonly cause: string; readonly isEmpty: boolean };

/** Reads a file of at most so many bytes; a folder, a device or a pipe is none, and never waited for. */
export const readPlainFile = async (path: string, maxBytes = 256 * 1024): Promise<PlainFile> => {
  // A pipe must not hold up the open: what is no plain file is refused afterwards.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => error);
  if (!isHandle(file)) return unreadable(file);
  try {
    const stats = await file.stat();
    if (stats.isFile() && stats.size <= maxBytes) return { bytes: await file.readFile(), stats };
    const why = stats.isFile() ? 'it is too long' : 'it is no file';
    return { why, cause: why, isEmpty: stats.isCharacterDevice() };
  } catch (error) {
    return unreadable(error);
  } finally {
    await file.close();
  }
};

type Handle = Awaited<ReturnType<typeof open>>;

const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' && value !== null && 'readFile' in value;

const unreadable = (error: unknown): PlainFile => {
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  const why = missing ? 'there is no such file' : 'the file cannot be read';
  return { why, cause: error instanceof Error ? error.message : why, isEmpty: missing };
};
