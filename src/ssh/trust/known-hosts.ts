import { createHmac } from 'node:crypto';
import type { Problem } from '../../errors.ts';
import { type HostKey, readHostKey } from './host-key.ts';

/** What a line's marker makes of its key: trusted for the host, never to be trusted, or a signer of host certificates. */
export type Marker = 'host' | 'revoked' | 'authority';

/** One usable line of a known_hosts file. */
export type KnownKey = {
  readonly marker: Marker;
  readonly key: HostKey;
  /** `path:line`. */
  readonly place: string;
};

/** `names` says whether a name is meant, and `spells` whether it stands there in full, or hashed. */
type Line = KnownKey & Names;
type Names = { readonly names: (name: string) => boolean; readonly spells: (name: string) => boolean };

/** A known_hosts file as sshd(8) describes it under SSH_KNOWN_HOSTS FILE FORMAT: broken lines are skipped and named. */
export type KnownHosts = { readonly lines: readonly Line[]; readonly problems: readonly Problem[] };

/** Reads the text of a file, as latin1, so that every byte is one character. */
export const parseKnownHosts = (text: string, file: string): KnownHosts => {
  const lines: Line[] = [];
  const problems: Problem[] = [];
  for (const [index, whole] of text.split('\n').entries()) {
    // OpenSSH reads lines as C strings: what follows a NUL does not exist.
    const line = (whole.split('\0', 1)[0] ?? '').replace(/^[ \t]+/, '');
    if (/^[#\r]?$|^#/.test(line)) continue;
    const parsed = parseLine(line, `${file}:${index + 1}`);
    if (typeof parsed === 'object') lines.push(parsed);
    else problems.push({ file, line: index + 1, column: 1, pointer: '', message: parsed });
  }
  return { lines, problems };
};

const MARKERS: ReadonlyMap<string, Marker> = new Map([
  ['@revoked', 'revoked'],
  ['@cert-authority', 'authority'],
]);

/** The line, or what is wrong with it. */
const parseLine = (line: string, place: string): Line | string => {
  const marked = line.startsWith('@');
  const [first = '', afterMarker] = cut(line);
  const marker = marked ? MARKERS.get(first) : 'host';
  if (marker === undefined) return `unknown marker ${JSON.stringify(first)}: @revoked and @cert-authority exist`;
  const [names, afterNames] = cut(marked ? afterMarker : line);
  const [type, afterType] = cut(afterNames);
  const [base64] = cut(afterType);
  if (names.startsWith('@')) return 'only one marker is allowed on a line';
  if (base64 === '') return 'names, a key type and a key are expected';
  const matches = nameMatcher(names);
  if (matches === undefined) return 'the hashed name is not |1|salt|hash';
  const key = decodeKey(base64);
  if (key === undefined || key.type !== type) return `no valid ${JSON.stringify(type)} key`;
  return { marker, key, place, ...matches };
};

/** The text up to the first blank, and what follows the blanks. */
const cut = (text: string): [head: string, tail: string] => {
  const [, head = '', tail = ''] = /^([^ \t]*)[ \t]*(.*)$/s.exec(text) ?? [];
  return [head, tail];
};

/** Base64 as strictly as OpenSSH reads it: white space is skipped, padding and unused bits are not. */
const decodeKey = (base64: string): HostKey | undefined => {
  const text = base64.replace(/[\v\f\r]/g, '');
  const blob = Buffer.from(text, 'base64');
  return blob.toString('base64') === text ? readHostKey(blob) : undefined;
};

/** A hash of the name, or patterns with `*`, `?` and `!`; undefined when the hash is malformed. */
const nameMatcher = (names: string): Names | undefined => {
  if (!names.startsWith('|')) {
    const means = (name: string): boolean => matchesPatterns(name, names);
    return { names: means, spells: name => lower(names).split(',').includes(name) && means(name) };
  }
  const [, version, salt = '', ...hash] = names.split('|');
  const key = Buffer.from(salt, 'base64');
  if (version !== '1' || key.length !== 20 || key.toString('base64') !== salt || hash.length !== 1) return undefined;
  const means = (name: string): boolean => createHmac('sha1', key).update(name, 'latin1').digest('base64') === hash[0];
  return { names: means, spells: means };
};

/** OpenSSH's match_hostname: one negated match rejects, else one plain match accepts; a pattern of 1023 characters never does. */
const matchesPatterns = (name: string, patterns: string): boolean => {
  let found = false;
  for (const pattern of patterns.split(',')) {
    const negated = pattern.startsWith('!');
    const glob = negated ? pattern.slice(1) : pattern;
    if (glob.length >= 1023) return false;
    if (!matchesGlob(name, lower(glob))) continue;
    if (negated) return false;
    found = true;
  }
  return found;
};

/** `*` and `?` alone are special; linear in time, because only the last `*` is ever tried again. */
const matchesGlob = (text: string, glob: string): boolean => {
  let [at, pattern, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    const wanted = glob[pattern];
    if (wanted === '*') {
      star = pattern++;
      resume = at;
    } else if (wanted === '?' || wanted === text[at]) {
      at++;
      pattern++;
    } else if (star >= 0) {
      pattern = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^\**$/.test(glob.slice(pattern));
};

/** ASCII letters only, as `tolower` does in the C locale. */
const lower = (text: string): string => text.replace(/[A-Z]/g, letter => letter.toLowerCase());

/** The name under which a host is looked up and enrolled: `host`, or `[host]:port` when the port is not 22. */
export const knownName = (address: string, port: number): string =>
  port === 22 ? plainName(address) : `[${plainName(address)}]:${port}`;

/** A name as it is looked up without a port: in lower case, ASCII letters only, as ssh does. */
export const plainName = (address: string): string => lower(address);

/** The keys that lines give for a name, in the order of the file. */
export const keysFor = (known: KnownHosts, name: string): readonly KnownKey[] =>
  known.lines.filter(line => line.names(name));

/** Those of them that say the name itself, or its hash: what a pattern means, nobody may have thought of. */
export const keysSpelledFor = (known: KnownHosts, name: string): readonly KnownKey[] =>
  known.lines.filter(line => line.spells(name));
