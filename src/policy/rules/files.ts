import type { FileAccess } from '../../call.ts';
import { safeLine } from '../../text/safe.ts';
import type { Because, Denial, Obligations } from '../decision.ts';
import type { Page } from './book.ts';
import type { Rule } from './rule.ts';
import { deniedBy, grantedAsAsked, ungranted } from './ruling.ts';

/** What the rules answer to one access to a file: those that grant it, and those of them that ask first; or no. */
export type FileRuling =
  | {
      readonly effect: 'allow' | 'ask';
      readonly because: Because;
      readonly granting: readonly Rule[];
      readonly asking: readonly Rule[];
      readonly obligations: Obligations;
    }
  | Denial;

/** What is done to a file, as a sentence says it. */
export const DONE: Readonly<Record<FileAccess, string>> = {
  read: 'read',
  write: 'written',
  list: 'listed',
  delete: 'deleted',
};

/** Judges one access to a file by its real path: certain either way, for there is nothing left in it to be found out. */
export const judgeFile = (page: Page, at: number, access: FileAccess, path: string): FileRuling => {
  const denied = fileDenied(page, at, access, path);
  if (denied !== undefined) return denied;
  const granting = grantsOfFile(page, at, access, path);
  const ruling = granting.size === 0 ? undefined : grantedAsAsked(granting, NO_DOUBT);
  if (ruling === undefined) return ungranted(`No rule lets ${shownPath(path)} be ${DONE[access]}.`);
  if (ruling.effect === 'deny') return ruling;
  const { effect, because, obligations } = ruling;
  const all = [...granting];
  return { effect, because, granting: all, asking: all.filter(rule => rule.effect === 'ask'), obligations };
};

const NO_DOUBT = Object.freeze({ asking: new Set<Rule>(), doubtful: new Set<Rule>() });

/** The denial of one access to a file by a rule that denies it; undefined says nothing of a grant. */
export const fileDenied = (page: Page, at: number, access: FileAccess, path: string): Denial | undefined => {
  const rule = page.restraints.find(
    each => each.effect === 'deny' && each.inForce(at) && meansFile(each, access, path),
  );
  return rule === undefined ? undefined : deniedBy(rule);
};

/** The rules that let a file be opened, be it by a redirection or by a transfer: never one whose path is not plain. */
export const grantsOfFile = (page: Page, at: number, access: FileAccess, path: string): ReadonlySet<Rule> =>
  new Set(isPlain(path) ? page.grants.filter(rule => rule.does(access) && rule.inForce(at) && rule.files(path)) : []);

/** Whether a rule that restrains means this access to this file; slashes in front are one. */
export const meansFile = (rule: Rule, access: FileAccess, path: string): boolean =>
  rule.does(access) && rule.files(path.replace(/^\/+/, '/'));

/** Absolute, without `..`, and without what no line can show. */
const isPlain = (path: string): boolean =>
  path.startsWith('/') && !path.split('/').includes('..') && !/[\0-\x1f\x7f-\x9f]/.test(path);

/** A path as a sentence shows it: one line, safe to read, its beginning when it is long. */
export const shownPath = (path: string): string => JSON.stringify(safeLine(path));
