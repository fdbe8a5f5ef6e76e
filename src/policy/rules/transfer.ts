import type { FileAccess, Transfer } from '../../call.ts';
import type { Denial } from '../decision.ts';
import type { Page } from './book.ts';
import { DONE, grantsOfFile, meansFile, shownPath } from './files.ts';
import type { Rule } from './rule.ts';
import { deniedBy, grantedAsAsked, type Ruling, unaskable, ungranted } from './ruling.ts';

/**
 * Judges a transfer by its path as it was asked for, before anybody knows what that leads to: what is denied or asked for is
 * felt, and what nothing on this host could grant is refused. It takes from no limit: what is met on the way does.
 */
export const judgeTransfer = (page: Page, at: number, action: Transfer): Ruling => {
  const { remotePath: path, target } = action;
  const needs = needsOf(action);
  const [first] = needs;
  const restraints = page.restraints.filter(rule => rule.inForce(at));
  const denied = restraints.find(
    rule => rule.effect === 'deny' && (isMeant(rule, first, path) || (rule.everyFile && needs.some(rule.does))),
  );
  if (denied !== undefined) return deniedBy(denied);
  const asking = new Set(restraints.filter(rule => rule.effect === 'ask' && mayMean(rule, action)));
  const [blind] = path.startsWith('/') ? [] : asking;
  if (blind !== undefined) return unaskable(blind, 'What may be asked for is named by its absolute path.');
  const missing = needs.find(access => grantSomewhere(page, at, access) === undefined);
  const somewhere = grantSomewhere(page, at, first);
  if (missing !== undefined || somewhere === undefined)
    return ungranted(`No rule lets any file be ${DONE[missing ?? first]} on ${target.host}.`);
  const granting = grantsOfFile(page, at, first, path);
  if (granting.size + asking.size > 0) return owing(grantedAsAsked(granting, { asking, doubtful: new Set() }));
  const reason = `Some files may be ${DONE[first]} there: what ${shownPath(path)} leads to decides.`;
  return { ...NOTHING_YET, effect: 'allow', because: [{ rule: somewhere.at, reason }] };
};

const grantSomewhere = (page: Page, at: number, access: FileAccess): Rule | undefined =>
  page.grants.find(rule => rule.does(access) && rule.inForce(at));

/** What a transfer does to what its path leads to, and then to what is below that. */
export const needsOf = (action: Transfer): readonly [FileAccess, ...FileAccess[]] => {
  const tree = 'localPath' in action ? action.tree : undefined;
  if (action.direction === 'upload') return tree?.deleteExtra === true ? ['write', 'delete'] : ['write'];
  return [tree === undefined ? 'read' : 'list'];
};

/**
 * The denial of a file that rules ask for, unless somebody agreed to them (`agreed`, by their places in the document) and was
 * shown this very path, or the folder of a tree that it lies in.
 */
export const unasked = (
  asking: readonly Rule[],
  action: Transfer,
  path: string,
  agreed: ReadonlySet<string>,
): Denial | undefined => {
  const isShown = isWithin(path, action);
  const rule = asking.find(({ at }) => !isShown || !agreed.has(at));
  return rule === undefined
    ? undefined
    : unaskable(rule, `Nobody was asked about ${shownPath(path)}: call with that very path.`);
};

const isWithin = (path: string, action: Transfer): boolean => {
  const parts = (text: string) => text.split('/').filter(part => part !== '' && part !== '.');
  const [asked, real] = [parts(action.remotePath), parts(path)];
  const isTree = 'localPath' in action && action.tree !== undefined;
  return (
    action.remotePath.startsWith('/') &&
    (isTree || asked.length === real.length) &&
    asked.every((part, index) => part === real[index])
  );
};

const NOTHING_YET = Object.freeze({ limits: [], obligations: {}, change: {} });

/** Limits and obligations are those of the real path. */
const owing = (ruling: Ruling): Ruling => (ruling.effect === 'deny' ? ruling : { ...ruling, ...NOTHING_YET });

/** Whether a rule certainly means the path as it is written; where a home lies is not known here. */
const isMeant = (rule: Rule, access: FileAccess, path: string): boolean =>
  path.startsWith('/') && meansFile(rule, access, path);

/** Whether a rule means the path, or may mean what is below it in a tree. */
const mayMean = (rule: Rule, action: Transfer): boolean => {
  const { remotePath: path, direction } = action;
  const isTree = 'localPath' in action && action.tree !== undefined;
  const accesses = isTree && direction === 'download' ? (['list', 'read'] as const) : needsOf(action);
  const done = accesses.filter(rule.does);
  if (done.length === 0) return false;
  if (!path.startsWith('/')) return rule.everyFile;
  return done.some(access => meansFile(rule, access, path)) || (isTree && rule.reaches(path.replace(/^\/+/, '/')));
};
