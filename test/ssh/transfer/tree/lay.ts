import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../../src/errors.ts';
import type { TreeCounts } from '../../../../src/ssh/transfer/tree/tally.ts';
import { leaveOf } from '../../../support/leave.ts';

/** Files by their paths below a folder, in folders that are made for them; a path that ends with a slash is an empty folder. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Lays them in a folder, and gives that. */
export const layIn = async (root: string, files: Files): Promise<string> => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, path.endsWith('/') ? '.' : '..'), { recursive: true });
    if (!path.endsWith('/')) await writeFile(join(root, path), content);
  }
  return root;
};

/** So many files of some hundred bytes, in so many folders. */
export const manyFiles = (count: number, folders: number): Files =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`d${index % folders}/f${index}`, `${index} `.repeat(100)]),
  );

/** What was left out, and by which code. */
export const leftOutOf = ({ leftOut }: TreeCounts): Readonly<Record<string, string>> =>
  Object.fromEntries(leftOut.map(({ path, why }) => [path, why.code]));

/** Refuses an access to some paths, as rules would. */
export const refusing = (access: string, path: RegExp) =>
  leaveOf((asked, real) =>
    asked === access && path.test(real) ? new Failure('POLICY_DENIED', `${asked} of this is not granted.`) : undefined,
  );

/** The failure that ends some work, which must fail. */
export const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const error = await work.then(
    () => undefined,
    (why: unknown) => why,
  );
  if (error instanceof Failure) return error;
  throw error ?? new Error('it did not fail');
};
