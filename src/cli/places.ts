import type { Untried } from '../policy/compile.ts';
import type { Place } from '../policy/rules/place.ts';
import type { Host } from '../ssh/host.ts';

/** Hosts that no rule of either document tells apart: one of them stands for all. */
export type Group = { readonly place: Place; readonly hosts: readonly string[] };

/** Every place that two documents tell apart: the configured hosts, and one for each name, pattern, tag and user that they write. */
export const groupsOf = (reads: readonly [Untried, Untried], configured: readonly Host[]): readonly Group[] => {
  const groups = new Map<string, { place: Place; hosts: string[] }>();
  const byName = reads.some(({ document }) => JSON.stringify(document.tools ?? {}).includes('"args.host'));
  for (const place of placesOf(reads, configured)) {
    const covering = reads.map(({ rules }) => rules.filter(rule => rule.covers(place)).map(({ index }) => index));
    const key = JSON.stringify([covering, byName ? place.host : '']);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { place, hosts: [place.host] });
    else if (!group.hosts.includes(place.host)) group.hosts.push(place.host);
  }
  return [...groups.values()];
};

const ELSEWHERE = 'any-other-host';

const placesOf = (reads: readonly [Untried, Untried], configured: readonly Host[]): readonly Place[] => {
  const documents = reads.map(({ document }) => document);
  const entries = documents.flatMap(({ rules = [], hosts = {}, tests = [] }) => [
    ...rules.flatMap(rule => rule.hosts ?? []).filter(entry => !Object.hasOwn(hosts, entry)),
    ...Object.values(hosts).flat(),
    ...tests.flatMap(({ host, tags = [] }) => [
      ...(host === undefined ? [] : [host]),
      ...tags.map(tag => `tag:${tag}`),
    ]),
    ...namedByConditions(documents),
  ]);
  const users = ['', ...documents.flatMap(({ rules = [] }) => rules.flatMap(rule => rule.users ?? []))];
  const hosts = [
    ...configured.map(({ name, tags }) => ({ host: name, tags })),
    ...[...new Set(['web-1', ...entries])].map(written),
    { host: ELSEWHERE, tags: [] },
  ];
  return [
    ...configured.map(({ name, user, tags }) => ({ host: name, user, tags })),
    ...hosts.flatMap(host => [...new Set(users)].map(user => ({ ...host, user }))),
  ];
};

const written = (entry: string): Omit<Place, 'user'> =>
  entry.startsWith('tag:')
    ? { host: `any-${entry.slice(4)}-host`, tags: [entry.slice(4)] }
    : { host: entry.replace(/[*?]/g, '1'), tags: [] };

const namedByConditions = (documents: readonly Untried['document'][]): readonly string[] =>
  documents.flatMap(({ tools = {} }) =>
    Object.values(tools)
      .flatMap(({ require = [], deny_if = [] }) => [...require, ...deny_if])
      .flatMap(group => ('conditions' in group ? group.conditions : [group]))
      .filter(({ path }) => path === 'args.host')
      .flatMap(({ value }) => (Array.isArray(value) ? value : [value]))
      .filter((value): value is string => typeof value === 'string'),
  );
