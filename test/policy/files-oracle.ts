/*
 * What rules say of files on one page, from the reference alone: patterns become regular expressions over paths whose names
 * are known, because a generator wrote them. Nothing of src. files-laws.test.ts compares the two.
 */

/** A rule as the generator writes it. */
export type FileRule = {
  readonly id: string;
  readonly effect: 'allow' | 'ask' | 'deny';
  readonly actions?: readonly string[];
  readonly paths?: readonly string[];
  readonly hosts?: readonly string[];
  readonly when?: { readonly not_before?: string; readonly not_after?: string };
};

export type Access = 'read' | 'write' | 'list' | 'delete';
export type Where = { readonly host: string; readonly at: number };
/** A transfer as it is asked for. */
export type Asked = Where & {
  readonly direction: 'upload' | 'download';
  readonly path: string;
  readonly tree: boolean;
  readonly deletes: boolean;
};
/** `deciding` are all rules that may be named first in a denial, and all that are named otherwise. */
export type Verdict = { readonly effect: 'allow' | 'ask' | 'deny'; readonly deciding: readonly string[] };

const NOBODY: Verdict = { effect: 'deny', deciding: ['(no rule)'] };

/** One access to a file by its real path. */
export const fileOracle = (rules: readonly FileRule[], where: Where, access: Access, path: string): Verdict => {
  const about = rules.filter(rule => isAbout(rule, where) && does(rule, access) && means(rule, path));
  const denies = about.filter(({ effect }) => effect === 'deny');
  if (denies.length > 0) return { effect: 'deny', deciding: denies.map(({ id }) => id) };
  if (about.length === 0) return NOBODY;
  const effect = about.some(rule => rule.effect === 'ask') ? 'ask' : 'allow';
  return { effect, deciding: about.map(({ id }) => id) };
};

/** A transfer before anybody knows what its path leads to. */
export const askedOracle = (rules: readonly FileRule[], asked: Asked): Verdict => {
  const { path, direction, tree, deletes } = asked;
  const about = rules.filter(rule => isAbout(rule, asked));
  const isKnown = path.startsWith('/');
  const first: Access = direction === 'upload' ? 'write' : tree ? 'list' : 'read';
  const needs: readonly Access[] = tree && deletes && direction === 'upload' ? [first, 'delete'] : [first];
  const denies = about.filter(
    rule =>
      rule.effect === 'deny' &&
      ((isKnown && does(rule, first) && means(rule, path)) || needs.some(need => does(rule, need) && isEvery(rule))),
  );
  if (denies.length > 0) return { effect: 'deny', deciding: denies.map(({ id }) => id) };
  const met: readonly Access[] = tree && direction === 'download' ? ['list', 'read'] : needs;
  const asking = about.filter(
    rule =>
      rule.effect === 'ask' &&
      met.some(access => does(rule, access)) &&
      (isKnown ? means(rule, path) || (tree && mayMeanBelow(rule, path)) : isEvery(rule)),
  );
  if (!isKnown && asking.length > 0) return { effect: 'deny', deciding: asking.map(({ id }) => id) };
  const grants = about.filter(({ effect }) => effect !== 'deny');
  if (needs.some(need => !grants.some(rule => does(rule, need)))) return NOBODY;
  const granting = isKnown ? grants.filter(rule => does(rule, first) && means(rule, path)) : [];
  const deciding = [...new Set([...asking, ...granting])].map(({ id }) => id);
  if (deciding.length > 0) return { effect: asking.length > 0 ? 'ask' : 'allow', deciding };
  return { effect: 'allow', deciding: [grants.find(rule => does(rule, first))?.id ?? ''] };
};

const does = ({ actions }: FileRule, access: Access): boolean => actions === undefined || actions.includes(access);

const isAbout = ({ hosts, when }: FileRule, { host, at }: Where): boolean =>
  (hosts === undefined || hosts.includes(host)) &&
  at >= Date.parse(when?.not_before ?? '2000-01-01T00:00:00Z') &&
  at <= Date.parse(when?.not_after ?? '2100-01-01T00:00:00Z');

const means = ({ paths }: FileRule, path: string): boolean =>
  paths === undefined || paths.flatMap(alternatives).some(pattern => regex(pattern).test(plain(path)));

const isEvery = ({ paths }: FileRule): boolean => paths === undefined || paths.some(path => /^(\/\*\*)+$/.test(path));

const plain = (path: string): string =>
  path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .map(part => `/${part}`)
    .join('');

const alternatives = (pattern: string): readonly string[] => {
  const [all, inner = ''] = /\{([^}]*)\}/.exec(pattern) ?? [];
  return all === undefined ? [pattern] : inner.split(',').flatMap(one => alternatives(pattern.replace(all, () => one)));
};

/** Over code points: a lone surrogate is one character. */
const regex = (pattern: string): RegExp =>
  new RegExp(
    `^${partsOf(pattern)
      .map(part => (part === '**' ? '(?:/[^/]+)*' : `/${Array.from(part, spelled).join('')}`))
      .join('')}$`,
    'su',
  );

const spelled = (character: string): string => {
  if (character === '*') return '[^/]*';
  return character === '?' ? '[^/]' : character.replace(/[.\\+^$()|]/, '\\$&');
};

const partsOf = (pattern: string): readonly string[] => pattern.split('/').filter(part => part !== '');

/** Whether what is left of a pattern, written out behind the path, makes one of its paths. */
const mayMeanBelow = ({ paths }: FileRule, path: string): boolean =>
  paths === undefined ||
  paths
    .flatMap(alternatives)
    .some(pattern =>
      partsOf(pattern).some((_part, from, all) =>
        written(all.slice(from)).some(rest => rest !== '' && regex(pattern).test(`${plain(path)}${rest}`)),
      ),
    );

const written = ([first, ...rest]: readonly string[]): readonly string[] => {
  if (first === undefined) return [''];
  const ways = first === '**' ? ['', '/z'] : [`/${first.replaceAll('*', 'z').replaceAll('?', 'z')}`];
  return ways.flatMap(way => written(rest).map(end => `${way}${end}`));
};
