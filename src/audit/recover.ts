import type { KeyObject } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Random } from '../call.ts';
import { createPrivateBytes } from '../state/private.ts';
import type { Store } from '../state/store.ts';
import { beginning, encode, type Line } from './line.ts';
import { scan, type Torn } from './scan.ts';

const ENDING = '.jsonl';
const SEAL_ENDING = '.sealed.jsonl';

/** The name under which the torn tail of a file is sealed. */
export const sealOf = (file: string): string => `${file.slice(0, -ENDING.length)}${SEAL_ENDING}`;

/** Whether a name in the folder is a file of the record. */
export const isRecordFile = (name: string): boolean => name.endsWith(ENDING);

/** What a seal says: how many whole records a file had, and what was after them, when somebody found it torn. */
export type Seal = Torn & { readonly file: string; readonly seq: number };

/** Reads a seal's one record. */
export const readSeal = (line: Line | undefined): Seal | undefined => {
  const detail = line?.event === 'recovered' ? line.detail : undefined;
  return isSeal(detail) ? detail : undefined;
};

const isSeal = (value: unknown): value is Seal =>
  typeof value === 'object' &&
  value !== null &&
  'file' in value &&
  typeof value.file === 'string' &&
  'seq' in value &&
  typeof value.seq === 'number' &&
  'bytes' in value &&
  typeof value.bytes === 'number' &&
  'sha256' in value &&
  typeof value.sha256 === 'string';

/** What sealing needs; `except` is the file of this process. */
export type Sealing = {
  readonly folder: string;
  readonly key: KeyObject;
  readonly clock: Clock;
  readonly store: Store;
  readonly random: Random;
  readonly except?: string | undefined;
};

/**
 * Seals every torn tail that has no seal yet, and gives the names of the files. The torn file is never touched: the seal
 * is a file of its own beside it, which appears whole, once, however many processes try; and if the file's writer is
 * alive after all, and goes on, its seal means nothing.
 */
export const sealTornTails = async (parts: Sealing): Promise<readonly string[]> => {
  const names = await readdir(parts.folder);
  const all = new Set(names);
  const sealed: string[] = [];
  for (const file of names.filter(isRecordFile)) {
    if (file === parts.except || file.endsWith(SEAL_ENDING) || all.has(sealOf(file))) continue;
    if ((await endsWhole(join(parts.folder, file))) || !(await seal(parts, file))) continue;
    sealed.push(file);
  }
  return sealed;
};

const endsWhole = async (path: string): Promise<boolean> => {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read({ buffer: Buffer.from('\n'), position: Math.max(0, size - 1), length: 1 });
    return buffer.toString() === '\n';
  } finally {
    await handle.close();
  }
};

const seal = async ({ folder, key, clock, store, random }: Sealing, file: string): Promise<boolean> => {
  const { torn, end } = scan(key, file, await readFile(join(folder, file)), 0);
  if (torn === undefined) return false;
  const name = sealOf(file);
  const record = { event: 'recovered', detail: { file, seq: end.seq, ...torn } } as const;
  const { line, position } = encode(key, beginning(key, name), { record, at: clock.wallMs() });
  if (!createPrivateBytes(join(folder, name), random(6).toString('hex'), Buffer.from(line))) return false;
  await store.setHead({ file: name, seq: position.seq, mac: position.mac });
  return true;
};
