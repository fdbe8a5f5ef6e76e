import type { Target } from '../call.ts';
import { Failure } from '../errors.ts';
import type { HostSets } from '../policy/host-sets.ts';
import { didYouMean } from '../text/nearest.ts';
import { safeLine } from '../text/safe.ts';

/** What an entry may name: every configured account, and the sets of the policy. */
export type Roll = { readonly targets: readonly Target[]; readonly sets: HostSets };

const TAG = 'tag:';
const SHOWN_CHARS = 60;

/** The hosts that an entry means: the one of that name, those with the tag of `tag:NAME`, or a set's; none when it names nothing. */
export const hostsOf = (entry: string, { targets, sets }: Roll): readonly string[] => {
  if (targets.some(({ host }) => host === entry)) return [entry];
  const isMeant = entry.startsWith(TAG)
    ? ({ tags }: Target) => tags.includes(entry.slice(TAG.length))
    : (sets.get(entry) ?? (() => false));
  return targets.filter(isMeant).map(({ host }) => host);
};

/** The hosts of a list in the order asked, each once; an entry that names nothing stands for itself. */
export const namesIn = (entries: readonly string[], roll: Roll): readonly string[] => [
  ...new Set(
    [...new Set(entries)].flatMap(entry => {
      const hosts = hostsOf(entry, roll);
      return hosts.length === 0 ? [entry] : hosts;
    }),
  ),
];

/** Why an entry names nothing, with what is nearest. */
export const namesNothing = (entry: string, { targets, sets }: Roll): Failure => {
  const shown = safeLine(JSON.stringify(entry), SHOWN_CHARS);
  const tags = [...new Set(targets.flatMap(target => target.tags))].map(tag => `${TAG}${tag}`);
  if (sets.has(entry)) return unknown(`No configured host is in the set ${shown}.`);
  const names = [...targets.map(({ host }) => host), ...sets.keys(), ...tags];
  const what = entry.startsWith(TAG) ? 'No configured host is tagged so' : 'No host and no set is called so';
  return unknown(`${what}: ${shown}${didYouMean(entry, names) || '.'}`);
};

const unknown = (message: string): Failure =>
  new Failure('UNKNOWN_HOST', message, { next: 'Nothing ran. Call ssh_list_hosts for the names that exist.' });
