import type { KeyObject } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from '../state/store.ts';
import { isRecordFile, readSeal, type Seal } from './recover.ts';
import { type Scan, scan } from './scan.ts';

/** Something about one file; lines count from 1, and 0 means the file as a whole. */
export type Finding = { readonly file: string; readonly line: number; readonly what: string };

/** What was found: `problems` are edits, cuts and swaps, the first of each file; `notes` are what a crash explains. */
export type Verdict = {
  readonly files: number;
  readonly records: number;
  readonly problems: readonly Finding[];
  readonly notes: readonly Finding[];
};

/**
 * Reads every file of the record and names, for each, the first place that is not as it was written. `heads` are from
 * the state store and are read before the files: without them, a file that is gone or has lost its end cannot be told.
 */
export const verify = async (folder: string, key: KeyObject, heads: readonly Head[]): Promise<Verdict> => {
  const names = (await readdir(folder)).filter(isRecordFile).sort();
  const headOf = new Map(heads.map(head => [head.file, head]));
  const scans = new Map<string, Scan>();
  const problems: Finding[] = heads
    .filter(({ file }) => !names.includes(file))
    .map(({ file, seq }) => ({ file, line: 0, what: `missing: a file of at least ${countOf(seq)} is gone` }));
  for (const file of names) {
    const path = join(folder, file);
    if ((await lstat(path)).isFile()) scans.set(file, scan(key, file, await readFile(path), headOf.get(file)?.seq));
    else problems.push({ file, line: 0, what: 'swapped: this is not a plain file' });
  }
  const seals = new Map(
    [...scans.values()].flatMap(({ first }) => {
      const seal = readSeal(first);
      return seal === undefined ? [] : [[seal.file, seal] as const];
    }),
  );
  const notes: Finding[] = [];
  for (const [file, found] of scans) {
    const problem = found.fault ?? cutOf(found, headOf.get(file), seals.get(file));
    if (problem !== undefined) problems.push({ file, ...problem });
    else notes.push(...notesOn(file, found, headOf.get(file), seals.get(file)));
  }
  const records = [...scans.values()].reduce((sum, { end }) => sum + end.seq, 0);
  return { files: scans.size, records, problems, notes };
};

const countOf = (records: number): string => (records === 1 ? '1 record' : `${records} records`);

/** What lies outside a file shows what is no longer in it. */
const cutOf = (
  { end, macAt }: Scan,
  head: Head | undefined,
  seal: Seal | undefined,
): Omit<Finding, 'file'> | undefined => {
  const written = Math.max(head?.seq ?? 0, seal?.seq ?? 0);
  if (end.seq < written)
    return { line: end.seq + 1, what: `cut: the file ends with record ${end.seq}, and record ${written} was written` };
  if (head !== undefined && head.mac !== macAt)
    return { line: head.seq, what: `swapped: this is not the record ${head.seq} that was written` };
  return undefined;
};

const notesOn = (file: string, { end, torn }: Scan, head: Head | undefined, seal: Seal | undefined): Finding[] => {
  const notes: Finding[] = [];
  const line = end.seq + 1;
  if (torn !== undefined) {
    const sealed = seal?.seq === end.seq && seal.bytes === torn.bytes && seal.sha256 === torn.sha256;
    const state = sealed ? 'sealed' : 'not sealed yet: its process has just died, or is writing';
    notes.push({ file, line, what: `torn: ${torn.bytes} bytes of an unfinished write (${state})` });
  }
  if (head === undefined && end.seq > 0)
    notes.push({ file, line, what: 'unvouched: the state store does not know its end' });
  return notes;
};
