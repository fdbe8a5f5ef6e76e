import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** The calls of this machine's file system that a tree makes thousands of, by descriptors: a `FileHandle` costs twice as much. */
export const disk = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify(fs.fstat),
  lstat: promisify(fs.lstat),
  stat: promisify(fs.stat),
  fchmod: promisify(fs.fchmod),
  futimes: promisify(fs.futimes),
  ftruncate: promisify(fs.ftruncate),
  fsync: promisify(fs.fsync),
  mkdir: promisify(fs.mkdir),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  symlink: promisify(fs.symlink),
} as const;

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = fs.constants;

/** How things are opened here: never through a link in the last place, and never waiting for the other end of a pipe. */
export const OPENED = {
  folder: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  update: O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  make: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
} as const;

/** Reads until there are `enough` bytes in `buffer` or the file ends; gives how many there were. */
export const fill = async (fd: number, buffer: Buffer, position: number, enough = buffer.length): Promise<number> => {
  let filled = 0;
  while (filled < enough) {
    const bytes = await readAt(fd, buffer.subarray(filled), position + filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return filled;
};

/** Writes all of it. */
export const put = async (fd: number, bytes: Buffer, position: number): Promise<void> => {
  let done = 0;
  while (done < bytes.length) done += await writeAt(fd, bytes.subarray(done), position + done);
};

const readAt = (fd: number, buffer: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, buffer.length, position, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    ),
  );

const writeAt = (fd: number, bytes: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, bytes.length, position, (error, count) => (error === null ? resolve(count) : reject(error))),
  );
