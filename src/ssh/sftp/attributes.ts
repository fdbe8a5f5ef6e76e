import type { Fields, Part } from '../packet.ts';
import type { Attributes, Changes, FileKind } from './sftp.ts';
import { halves, uint64 } from './wire.ts';

const FLAG = { SIZE: 1, OWNER: 2, MODE: 4, TIMES: 8, EXTENDED: 0x8000_0000 } as const;

/** The S_IFMT bits of a mode. */
const KIND_BITS = 0o170000;
const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [0, 'unknown'],
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

/** Reads an ATTRS structure (section 5); its size is whatever was said, also what cannot be. Throws `BrokenMessage` when it is not whole. */
export const readAttributes = (fields: Fields): Attributes => {
  const flags = fields.number();
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const size = has(FLAG.SIZE) ? { size: uint64(fields) } : {};
  const owner = has(FLAG.OWNER) ? { uid: fields.number(), gid: fields.number() } : {};
  const mode = has(FLAG.MODE) ? fields.number() : undefined;
  const times = has(FLAG.TIMES) ? { accessedAt: fields.number(), modifiedAt: fields.number() } : {};
  const extended = has(FLAG.EXTENDED) ? fields.number() : 0;
  for (let at = 0; at < 2 * extended; at++) fields.bytes();
  return { kind: kindOf(mode), ...size, ...owner, ...(mode === undefined ? {} : { mode }), ...times };
};

const kindOf = (mode: number | undefined): FileKind =>
  mode === undefined ? 'unknown' : (KINDS.get(mode & KIND_BITS) ?? 'other');

/** Whether the size, if there is one, can be: a file system of 2^53 bytes is none that anybody copies. */
export const isPossible = ({ size }: Attributes): boolean => size === undefined || Number.isSafeInteger(size);

const LAST_SECOND = 2 ** 32 - 1;

/** What is to be set, as an ATTRS structure; a time that 32 bits cannot hold becomes the nearest. */
export const attributesFor = ({ size, owner, mode, times }: Changes): readonly Part[] => {
  const seconds = times === undefined ? [] : [times.accessedAt, times.modifiedAt];
  const flags =
    (size === undefined ? 0 : FLAG.SIZE) +
    (owner === undefined ? 0 : FLAG.OWNER) +
    (mode === undefined ? 0 : FLAG.MODE) +
    (times === undefined ? 0 : FLAG.TIMES);
  return [
    flags,
    ...(size === undefined ? [] : halves(size)),
    ...(owner === undefined ? [] : [owner.uid, owner.gid]),
    ...(mode === undefined ? [] : [mode]),
    ...seconds.map(second => Math.max(0, Math.min(LAST_SECOND, Math.trunc(second)))),
  ];
};
