import { nearest } from '../../text/nearest.ts';
import { matchRun } from '../synopsis/path.ts';
import type { RawHostSets } from './schema.ts';

/** Where something would happen, as far as a rule can tell places apart. */
export type Place = { readonly host: string; readonly tags: readonly string[]; readonly user: string };

/** Whether a rule is about a place. */
export type Covers = (place: Place) => boolean;

/** The hosts and users of a rule; without either, every one. An entry is a set of the document, `tag:NAME`, or a name with `*` and `?`. */
export const compileCovers = (
  { hosts, users }: { readonly hosts?: readonly string[] | undefined; readonly users?: readonly string[] | undefined },
  sets: RawHostSets,
): Covers => {
  const entries = hosts?.flatMap(entry => (Object.hasOwn(sets, entry) ? (sets[entry] ?? []) : [entry]));
  const named = users === undefined ? undefined : new Set(users);
  return ({ host, tags, user }) =>
    (entries === undefined || entries.some(entry => isMeant(entry, host, tags))) &&
    (named === undefined || named.has(user));
};

const isMeant = (entry: string, host: string, tags: readonly string[]): boolean =>
  entry.startsWith('tag:') ? tags.includes(entry.slice(4)) : matchRun(entry, host);

/** What is wrong with an entry that looks like the name of a set and is none, or undefined. */
export const strangeHost = (entry: string, sets: RawHostSets): string | undefined => {
  if (Object.hasOwn(sets, entry) || /[^A-Za-z_]/.test(entry)) return undefined;
  const meant = nearest(entry, Object.keys(sets));
  return meant === undefined
    ? undefined
    : `is not a set of hosts; did you mean ${JSON.stringify(meant)}? A host of this very name can be put into a set`;
};
