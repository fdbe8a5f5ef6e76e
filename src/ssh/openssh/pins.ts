import { readFile } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import { fingerprintOf } from '../trust/host-key.ts';
import { knownName } from '../trust/known-hosts.ts';

/**
 * A known_hosts file that trusts the pinned keys of a host, and nothing else: OpenSSH knows keys, not fingerprints, so each
 * must be in a known_hosts file, under whatever name. Lines that revoke keys stay. Throws `UNSUPPORTED` without one.
 */
export const pinnedKnownHosts = async (host: Host, files: readonly string[]): Promise<string> => {
  const texts = await Promise.all(files.map(file => readFile(file, 'latin1').catch(missing)));
  const lines = texts.flatMap(text => text.split('\n'));
  const revoked = lines.filter(line => /^\s*@revoked\s/.test(line));
  const name = host.keyAlias ?? knownName(host.address, host.port);
  const pinned = lines.flatMap(line => {
    const [, type = '', key = ''] = /\s([a-z][a-z0-9@.-]+)\s+(AAAA[A-Za-z0-9+/]+={0,2})(\s|$)/.exec(line) ?? [];
    return host.hostKeys.includes(fingerprintOf(Buffer.from(key, 'base64'))) ? [`${name} ${type} ${key}`] : [];
  });
  if (pinned.length > 0) return [...new Set(pinned), ...revoked, ''].join('\n');
  throw new Failure('UNSUPPORTED', `${host.name} has a pin, and OpenSSH cannot be given the key that belongs to it.`, {
    next: `A person enrols the key with sallyport hosts trust ${host.name}, or takes the transport ssh2 for this host.`,
    details: { host: host.name },
  });
};

/** A file that is not there is empty. */
const missing = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
};
