import { type Dirent, readlink, readlinkSync } from 'node:fs';
import { opendir, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Failure } from '../../../errors.ts';
import { bytesOf, nameOf } from '../../../text/byte-name.ts';
import type { FileKind } from '../../sftp/sftp.ts';
import { disk, OPENED, type Sight } from './disk.ts';

/** A name in a folder of this machine, in the form of `text/byte-name.ts`, and what it is. */
export type LocalEntry = { readonly name: string; readonly kind: FileKind };

/**
 * A folder of this machine that is held open. Where the system shows open folders as paths (Linux: `/proc/self/fd`), names in it are reached
 * through it, wherever it is moved and whatever is put in its place; elsewhere by its path, which `verify` looks at.
 */
export type LocalFolder = {
  /** The path to a name in it. */
  readonly at: (name: string) => Buffer;
  /** As it was when it was opened. */
  readonly stat: Sight;
  readonly entries: () => AsyncIterable<LocalEntry>;
  /** Opens a folder in it; a link is none. */
  readonly enter: (name: string) => Promise<LocalFolder>;
  /** Makes a folder in it with these permission bits, as far as the umask lets, and opens that. */
  readonly make: (name: string, mode: number) => Promise<LocalFolder>;
  /** Throws FILE_MOVED when it is not where it was opened; the last thing before anything gets a name in it. */
  readonly verify: () => Promise<void>;
  /** Sets permission bits, and the time of change in seconds. */
  readonly change: (changes: { readonly mode?: number; readonly modifiedAt?: number }) => Promise<void>;
  readonly readLink: (name: string) => Promise<string>;
  readonly close: () => Promise<void>;
};

const DESCRIPTORS = '/proc/self/fd';
const SLASH = Buffer.from('/');

/** Opens a folder by its real path: FILE_MOVED when that is not its real path any more. */
export const openLocalFolder = async (path: string, descriptors = DESCRIPTORS): Promise<LocalFolder> => {
  const fd = await disk.open(bytesOf(path), OPENED.folder);
  const stat = await disk.fstat(fd);
  const named = folderOf({ fd, stat, path: bytesOf(path), base: bytesOf(path), anchor: undefined });
  try {
    await named.verify();
    const through = Buffer.from(`${descriptors}/${fd}`);
    const shown = await disk.stat(Buffer.concat([through, Buffer.from('/.')])).catch(() => undefined);
    if (shown === undefined || !isSame(shown, stat)) return named;
    return folderOf({ fd, stat, path: bytesOf(path), base: through, anchor: descriptors });
  } catch (error) {
    await named.close();
    throw error;
  }
};

/** Whether two looks were at one thing. */
export const isSame = (one: Sight, other: Sight): boolean => one.dev === other.dev && one.ino === other.ino;

/** `path` is the real one, and `base` how it is reached: through its descriptor when there is an `anchor` for that. */
type Held = {
  readonly fd: number;
  readonly stat: Sight;
  readonly path: Buffer;
  readonly base: Buffer;
  readonly anchor: string | undefined;
};

const folderOf = (held: Held): LocalFolder => {
  const { fd, stat, path, base, anchor } = held;
  const at = (name: string): Buffer => Buffer.concat([base, SLASH, bytesOf(name)]);
  const enter = async (name: string): Promise<LocalFolder> => await entered(held, name, at(name));
  return {
    at,
    stat,
    enter,
    entries: () => entriesOf(base),
    make: async (name, mode) => {
      await disk.mkdir(at(name), mode);
      return await enter(name);
    },
    verify: async () => {
      // What a descriptor is called is no question to any disk.
      const same = anchor === undefined ? await liesAt(path, stat) : readlinkSync(base, 'buffer').equals(path);
      if (!same) throw movedHere(path);
    },
    change: async ({ mode, modifiedAt }) => {
      if (mode !== undefined) await disk.fchmod(fd, mode);
      if (modifiedAt !== undefined) await disk.futimes(fd, modifiedAt, modifiedAt);
    },
    readLink: async name => nameOf(await readLinkOf(at(name), 'buffer')),
    close: () => disk.close(fd),
  };
};

const entered = async ({ path, anchor }: Held, name: string, through: Buffer): Promise<LocalFolder> => {
  const fd = await disk.open(through, OPENED.folder);
  const real = Buffer.concat([path, SLASH, bytesOf(name)]);
  const base = anchor === undefined ? real : Buffer.from(`${anchor}/${fd}`);
  const folder = folderOf({ fd, stat: await disk.fstat(fd), path: real, base, anchor });
  try {
    await folder.verify();
    return folder;
  } catch (error) {
    await folder.close();
    throw error;
  }
};

const readLinkOf = promisify(readlink);

const liesAt = async (path: Buffer, stat: Sight): Promise<boolean> => {
  const [there, real] = await Promise.all([disk.lstat(path), realpath(path, 'buffer')]);
  return isSame(there, stat) && real.equals(path);
};

const movedHere = (path: Buffer): Failure =>
  new Failure('FILE_MOVED', 'A local folder was moved while it was copied; nothing more was done in it.', {
    next: 'Something on this machine moves it: look, then call again.',
    operator: nameOf(path),
  });

/** Latin 1 keeps every byte of a name; there is no streaming of buffers. */
async function* entriesOf(base: Buffer): AsyncIterable<LocalEntry> {
  for await (const entry of await opendir(base, { encoding: 'latin1', bufferSize: 256 }))
    yield { name: nameOf(Buffer.from(entry.name, 'latin1')), kind: kindOf(entry) };
}

/** What an entry or a look is. */
export const kindOf = (one: Dirent | Sight): FileKind => {
  if (one.isFile()) return 'file';
  if (one.isDirectory()) return 'directory';
  return one.isSymbolicLink() ? 'link' : 'other';
};
