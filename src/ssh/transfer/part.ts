import { createHash } from 'node:crypto';
import type { Random } from '../../call.ts';
import { bytesOf } from '../../text/byte-name.ts';

/** What a transfer of one thing to one place has in common with a later one: a part of the one is a beginning of the other. */
export type Sameness = {
  readonly grant: string;
  /** The real path that it gets. */
  readonly to: string;
  readonly size: number;
  /** Of the source, in milliseconds. */
  readonly modifiedMs: number;
};

/** Sixteen hexadecimal digits that only transfers of the same source to the same place share. */
export const keyOf = ({ grant, to, size, modifiedMs }: Sameness): string => {
  const hash = createHash('sha256');
  for (const part of [grant, bytesOf(to), `${size}`, `${modifiedMs}`]) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
};

const NAME_BYTES = 255;
const TAIL_BYTES = '..sallyport-0123456789abcdef-01234567.part'.length;

/** A name beside `name` that nothing has, of at most 255 bytes; the key is all zeros for what nobody can go on with. */
export const partName = (name: string, random: Random, key = '0'.repeat(16)): string =>
  `.${stemOf(name)}.sallyport-${key}-${random(4).toString('hex')}.part`;

/** Whether this is the name of a part that `partName` gave for this name and key. */
export const isPartOf = (candidate: string, name: string, key: string): boolean => {
  const stem = `.${stemOf(name)}.sallyport-${key}-`;
  return candidate.startsWith(stem) && /^[0-9a-f]{8}\.part$/.test(candidate.slice(stem.length));
};

/** As much of a name as leaves room for the rest, never half a character. */
const stemOf = (name: string): string => {
  let stem = '';
  let bytes = 0;
  for (const character of name) {
    bytes += bytesOf(character).length;
    if (bytes > NAME_BYTES - TAIL_BYTES) break;
    stem += character;
  }
  return stem;
};

/** A part below this is taken away when its transfer fails: moving it again costs less than finding it. */
export const LEAST_PART = 65_536;
