import type { Limit } from '../limit.ts';
import { indexPrograms, type ProgramIndex } from '../synopsis/program-index.ts';
import type { Place } from './place.ts';
import type { Rule } from './rule.ts';

/** The rules of a document, ready for any place. */
export type Rulebook = {
  readonly rules: readonly Rule[];
  /** The rules that are about this place; kept, so that asking again costs one look. */
  readonly at: (place: Place) => Page;
  readonly limits: readonly Limit[];
};

/** What the rules say about one place. */
export type Page = {
  /** Those that grant anything there. */
  readonly grants: readonly Rule[];
  /** Those that grant any command. */
  readonly anything: readonly Rule[];
  /** Those that grant certain commands, by program. */
  readonly granting: ProgramIndex<Rule>;
  /** Those that deny or ask. */
  readonly restraints: readonly Rule[];
  /** Those that deny or ask for certain commands, by program. */
  readonly restraining: ProgramIndex<Rule>;
};

/** Places whose rules are kept at a time. */
const MOST_PAGES = 1000;

/** The rules as a book. */
export const bookOf = (rules: readonly Rule[]): Rulebook => {
  const pages = new Map<string, Page>();
  const at = (place: Place): Page => {
    const key = JSON.stringify([place.host, place.user, place.tags]);
    const known = pages.get(key);
    if (known !== undefined) return known;
    if (pages.size >= MOST_PAGES) pages.clear();
    const page = pageOf(rules.filter(rule => rule.covers(place)));
    pages.set(key, page);
    return page;
  };
  return Object.freeze({
    rules: Object.freeze([...rules]),
    at,
    limits: Object.freeze(rules.flatMap(({ limits }) => limits)),
  });
};

/** What these rules say about a place that all of them cover. */
export const pageOf = (rules: readonly Rule[]): Page => {
  const grants = rules.filter(({ effect }) => effect !== 'deny');
  const restraints = rules.filter(({ effect }) => effect !== 'allow');
  return {
    grants,
    anything: grants.filter(({ commands }) => commands === 'any'),
    granting: indexOf(grants),
    restraints,
    restraining: indexOf(restraints),
  };
};

const indexOf = (rules: readonly Rule[]): ProgramIndex<Rule> =>
  indexPrograms(
    rules.flatMap(rule =>
      rule.commands === undefined || rule.commands === 'any'
        ? []
        : rule.commands.entries.map(({ pattern }) => ({ pattern, of: rule })),
    ),
  );
