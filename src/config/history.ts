import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { createPrivateBytes, ensurePrivateFolder, readPrivateFile, type Uid } from '../state/private.ts';

/** A change of a file: what stood there before (null: no file), the hash of what stands there since, and what was done, in words. */
const changeSchema = z.strictObject({
  file: z.string(),
  at: z.number(),
  what: z.string(),
  before: z.string().nullable(),
  after: z.string(),
});
/** One change, as it is kept. */
export type Change = z.output<typeof changeSchema>;

/** How many changes are kept. */
const MOST = 10;
const NAME = /^(\d{8})\.json$/;

/** Where changes are kept: a folder of ours, and names that nobody else uses. */
export type Place = { readonly folder: string; readonly uid: Uid; readonly unique: () => string };

/** The hash by which a text is known again. */
export const hashOf = (text: string | undefined): string =>
  text === undefined ? 'absent' : createHash('sha256').update(text).digest('hex');

/** Keeps a change, durably, and lets go of the oldest; the result lets go of this one. */
export const keepChange = ({ folder, uid, unique }: Place, change: Change): (() => void) => {
  ensurePrivateFolder(folder, uid);
  const bytes = Buffer.from(JSON.stringify(change));
  let mine = (numbersIn(folder).at(-1) ?? 0) + 1;
  while (!createPrivateBytes(pathOf(folder, mine), unique(), bytes)) mine += 1;
  const numbers = numbersIn(folder);
  for (const number of numbers.slice(0, Math.max(0, numbers.length - MOST))) forget(folder, number);
  return () => forget(folder, mine);
};

/** The last change of this file after which it stood as it stands now, and how to let go of it. */
export const lastChange = (
  { folder, uid }: Place,
  file: string,
  text: string | undefined,
): { readonly change: Change; readonly forget: () => void } | undefined => {
  ensurePrivateFolder(folder, uid);
  for (const number of numbersIn(folder).reverse()) {
    const { success, data } = changeSchema.safeParse(parsed(readPrivateFile(pathOf(folder, number), uid)));
    if (success && data.file === file && data.after === hashOf(text))
      return { change: data, forget: () => forget(folder, number) };
  }
  return undefined;
};

const pathOf = (folder: string, number: number): string => join(folder, `${String(number).padStart(8, '0')}.json`);

const forget = (folder: string, number: number): void => rmSync(pathOf(folder, number), { force: true });

const numbersIn = (folder: string): number[] =>
  readdirSync(folder)
    .flatMap(name => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // What cannot be read brings nothing back.
  }
};
