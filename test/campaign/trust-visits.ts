import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../../src/errors.ts';
import { reach } from '../../src/ssh/dial/reach.ts';
import { lookUp, tcp } from '../../src/ssh/dial/tcp.ts';
import type { Host } from '../../src/ssh/host.ts';
import { keysFor, parseKnownHosts } from '../../src/ssh/trust/known-hosts.ts';
import { loadTrust } from '../../src/ssh/trust/trust.ts';
import { realClock } from '../support/clock.ts';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { type Chance, oneOf } from './chance.ts';

const execute = promisify(execFile);

/** What random known_hosts files came to: how often each verdict, how many names were looked up, and where we differ from OpenSSH. */
export type Visits = { readonly verdicts: Map<string, number>; lookups: number; readonly problems: string[] };

type Ground = {
  readonly sshd: Sshd;
  readonly temp: TempFolder;
  /** Public keys that are good for lines: the host's own, its authority's, and strangers'. */
  readonly own: readonly string[];
  readonly authorities: readonly string[];
  readonly strangers: readonly string[];
};

/** Visits one host with three keys, two of them certified, over and over, with another known_hosts file each time. */
export const visitAtRandom = async (next: Chance, { count }: { readonly count: number }): Promise<Visits> => {
  await using temp = await tempFolder('sallyport-visits-');
  const key = (name: string, kind: 'ed25519' | 'rsa' | 'ecdsa') => makeKey(join(temp.path, name), kind);
  const [ed25519, ecdsa, rsa, ca, otherCa, stranger, second] = await Promise.all([
    ...[key('ed25519', 'ed25519'), key('ecdsa', 'ecdsa'), key('rsa', 'rsa'), key('ca', 'ed25519')],
    ...[key('other-ca', 'ecdsa'), key('stranger', 'ed25519'), key('second', 'rsa')],
  ]);
  if (ed25519 === undefined || ecdsa === undefined || rsa === undefined || ca === undefined) throw new Error('no keys');
  if (otherCa === undefined || stranger === undefined || second === undefined) throw new Error('no keys');
  const certify = async (path: string, names: string) =>
    await execute('ssh-keygen', ['-q', '-s', ca.path, '-I', 'web', '-h', '-n', names, `${path}.pub`]);
  await Promise.all([certify(ed25519.path, '127.0.0.1,web.example.org'), certify(ecdsa.path, 'web.example.org')]);
  const config = [ed25519, ecdsa, rsa].map(({ path }) => `HostKey ${path}`);
  const certificates = [ed25519, ecdsa].map(({ path }) => `HostCertificate ${path}-cert.pub`);
  await using sshd = await startSshd({ config: [...config, ...certificates], hostKeys: [] });
  const ground: Ground = {
    ...{ sshd, temp },
    own: [ed25519.publicKey, ecdsa.publicKey, rsa.publicKey],
    authorities: [ca.publicKey, otherCa.publicKey],
    strangers: [stranger.publicKey, second.publicKey, otherCa.publicKey],
  };
  const visits: Visits = { verdicts: new Map(), lookups: 0, problems: [] };
  for (let done = 0; done < count; done += 2) {
    const trials = Array.from({ length: Math.min(2, count - done) }, (_, at) => trialOf(ground, next, done + at));
    await Promise.all(trials.map(trial => visit(ground, trial, visits)));
  }
  return visits;
};

type Trial = { readonly text: string; readonly keyAlias: string | undefined; readonly number: number };

const ALIASES = ['web.example.org', 'WEB.example.org', 'db'];

const trialOf = (ground: Ground, next: Chance, number: number): Trial => {
  const keyAlias = next(3) === 0 ? oneOf(next, ALIASES) : undefined;
  const lines = Array.from({ length: 1 + next(5) }, () => lineOf(ground, next));
  return { keyAlias, number, text: `${lines.join('\n')}${next(4) === 0 ? '' : '\n'}` };
};

const lineOf = ({ sshd, own, authorities, strangers }: Ground, next: Chance): string => {
  const place = `[127.0.0.1]:${sshd.port}`;
  const names = [place, place, '127.0.0.1', 'web.example.org', 'db', 'WEB.EXAMPLE.ORG', '[web.example.org]:22'];
  const patterns = ['*', '127.0.0.*', `[127.0.0.?]:${sshd.port}`, '[*]:*', '*.example.org', 'w*', '?b', `!${place}`];
  const pick = (): string => oneOf(next, next(3) === 0 ? [...patterns, '!127.0.0.1', '!db', '!*.org', ''] : names);
  if (next(12) === 0)
    return oneOf(next, [
      '',
      '# a comment',
      `${place} ssh-ed25519`,
      `@what ${place} ${own[0]}`,
      `${place} ${own[0]?.slice(0, -3)}`,
    ]);
  const list = Array.from({ length: 1 + next(3) }, pick).join(',');
  const subject = next(4) === 0 ? hashed(oneOf(next, names).toLowerCase(), next) : list;
  const marker = oneOf(next, ['', '', '', '', '@cert-authority ', '@cert-authority ', '@revoked ', '@revoked ']);
  const keys = marker === '' ? [...own, ...own, ...strangers] : [...authorities, ...authorities, ...own, ...strangers];
  return `${next(9) === 0 ? ' ' : ''}${marker}${subject}${oneOf(next, [' ', ' ', '\t'])}${oneOf(next, keys)}${oneOf(next, ['', ' comment', '\r'])}`;
};

const hashed = (name: string, next: Chance): string => {
  const salt = Buffer.from(Array.from({ length: 20 }, () => next(256)));
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

const visit = async ({ sshd, temp }: Ground, { text, keyAlias, number }: Trial, visits: Visits): Promise<void> => {
  const file = await temp.write(`known_hosts_${number}`, text);
  const host = await sshd.host({
    auth: [{ kind: 'agent', socket: '' }],
    ...(keyAlias === undefined ? {} : { keyAlias }),
  });
  const names = [`[127.0.0.1]:${sshd.port}`, '127.0.0.1', ...ALIASES.map(alias => alias.toLowerCase())];
  const [ours, theirs, ...found] = await Promise.all([
    ourVerdict(host, file),
    sshVerdict(host, file),
    ...names.map(async name => ((await keygenLines(file, name)) === ourLines(text, name) ? '' : name)),
  ]);
  visits.lookups += names.length;
  const isStricter = ours !== theirs && theirs === 'trusted' && mayBeStricter(host, text, ours);
  const verdict = isStricter ? 'stricter than ssh' : theirs;
  visits.verdicts.set(verdict, (visits.verdicts.get(verdict) ?? 0) + 1);
  const shown = `file ${number}, alias ${keyAlias}:\n${text}`;
  if (ours !== theirs && !isStricter) visits.problems.push(`we say ${ours}, ssh says ${theirs}: ${shown}`);
  for (const name of found.filter(one => one !== '')) visits.problems.push(`other lines for ${name}: ${shown}`);
};

/**
 * Where we refuse what ssh lets through: a key that is revoked under the name without the port, and a key that stands there
 * while the port's own lines give another, which ssh overlooks when the key comes with a certificate.
 */
const mayBeStricter = ({ address, port, keyAlias }: Host, text: string, ours: string): boolean => {
  const known = parseKnownHosts(text, 'file');
  const [exact, plain] = [keysFor(known, `[${address}]:${port}`), keysFor(known, address)];
  if (keyAlias !== undefined) return false;
  if (ours === 'HOST_KEY_REVOKED') return plain.some(({ marker }) => marker === 'revoked');
  return ours === 'HOST_KEY_CHANGED' && exact.some(({ marker }) => marker === 'host') && plain.length > 0;
};

const ourVerdict = async (host: Host, file: string): Promise<string> => {
  const wires = { clock: realClock, log: () => {}, connect: tcp, lookUp, connectTimeoutMs: 30_000 };
  const parts = { ...wires, knownHosts: [file], meetsStrangers: true };
  try {
    const link = await reach(host, { signal: AbortSignal.timeout(30_000) }, parts);
    link.end();
    return 'let in without a login';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code !== 'AUTH_FAILED') return error.code;
    const { standing } = await loadTrust(host, [file]);
    return standing === 'unknown' ? 'trusted, and yet not dialled where nobody asks' : 'trusted';
  }
};

/** What the stock client decides; it tries no login either. */
const sshVerdict = async (host: Host, file: string): Promise<string> => {
  const options = [
    ...[`UserKnownHostsFile=${file}`, 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes', 'LogLevel=ERROR'],
    ...['BatchMode=yes', 'PreferredAuthentications=none', 'IdentityFile=none', 'UpdateHostKeys=no'],
    ...(host.keyAlias === undefined ? [] : [`HostKeyAlias=${host.keyAlias}`]),
  ].flatMap(option => ['-o', option]);
  const place = ['-p', String(host.port), `${host.user}@${host.address}`];
  const { stderr } = await execute('ssh', ['-F', 'none', ...options, ...place, 'true']).catch(
    (error: { stderr: string }) => error,
  );
  if (/Permission denied/.test(stderr)) return 'trusted';
  if (/REVOKED HOST KEY|revoked/i.test(stderr)) return 'HOST_KEY_REVOKED';
  if (/IDENTIFICATION HAS CHANGED/.test(stderr)) return 'HOST_KEY_CHANGED';
  return /Host key verification failed/.test(stderr) ? 'HOST_KEY_UNKNOWN' : stderr;
};

const ourLines = (text: string, name: string): string =>
  keysFor(parseKnownHosts(text, 'file'), name)
    .map(({ place }) => place.slice('file:'.length))
    .join();

const keygenLines = async (file: string, name: string): Promise<string> => {
  const found = await execute('ssh-keygen', ['-l', '-F', name, '-f', file]).catch((error: { stdout: string }) => error);
  return [...found.stdout.matchAll(/^# Host .* found: line (\d+)/gm)].map(([, line]) => line).join();
};
