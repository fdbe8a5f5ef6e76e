import * as z from 'zod';
import type { Links } from '../call.ts';
import { checkPath, checkRemotePath } from '../ssh/transfer/path.ts';

const path = z.string().min(1).max(4096);

/** A path of a host; `remoteOf` looks at its form. */
export const remotePath = path.describe('Absolute, or ~/…');

/** A path of this machine; where it may lie is looked at when it is used. */
export const localPath = path.optional();

/** Whether a whole folder is meant. */
export const recursive = z.boolean().optional().describe('Both paths are folders.');

const LINKS = ['skip', 'follow', 'copy'] as const satisfies readonly Links[];

/** What becomes of symbolic links in a tree. */
export const symlinks = z.enum(LINKS).optional().describe('Of a tree (default skip).');

/** Whether to go on where an earlier transfer was cut. */
export const resume = z.boolean().optional().describe('Go on where a call was cut.');

/** A tree, as an action says it. */
export const treeOf = (args: {
  readonly recursive?: boolean | undefined;
  readonly symlinks?: Links | undefined;
  readonly delete_extra?: boolean | undefined;
}): { readonly tree?: { readonly links: Links; readonly deleteExtra: boolean } } =>
  args.recursive === true ? { tree: { links: args.symlinks ?? 'skip', deleteExtra: args.delete_extra === true } } : {};

/** The path on the host, when both paths are such as a transfer takes; throws INVALID_INPUT otherwise, before anything is judged by them. */
export const remoteOf = (args: { readonly remote_path: string; readonly local_path?: string | undefined }): string => {
  checkRemotePath(args.remote_path);
  if (args.local_path !== undefined) checkPath(args.local_path, 'local_path');
  return args.remote_path;
};
