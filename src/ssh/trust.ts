import { readFile } from 'node:fs/promises';
import { Failure, type Problem } from '../errors.ts';
import type { Host } from './host.ts';
import type { HostKey } from './host-key.ts';
import { type KnownHosts, type KnownKey, keysFor, knownName, parseKnownHosts } from './known-hosts.ts';

/** What is to be thought of a key that a host presents. */
export type Verdict = 'pinned' | 'known' | 'unknown' | 'changed' | 'revoked';

/** What was trusted for a host when it was loaded; judging is synchronous, as a rekey needs it. */
export type Trust = {
  readonly judge: (key: HostKey) => Verdict;
  /** What a key that nobody has presented yet would meet: pinned, known or unknown. */
  readonly standing: 'pinned' | 'known' | 'unknown';
  /** The key types to ask for first: another type than the known one would look like another host. */
  readonly types: readonly string[];
  /** Why a presented key is refused, with both fingerprints and what a person does next. */
  readonly refusal: (key: HostKey, verdict: Verdict) => Failure;
  /** Lines that could not be read. */
  readonly problems: readonly Problem[];
  /** Why nothing can be trusted now: a file that is there and cannot be read may revoke any key. */
  readonly unreadable: Failure | undefined;
};

/**
 * Reads the known_hosts files anew: a key that was enrolled a moment ago counts. A file that does not exist is empty; with
 * one that cannot be read no key is trusted, pinned or not.
 */
export const loadTrust = async (host: Host, files: readonly string[]): Promise<Trust> => {
  const known = await Promise.all(files.map(readKnownHosts));
  const trust = trustIn(host, {
    lines: known.flatMap(file => file.lines),
    problems: known.flatMap(file => file.problems),
  });
  const reasons = known.flatMap(({ unreadable = [] }) => unreadable);
  return reasons.length === 0 ? trust : distrustIn(host, trust, reasons);
};

type KnownFile = KnownHosts & { readonly unreadable?: readonly string[] };

const readKnownHosts = async (file: string): Promise<KnownFile> => {
  try {
    return parseKnownHosts(await readFile(file, 'latin1'), file);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') return { lines: [], problems: [] };
    return { lines: [], problems: [], unreadable: [`${file} cannot be read: ${error.message}`] };
  }
};

/** What is left of trust when a file cannot be read: a revoked key is still one, and every other is unknown. */
const distrustIn = (host: Host, trust: Trust, reasons: readonly string[]): Trust => {
  const unreadable = new Failure(
    'HOST_KEY_UNKNOWN',
    `A known_hosts file cannot be read, so no key of ${host.name} can be trusted.`,
    {
      details: { host: host.name },
      next: 'Ask the operator to run sallyport hosts test and to make the file readable.',
      operator: `No key of ${host.name} can be trusted: ${reasons.join('; ')}. What it revokes would be missed.`,
    },
  );
  return {
    ...trust,
    unreadable,
    standing: 'unknown',
    judge: key => (trust.judge(key) === 'revoked' ? 'revoked' : 'unknown'),
    refusal: (key, verdict) => (verdict === 'revoked' ? trust.refusal(key, verdict) : unreadable),
  };
};

/** Pins stand in for known_hosts; `@revoked` overrules everything, also under the name without its port. */
const trustIn = (host: Host, known: KnownHosts): Trust => {
  const exact = keysFor(known, knownName(host.address, host.port));
  const plain = host.port === 22 ? [] : keysFor(known, knownName(host.address, 22));
  const all = [...exact, ...plain];
  const pinned = host.hostKeys.length > 0;
  const trusted = exact.filter(isTrusted);
  const near = trusted.length > 0 ? trusted : plain.filter(isTrusted);
  const judge = (key: HostKey): Verdict => {
    if (all.some(entry => entry.marker === 'revoked' && entry.key.blob.equals(key.blob))) return 'revoked';
    if (pinned) return host.hostKeys.includes(key.fingerprint) ? 'pinned' : 'changed';
    // As ssh does: without a line for this port, the very key that is known for the plain name will do.
    if (near.some(entry => entry.key.blob.equals(key.blob))) return 'known';
    return trusted.length > 0 ? 'changed' : 'unknown';
  };
  const likely = pinned ? all.filter(({ key }) => host.hostKeys.includes(key.fingerprint)) : near;
  return {
    judge,
    standing: pinned ? 'pinned' : near.length > 0 ? 'known' : 'unknown',
    types: [...new Set(likely.map(({ key }) => key.type))],
    refusal: (key, verdict) => refuse(host, key, verdict, { trusted, all }),
    problems: known.problems,
    unreadable: undefined,
  };
};

const isTrusted = (entry: KnownKey): boolean => entry.marker === 'host';

type Entries = { readonly trusted: readonly KnownKey[]; readonly all: readonly KnownKey[] };

const refuse = (host: Host, key: HostKey, verdict: Verdict, { trusted, all }: Entries): Failure => {
  const pinned = host.hostKeys.length > 0;
  const expected = pinned ? host.hostKeys : [...new Set(trusted.map(entry => entry.key.fingerprint))];
  const places = trusted.map(({ place }) => place);
  const where = `${host.name} (${host.address}:${host.port})`;
  const shown = `${key.type} ${key.fingerprint}`;
  const trust = `sallyport hosts trust ${host.name}`;
  const details = {
    host: host.name,
    presented: { type: key.type, fingerprint: key.fingerprint },
    expected,
  };
  if (verdict === 'revoked') {
    return new Failure('HOST_KEY_REVOKED', `${where} presented a key that is marked @revoked: ${shown}.`, { details });
  }
  if (verdict === 'changed') {
    const old = pinned ? 'correct the pin in config.json' : `remove the old one from known_hosts and run: ${trust}`;
    const message = `${where} presented ${shown}, and not ${expected.join(' or ')}.`;
    return new Failure('HOST_KEY_CHANGED', message, {
      details,
      ...(places.length === 0 ? {} : { operator: `${message} The old key is in ${places.join(', ')}.` }),
      next: `A person must find out why before anybody connects; if the new key is right, ${old}`,
    });
  }
  const authority = all.some(({ marker }) => marker === 'authority')
    ? ' A @cert-authority line covers the name, but certificates of hosts cannot be checked here.'
    : '';
  return new Failure('HOST_KEY_UNKNOWN', `The key of ${where} is not known: it presented ${shown}.${authority}`, {
    details,
    next: `A person compares the fingerprint with the host's own and runs: ${trust}`,
  });
};
