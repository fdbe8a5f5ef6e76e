import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import type { Certificate } from './certificate.ts';
import type { HostKey } from './host-key.ts';
import type { KnownKey } from './known-hosts.ts';

/** What is to be thought of a key that a host presents. */
export type Verdict = 'pinned' | 'known' | 'unknown' | 'changed' | 'revoked';

/** What was known of a host when its key was refused. */
export type Grounds = {
  /** The name under which it was looked up. */
  readonly name: string;
  /** The keys that were expected of it, and every line about it. */
  readonly trusted: readonly KnownKey[];
  readonly all: readonly KnownKey[];
  /** What was wrong with a certificate that it presented. */
  readonly certificate?: { readonly shown: Certificate; readonly why: string } | undefined;
};

/** Why a presented key is refused, with both fingerprints and what a person does next. */
export const refusalOf = (host: Host, key: HostKey, verdict: Verdict, grounds: Grounds): Failure => {
  const pinned = host.hostKeys.length > 0;
  const expected = pinned ? host.hostKeys : [...new Set(grounds.trusted.map(entry => entry.key.fingerprint))];
  const where = `${host.name} (${host.address}:${host.port})`;
  const shown = `${key.type} ${key.fingerprint}`;
  const details = { host: host.name, presented: { type: key.type, fingerprint: key.fingerprint }, expected };
  if (verdict === 'revoked') {
    return new Failure('HOST_KEY_REVOKED', `${where} presented a key that is marked @revoked: ${shown}.`, { details });
  }
  if (verdict === 'changed') return changed(host, `${where} presented ${shown}`, grounds, details);
  return new Failure(
    'HOST_KEY_UNKNOWN',
    `The key of ${where} is not known: it presented ${shown}.${onCertificates(grounds)}`,
    {
      details,
      next: `A person compares the fingerprint with the host's own and runs: ${enrolment(host)}`,
    },
  );
};

/** Why a host of which no key is known is not dialled: whatever it presented would be refused. */
export const strangerOf = (host: Host): Failure =>
  new Failure(
    'HOST_KEY_UNKNOWN',
    `No key of ${host.name} (${host.address}:${host.port}) is known: it is not dialled.`,
    {
      details: { host: host.name, expected: [], undialled: true },
      next: `A person compares its key with the host's own and runs: ${enrolment(host)}`,
    },
  );

const enrolment = ({ name }: Host): string => `sallyport hosts trust ${name}`;

type Details = { readonly host: string; readonly expected: readonly string[] };

const changed = (host: Host, presented: string, { trusted, name }: Grounds, details: Details): Failure => {
  const message = `${presented}, and not ${details.expected.join(' or ')}.`;
  const pinned = host.hostKeys.length > 0;
  const old = pinned
    ? 'correct the pin in config.json'
    : `remove the old one from known_hosts and run: ${enrolment(host)}`;
  const places = trusted.map(({ place }) => place);
  const files = [...new Set(places.map(place => place.replace(/:\d+$/, '')))];
  const removal = files.map(file => `ssh-keygen -R ${quoted(name)} -f ${quoted(file)}`).join('; ');
  return new Failure('HOST_KEY_CHANGED', message, {
    details,
    ...(pinned || places.length === 0
      ? {}
      : { operator: `${message} The old key is in ${places.join(', ')}; this removes it: ${removal}.` }),
    next: `A person must find out why before anybody connects; if the new key is right, ${old}`,
  });
};

const quoted = (text: string): string =>
  /^[A-Za-z0-9._/:@%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

const onCertificates = ({ all, certificate }: Grounds): string => {
  if (certificate !== undefined)
    return ` Its certificate ${JSON.stringify(plain(certificate.shown.keyId))} does not count: ${certificate.why}.`;
  return all.some(({ marker }) => marker === 'authority')
    ? ' A @cert-authority line covers the name, but it presented no certificate of that authority.'
    : '';
};

/** A host writes its certificate's id itself. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]+/g, '?').slice(0, 80);
