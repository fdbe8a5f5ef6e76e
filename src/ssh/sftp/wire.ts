import type { Fields } from '../packet.ts';

/** The messages of version 3 (draft-ietf-secsh-filexfer-02 section 3). */
export const FXP = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

/** The version that we speak, and OpenSSH does. */
export const VERSION = 3;

const HALF = 2 ** 32;

/** A uint64, which is no whole number any more above `Number.MAX_SAFE_INTEGER`. */
export const uint64 = (fields: Fields): number => fields.number() * HALF + fields.number();

/** The two uint32 that a uint64 is made of. */
export const halves = (value: number): readonly [number, number] => [Math.floor(value / HALF), value % HALF];
