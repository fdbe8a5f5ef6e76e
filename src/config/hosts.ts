import { createHash } from 'node:crypto';
import { type Host, MOST_HOPS } from '../ssh/host.ts';
import { didYouMean } from '../text/nearest.ts';
import { type Entry, usualLogin } from './entry.ts';
import type { Env } from './paths.ts';
import { type Hop, keyOf, type SshHost } from './ssh-config/ssh-host.ts';

/** A host, and a digest of everything that it is made of: two with the same are the same host. */
export type Made = { readonly host: Host; readonly made: string };

/** Where hosts are said: by config.json, which wins, and by ssh_config. */
export type Sources = {
  readonly entries: ReadonlyMap<string, Entry>;
  /** The names of ssh_config. */
  readonly names: readonly string[];
  /** What ssh says of them, and of whom they go by, by `keyOf`. */
  readonly answers: ReadonlyMap<string, SshHost>;
  readonly env: Env;
};

/** Something that keeps one host from being used: the member of its entry that is at fault, and why. */
export type Fault = { readonly name: string; readonly member: 'address' | 'user' | 'via'; readonly message: string };

/** What was made of some sources. */
export type Making = {
  /** Every host that is said whole, by name. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** What is wrong with the others. */
  readonly faults: readonly Fault[];
  /** All that was made, hops included, by `made`. */
  readonly kept: ReadonlyMap<string, Made>;
};

const digestOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64');

/** Makes the hosts of some sources. What was made of the same words before (`kept`) stays the same object, hops included. */
export const makeHosts = (sources: Sources, before: Making['kept'] = new Map()): Making => {
  const hosts = new Map<string, Host>();
  const faults: Fault[] = [];
  const kept = new Map<string, Made>();
  const keep = (made: Made): Made => {
    const one = kept.get(made.made) ?? before.get(made.made) ?? made;
    kept.set(made.made, one);
    return one;
  };
  for (const name of new Set([...sources.entries.keys(), ...sources.names])) {
    const made = makeHost(name, { ...sources, keep }, []);
    if ('host' in made) hosts.set(name, made.host);
    // Of what ssh made nothing of, who asked ssh says what is wrong.
    else if (sources.entries.has(name) || sources.answers.has(keyOf({ name })))
      faults.push({ name, member: made.member, message: made.message });
  }
  return { hosts, faults, kept };
};

type Means = Sources & { readonly keep: (made: Made) => Made };

/** `loop`: it is said of every host on the way around. */
type Why = Omit<Fault, 'name'> & { readonly loop?: true };

const makeHost = (name: string, sources: Means, before: readonly string[]): Made | Why => {
  const entry = sources.entries.get(name);
  // What an agent added is what the agent was granted, and no more.
  const said = entry?.addedBy === undefined ? sources.answers.get(keyOf({ name })) : undefined;
  if (entry === undefined) return said === undefined ? missing(name, sources) : ofSsh(said, sources, before);
  const address = entry.address ?? said?.address;
  const user = entry.user ?? said?.user;
  if (address === undefined) return { member: 'address', message: MISSING };
  if (user === undefined) return { member: 'user', message: MISSING };
  const carrier = viaOf(entry, said, sources, [...before, name]);
  if (carrier !== undefined && !('host' in carrier)) return carrier;
  const { written, via: _via, ...own } = entry;
  const usual = { port: SSH_PORT, auth: usualLogin(sources.env) };
  const isNamed = !saysOtherwise(entry);
  const theirs = said === undefined ? {} : withoutNames(said, isNamed, isNamed && own.transport === 'openssh');
  return sources.keep({
    host: {
      ...usual,
      ...theirs,
      ...own,
      ...{ address, user },
      ...(carrier === undefined ? {} : { via: carrier.host }),
    },
    made: digestOf([name, written, said ?? null, carrier?.made ?? null]),
  });
};

/** What is left when the hops are hosts; `isNamed` when ssh means the same by the name, `isLed` when it is ssh that dials. */
const withoutNames = (said: SshHost, isNamed: boolean, isLed: boolean): Omit<SshHost, 'jumps' | 'byOpenssh'> => {
  const { jumps: _jumps, byOpenssh = [], unheeded = [], unreachable, alias, aliasFile, ...host } = said;
  const words = isLed ? [] : byOpenssh.map(keyword => `${keyword} (only with "transport": "openssh")`);
  return {
    ...host,
    unheeded: [...words, ...unheeded],
    ...(unreachable === undefined ? {} : { unreachable }),
    ...(isNamed && alias !== undefined ? { alias } : {}),
    ...(isNamed && aliasFile !== undefined ? { aliasFile } : {}),
  };
};

const MISSING = 'is missing; it must be a text';
const SSH_PORT = 22;

/** What ssh_config calls by this name is another host then: who asks for the name would not be led to this one. */
const saysOtherwise = ({ address, port, user, auth, via, hostKeys, knownHosts, keyAlias }: Entry): boolean =>
  hostKeys.length > 0 || [address, port, user, auth, via, knownHosts, keyAlias].some(said => said !== undefined);

const viaOf = (
  entry: Entry,
  said: SshHost | undefined,
  sources: Means,
  before: readonly string[],
): Made | Why | undefined => {
  if (entry.via !== undefined) return named(entry.via, sources, before);
  return said === undefined ? undefined : chain(said.jumps, sources, before);
};

const named = (name: string, sources: Means, before: readonly string[]): Made | Why => {
  if (before.includes(name))
    return { member: 'via', message: `leads back to itself: ${[...before, name].join(', ')}`, loop: true };
  if (before.length > MOST_HOPS) return tooFar;
  if (!sources.entries.has(name) && !sources.answers.has(keyOf({ name }))) return missing(name, sources);
  const made = makeHost(name, sources, before);
  if ('host' in made || made.loop === true) return made;
  return { member: 'via', message: `${JSON.stringify(name)} cannot be used itself` };
};

const tooFar: Why = { member: 'via', message: `leads over more than ${MOST_HOPS} hosts`, loop: true };

const ofSsh = (said: SshHost, sources: Means, before: readonly string[]): Made | Why => {
  const carrier = chain(said.jumps, sources, [...before, said.name]);
  if (carrier !== undefined && !('host' in carrier)) return carrier;
  const host = withoutNames(said, true, false);
  const made = digestOf([null, said, carrier?.made ?? null]);
  return sources.keep({ host: carrier === undefined ? host : { ...host, via: carrier.host }, made });
};

/** ProxyJump: each hop by the one before it, and the first as ssh_config says, or config.json when it has that name. */
const chain = (jumps: readonly Hop[], sources: Means, before: readonly string[]): Made | Why | undefined => {
  const last = jumps.at(-1);
  if (last === undefined) return undefined;
  const rest = jumps.slice(0, -1);
  const hop = hopOf(last, rest.length > 0, sources, before);
  if (!('host' in hop) || rest.length === 0) return hop;
  const carrier = chain(rest, sources, [...before, last.name]);
  if (carrier === undefined || !('host' in carrier)) return carrier;
  return sources.keep({
    host: { ...hop.host, via: carrier.host },
    made: digestOf([hop.made, carrier.made]),
  });
};

const hopOf = (hop: Hop, isCarried: boolean, sources: Means, before: readonly string[]): Made | Why => {
  if (before.includes(hop.name)) return named(hop.name, sources, before);
  if (before.length > MOST_HOPS) return tooFar;
  const isPlain = hop.user === undefined && hop.port === undefined;
  const entry = sources.entries.get(hop.name);
  // An agent puts itself in nobody's way: a person wrote this name before it was on the list.
  if (isPlain && entry !== undefined && entry.addedBy === undefined) return named(hop.name, sources, before);
  const said = sources.answers.get(keyOf(hop));
  if (said === undefined) return missing(hop.name, sources);
  return ofSsh(isCarried ? { ...said, jumps: [] } : said, sources, before);
};

const missing = (name: string, { entries, names }: Sources): Why => {
  const near = didYouMean(name, [...entries.keys(), ...names]);
  return { member: 'via', message: `${JSON.stringify(name)} is no configured host${near}` };
};
