import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import type { HostKey } from './host-key.ts';
import { knownName, plainName } from './known-hosts.ts';
import { loadTrust } from './trust.ts';

/** Names that mean only themselves in known_hosts: no pattern, no list, no comment, no blank. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9.:%_-]*$/;

/**
 * Trusts a key for a host, on behalf of a person who compared its fingerprint: appends one line to a known_hosts file in
 * a single write, durably, 0600 when the file is new; other lines and the file itself stay as they are. The line is under
 * the host's alias where it has one, and under its address and port otherwise.
 * Says whether the line was `added` or `already` there. A changed or revoked key is refused as a connection would be.
 */
export const enrol = async (file: string, host: Host, key: HostKey): Promise<'added' | 'already'> => {
  if (!PLAIN_NAME.test(host.keyAlias ?? host.address)) {
    const what = host.keyAlias === undefined ? 'address' : 'key alias';
    throw new Failure('INVALID_INPUT', `The ${what} of ${host.name} cannot stand in known_hosts.`);
  }
  const trust = await loadTrust({ ...host, hostKeys: [], knownHosts: [file] }, []);
  if (trust.unreadable !== undefined) throw trust.unreadable;
  const verdict = trust.judge(key);
  if (verdict === 'known') return 'already';
  if (verdict !== 'unknown') throw trust.refusal(key, verdict);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await append(file, `${nameOf(host)} ${key.type} ${key.blob.toString('base64')}\n`);
  return 'added';
};

const nameOf = ({ address, port, keyAlias }: Host): string =>
  keyAlias === undefined ? knownName(address, port) : plainName(keyAlias);

/** One append, after a line feed when the last line has none; a short write is taken back. */
const append = async (file: string, line: string): Promise<void> => {
  const handle = await open(file, 'a+', 0o600);
  try {
    const stats = await handle.stat();
    // What is written to /dev/null is trusted for one connection, and by nobody who looks.
    if (!stats.isFile())
      throw new Failure('INVALID_INPUT', 'The known_hosts file is no file: nothing can be kept there.');
    const { size } = stats;
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const bytes = Buffer.from(size > 0 && last.toString('latin1') !== '\n' ? `\n${line}` : line, 'latin1');
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length) {
      const now = await handle.stat();
      if (now.size === size + bytesWritten) await handle.truncate(size);
      throw new Error(`${file} could not be written whole`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
};
