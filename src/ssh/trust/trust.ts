import { Failure, type Problem } from '../../errors.ts';
import type { Host } from '../host.ts';
import { readPlainFile } from '../login/plain-file.ts';
import { type Certificate, certificateType, hostProblem } from './certificate.ts';
import type { HostKey } from './host-key.ts';
import {
  type KnownHosts,
  type KnownKey,
  keysFor,
  keysSpelledFor,
  knownName,
  parseKnownHosts,
  plainName,
} from './known-hosts.ts';
import { refusalOf, strangerOf, type Verdict } from './trust-refusal.ts';

/** What is to be thought of a key that a host presents. */
export type { Verdict } from './trust-refusal.ts';

/** The certificate that a host presented for its key, and when; epoch milliseconds. */
export type Certified = { readonly certificate: Certificate; readonly wallMs: number };

/** Types of certificates, by when they are asked for: before every key, or behind those that are known. */
export type CertificateTypes = { readonly first: readonly string[]; readonly last: readonly string[] };

/** What was trusted for a host when it was loaded; judging is synchronous, as a rekey needs it. */
export type Trust = {
  /** `key` is the host's own, and `certified` what an authority says about that key. */
  readonly judge: (key: HostKey, certified?: Certified) => Verdict;
  /** What a key that nobody has presented yet would meet: pinned, known or unknown. */
  readonly standing: 'pinned' | 'known' | 'unknown';
  /** The fingerprints by which the host would be known now: its pins, its known keys, and authorities as `authority SHA256:…`. */
  readonly anchors: readonly string[];
  /** The key types to ask for first: another type than the known one would look like another host. */
  readonly types: readonly string[];
  /** The types of certificates to ask for: none unless an authority is trusted for this host, or a key is revoked. */
  readonly certificates: CertificateTypes;
  /** Why a presented key is refused, with both fingerprints and what a person does next. */
  readonly refusal: (key: HostKey, verdict: Verdict, certified?: Certified) => Failure;
  /** Why the host need not be asked for its key, when its standing is unknown. */
  readonly stranger: () => Failure;
  /** Lines that could not be read. */
  readonly problems: readonly Problem[];
  /** Why nothing can be trusted now: a file that is there and cannot be read may revoke any key. */
  readonly unreadable: Failure | undefined;
};

/**
 * Reads the known_hosts files anew, the host's own where it has some: a key that was enrolled a moment ago counts. A file
 * that does not exist is empty; with one that cannot be read no key is trusted, pinned or not.
 */
export const loadTrust = async (host: Host, files: readonly string[]): Promise<Trust> => {
  const known = await Promise.all((host.knownHosts ?? files).map(readKnownHosts));
  const trust = trustIn(host, {
    lines: known.flatMap(file => file.lines),
    problems: known.flatMap(file => file.problems),
  });
  const reasons = known.flatMap(({ unreadable = [] }) => unreadable);
  return reasons.length === 0 ? trust : distrustIn(host, trust, reasons);
};

/** A known_hosts file as it stands: one that is not there, or is a device such as /dev/null, has no lines. */
export type KnownFile = KnownHosts & { readonly absent?: true; readonly unreadable?: readonly string[] };

/** Reads a file as a dial does; never rejects, and waits for no pipe. */
export const readKnownHosts = async (file: string): Promise<KnownFile> => {
  const read = await readPlainFile(file, MAX_BYTES);
  if ('bytes' in read) return parseKnownHosts(read.bytes.toString('latin1'), file);
  const nothing = { lines: [], problems: [] };
  return read.isEmpty
    ? { ...nothing, absent: true }
    : { ...nothing, unreadable: [`${file} cannot be read: ${read.cause}`] };
};

/** A hundred thousand keys; more is no file that a person keeps. */
const MAX_BYTES = 64 * 1024 * 1024;

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
    anchors: [],
    judge: (key, certified) => (trust.judge(key, certified) === 'revoked' ? 'revoked' : 'unknown'),
    refusal: (key, verdict) => (verdict === 'revoked' ? trust.refusal(key, verdict) : unreadable),
  };
};

/** Pins stand in for known_hosts; `@revoked` overrules everything, also under the name without its port. */
const trustIn = (host: Host, known: KnownHosts): Trust => {
  const { exact, plain, name } = linesAbout(host, known);
  const all = [...exact, ...plain];
  const pinned = host.hostKeys.length > 0;
  const trusted = exact.filter(isTrusted);
  const near = trusted.length > 0 ? trusted : plain.filter(isTrusted);
  const authorities = pinned ? [] : all.filter(isAuthority);
  const judge: Trust['judge'] = (key, certified) => {
    if (isRevoked(all, key) || (certified !== undefined && isRevoked(all, certified.certificate.authority)))
      return 'revoked';
    if (pinned) return host.hostKeys.includes(key.fingerprint) ? 'pinned' : 'changed';
    if (certified !== undefined && certificateProblem(host, authorities, key, certified) === undefined) return 'known';
    // As ssh does: without a line for this port, the very key that is known for the plain name will do.
    if (near.some(entry => entry.key.blob.equals(key.blob))) return 'known';
    return trusted.length > 0 ? 'changed' : 'unknown';
  };
  const likely = pinned ? all.filter(({ key }) => host.hostKeys.includes(key.fingerprint)) : trusted;
  const types = typesOf(likely, exact);
  return {
    judge,
    standing: pinned ? 'pinned' : near.length + authorities.length > 0 ? 'known' : 'unknown',
    anchors: pinned ? host.hostKeys : anchorsOf(near, authorities),
    types,
    certificates: certificatesFor(host, types, {
      // What is revoked may be an authority, which only a certificate of it shows.
      matters: authorities.length > 0 || all.some(({ marker }) => marker === 'revoked'),
      exact: exact.some(isAuthority),
    }),
    refusal: (key, verdict, certified) => {
      const why = certified && certificateProblem(host, authorities, key, certified);
      const certificate = certified && why !== undefined ? { shown: certified.certificate, why } : undefined;
      return refusalOf(host, key, verdict, { name, trusted, all, certificate });
    },
    stranger: () => strangerOf(host),
    problems: known.problems,
    unreadable: undefined,
  };
};

/** Keys whose certificates can be checked by ssh2: for RSA it would need another name in the middle of the exchange. */
const CERTIFIED_TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'];

/** In ssh's order: with an authority under this very name, or its favourite type known, all come first; else those of known types. */
const certificatesFor = (
  { keyAlgorithms }: Host,
  types: readonly string[],
  authority: { readonly matters: boolean; readonly exact: boolean },
): CertificateTypes => {
  const offered = (some: readonly string[]): readonly string[] =>
    some.map(certificateType).filter(type => keyAlgorithms?.includes(type) !== false);
  if (!authority.matters) return { first: [], last: [] };
  if (authority.exact || types.includes('ssh-ed25519')) return { first: offered(CERTIFIED_TYPES), last: [] };
  return {
    first: offered(CERTIFIED_TYPES.filter(type => types.includes(type))),
    last: offered(CERTIFIED_TYPES.filter(type => !types.includes(type))),
  };
};

/** As ssh does: a type whose first key is revoked is not asked for first. */
const typesOf = (likely: readonly KnownKey[], exact: readonly KnownKey[]): readonly string[] =>
  likely
    .filter(({ key }, at) => likely.findIndex(one => one.key.type === key.type) === at && !isRevoked(exact, key))
    .map(({ key }) => key.type);

const anchorsOf = (near: readonly KnownKey[], authorities: readonly KnownKey[]): readonly string[] => [
  ...near.map(({ key }) => key.fingerprint),
  ...authorities.map(({ key }) => `authority ${key.fingerprint}`),
];

const isAuthority = (entry: KnownKey): boolean => entry.marker === 'authority';

const isTrusted = (entry: KnownKey): boolean => entry.marker === 'host';

const isRevoked = (all: readonly KnownKey[], { blob }: HostKey): boolean =>
  all.some(({ marker, key }) => marker === 'revoked' && key.blob.equals(blob));

/** The lines under the name of a host, and those under its name without the port; an alias is looked up as it is (HostKeyAlias). */
const linesAbout = ({ address, port, keyAlias, addedBy }: Host, known: KnownHosts) => {
  const name = keyAlias === undefined ? knownName(address, port) : plainName(keyAlias);
  const under = (one: string): readonly KnownKey[] =>
    addedBy === undefined ? keysFor(known, one) : enrolled(known, one);
  const plain = keyAlias !== undefined || port === 22 ? [] : under(plainName(address));
  return { name, exact: under(name), plain };
};

/** An agent chose the name: what a person trusted for names like it was not meant for this one, and what is revoked stays so. */
const enrolled = (known: KnownHosts, name: string): readonly KnownKey[] => [
  ...keysSpelledFor(known, name).filter(isTrusted),
  ...keysFor(known, name).filter(({ marker }) => marker === 'revoked'),
];

/** Why a certificate does not vouch for this host; undefined when it does. */
const certificateProblem = (
  { address, keyAlias }: Host,
  authorities: readonly KnownKey[],
  key: HostKey,
  { certificate, wallMs }: Certified,
): string | undefined => {
  if (!certificate.certified.blob.equals(key.blob)) return 'it is that of another key';
  if (!authorities.some(entry => entry.key.blob.equals(certificate.authority.blob)))
    return `its authority ${certificate.authority.fingerprint} is not trusted for this host`;
  return hostProblem(certificate, plainName(keyAlias ?? address), wallMs);
};
