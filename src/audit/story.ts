import type { KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from './line.ts';
import { isRecordFile } from './recover.ts';

/** One record as it was written, with all that it says. */
export type Told = { readonly time: string; readonly event: string; readonly [key: string]: unknown };

/** Records in the order of their times, whichever process wrote them; and how many lines were not as they were written. */
export type Story = { readonly records: readonly Told[]; readonly damaged: number };

/** Every record about one approval: of its asking and its answers, and of the calls that it let run or that were refused for it. */
export const storyOf = async (folder: string, key: KeyObject, approval: string): Promise<Story> => {
  const names = (await readdir(folder)).filter(isRecordFile).sort();
  let damaged = 0;
  const all: Told[] = [];
  for (const name of names)
    for (const line of linesOf(await readFile(join(folder, name)))) {
      const told = decode(key, line) === undefined ? undefined : parsed(line);
      if (told === undefined) damaged += 1;
      else all.push(told);
    }
  const own = all.filter(record => record.approval === approval);
  const calls = new Set(own.map(({ call_id }) => call_id).filter(id => typeof id === 'string'));
  const about = all.filter(record => own.includes(record) || calls.has(String(record.call_id)));
  return { records: about.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), damaged };
};

const LINE_FEED = 0x0a;

/** Whole lines; what a crash left behind the last one is none. */
const linesOf = function* (bytes: Buffer): Generator<Buffer> {
  for (let from = 0; ; ) {
    const feed = bytes.indexOf(LINE_FEED, from);
    if (feed === -1) return;
    yield bytes.subarray(from, feed);
    from = feed + 1;
  }
};

const parsed = (line: Buffer): Told | undefined => {
  const value: unknown = JSON.parse(line.toString('utf8'));
  return isTold(value) ? value : undefined;
};

const isTold = (value: unknown): value is Told =>
  typeof value === 'object' &&
  value !== null &&
  'time' in value &&
  typeof value.time === 'string' &&
  'event' in value &&
  typeof value.event === 'string';
