import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { AuditRecord, Json } from './record.ts';

/** Where a chain stands: after record `seq`, whose code is `mac`. */
export type Position = { readonly seq: number; readonly mac: string };

/** A record and the wall time at which it was made. */
export type Dated = { readonly record: AuditRecord; readonly at: number };

/** What a line that we wrote says about itself. */
export type Line = Position & { readonly prev: string; readonly event: string; readonly detail: Json | undefined };

/** HMAC-SHA-256 in base64url: 43 characters. */
const macOf = (key: KeyObject, text: string | Buffer): string =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Before the first record of a file: bound to the file's name, so that whole files cannot be exchanged. */
export const beginning = (key: KeyObject, file: string): Position => ({
  seq: 0,
  mac: macOf(key, `sallyport audit 1 ${file}`),
});

/** One record as one line of printable text with its line feed, and where the chain stands after it. */
export const encode = (
  key: KeyObject,
  after: Position,
  { record, at }: Dated,
): { line: string; position: Position } => {
  const seq = after.seq + 1;
  const time = new Date(at).toISOString();
  const fields = record.event === 'admitted' ? record : bounded(record);
  const unsigned = printable(JSON.stringify({ v: 1, seq, time, ...fields, prev: after.mac })).slice(0, -1);
  const mac = macOf(key, unsigned);
  return { line: `${unsigned},"mac":"${mac}"}\n`, position: { seq, mac } };
};

const MAC_LENGTH = ',"mac":""}'.length + 43;

/** Reads a line without its line feed; undefined when a single byte of it is not as it was written with this key. */
export const decode = (key: KeyObject, line: Buffer): Line | undefined => {
  const cut = line.length - MAC_LENGTH;
  const [, mac] = /^,"mac":"([\w-]{43})"\}$/.exec(line.subarray(Math.max(0, cut)).toString('latin1')) ?? [];
  if (mac === undefined || macOf(key, line.subarray(0, cut)) !== mac) return undefined;
  const value: unknown = JSON.parse(line.toString('utf8'));
  return isLine(value) ? value : undefined;
};

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' &&
  value !== null &&
  'v' in value &&
  value.v === 1 &&
  'seq' in value &&
  Number.isSafeInteger(value.seq) &&
  'prev' in value &&
  typeof value.prev === 'string' &&
  'event' in value &&
  typeof value.event === 'string';

/** Controls, formats, surrogates, unassigned and private characters, line ends, and whatever is drawn as nothing. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** JSON whose every character can be seen; the others stand only inside strings, where an escape means the same. */
const printable = (json: string): string => (ASCII.test(json) ? json : json.replace(UNSEEN, escaped));

const ASCII = /^[ -~]*$/;

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');

const LONGEST_FIELD = 64 * 1024;

/** What was refused, or has ended, may have been made huge by a client: such a field is kept by size and digest. */
const bounded = (record: AuditRecord): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      const text = JSON.stringify(value);
      if (text.length <= LONGEST_FIELD) return [name, value];
      return [name, { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }];
    }),
  );
