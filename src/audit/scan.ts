import { createHash, type KeyObject } from 'node:crypto';
import { beginning, decode, type Line, type Position } from './line.ts';

/** The first place of a file that is not as it was written; lines count from 1. */
export type Fault = { readonly line: number; readonly what: string };

/** Bytes after the last whole record, as a crash leaves them. */
export type Torn = { readonly bytes: number; readonly sha256: string };

/** What one file of the record holds, up to the first fault. */
export type Scan = {
  /** After the last record that is as it was written. */
  readonly end: Position;
  readonly first: Line | undefined;
  /** The code of the record that was asked for, when there is one. */
  readonly macAt: string | undefined;
  readonly torn: Torn | undefined;
  readonly fault: Fault | undefined;
};

const LINE_FEED = 0x0a;

/** Reads a file from its beginning. `vouched` is the last record that is known to have been on disk, whose code is wanted too. */
export const scan = (key: KeyObject, file: string, bytes: Buffer, vouched?: number): Scan => {
  let end = beginning(key, file);
  let first: Line | undefined;
  let macAt: string | undefined;
  for (let offset = 0; offset < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, offset);
    const rest = bytes.subarray(offset);
    if (feed === -1) return { end, first, macAt, torn: tornOf(rest), fault: undefined };
    const raw = bytes.subarray(offset, feed);
    const line = decode(key, raw);
    if (line === undefined && raw.includes(0) && (end.seq >= (vouched ?? Infinity) || isLast(key, rest)))
      return { end, first, macAt, torn: tornOf(rest), fault: undefined };
    if (line?.prev !== end.mac) {
      const what = whatIsWrong(key, line, end, rest);
      return { end, first, macAt, torn: undefined, fault: { line: end.seq + 1, what } };
    }
    end = { seq: line.seq, mac: line.mac };
    first ??= line;
    if (line.seq === vouched) macAt = line.mac;
    offset = feed + 1;
  }
  return { end, first, macAt, torn: undefined, fault: undefined };
};

const tornOf = (rest: Buffer): Torn => ({
  bytes: rest.length,
  sha256: createHash('sha256').update(rest).digest('hex'),
});

const linesOf = (bytes: Buffer): Buffer[] => {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, from);
    lines.push(bytes.subarray(from, feed === -1 ? bytes.length : feed));
    from = feed === -1 ? bytes.length : feed + 1;
  }
  return lines;
};

/**
 * A power cut leaves zeros where bytes were not written yet. Beyond what is known to have been on disk that is all it
 * takes; elsewhere nothing of ours may follow, for zeros can also be put over a record.
 */
const isLast = (key: KeyObject, rest: Buffer): boolean => linesOf(rest).every(line => decode(key, line) === undefined);

const whatIsWrong = (key: KeyObject, line: Line | undefined, end: Position, rest: Buffer): string => {
  const due = end.seq + 1;
  if (line === undefined)
    return due === 1
      ? 'edited: this line is not as it was written, or was written with another key'
      : 'edited: this line is not as it was written';
  if (due === 1 && line.seq === 1) return 'swapped: this file was written under another name';
  if (line.seq < due) return `repeated: record ${line.seq} stands where record ${due} was`;
  const displaced = linesOf(rest).some(other => decode(key, other)?.prev === end.mac);
  if (displaced) return `swapped: record ${line.seq} stands where record ${due} was`;
  return line.seq === due
    ? `swapped: record ${due} is one of another file`
    : `cut: record ${due} and what followed it, up to record ${line.seq}, are missing`;
};
