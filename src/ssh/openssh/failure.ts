import { Failure } from '../../errors.ts';
import { explainDial, type Phase } from '../dial/dial-failure.ts';
import type { Host } from '../host.ts';
import { knownName } from '../trust/known-hosts.ts';
import { loadTrust, type Verdict } from '../trust/trust.ts';
import type { Said } from './said.ts';

/** What an ssh that gave up had found by then, and what else is known of the try. */
export type Given = {
  readonly host: Host;
  readonly said: Said;
  readonly knownHosts: readonly string[];
  readonly timeoutMs: number;
  readonly late: boolean;
};

/** Why an ssh gave up, in our words: by its own, when they are known, and else as unreachable. */
export const explainSsh = async (given: Given): Promise<Failure> => {
  const { host, said, timeoutMs } = given;
  const guilty = hopNamed(host, said);
  const dialled = (error: Error, phase: Phase = said.phase): Failure =>
    tell(explainDial(guilty ?? host, phase, error, timeoutMs), said);
  if (given.late) return dialled(coded('ETIMEDOUT', 'it took too long'));
  const heard = said.words.join('\n');
  // A host whose key was accepted may still write such words, as a banner.
  const verdict = said.phase === 'login' ? undefined : VERDICTS.find(([form]) => form.test(heard))?.[1];
  if (verdict !== undefined) return await refusal(given, guilty ?? host, verdict);
  if (/Permission denied \(|Too many authentication failures/.test(heard)) return noLogin(guilty ?? host, said);
  const [, mismatch] = /no matching ([a-z ]+) found/.exec(heard) ?? [];
  if (mismatch !== undefined) return dialled(new Error(`Handshake failed: no matching ${mismatch}`), 'handshake');
  const code = NETWORK.find(([form]) => form.test(heard))?.[1];
  if (code !== undefined) return dialled(coded(code, heard));
  return isMissing(said) ? missing(host) : unknown(host, said);
};

/** Said by env(1), which starts it. */
const isMissing = ({ phase, words }: Said): boolean =>
  phase === 'connecting' && /^(env|setpriv): .*ssh.*No such file/.test(words[0] ?? '');

const missing = ({ name }: Host): Failure =>
  new Failure('UNREACHABLE', `${name} is to be reached by way of OpenSSH, and this machine has no OpenSSH client.`, {
    details: { host: name },
    next: 'Ask the operator to install it, or to take the transport ssh2 for this host.',
  });

const VERDICTS: readonly (readonly [RegExp, Verdict])[] = [
  [/REVOKED HOST KEY DETECTED|host key .* revoked/i, 'revoked'],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'changed'],
  [/Host key verification failed/, 'unknown'],
];

/** strerror(3) and gai_strerror(3), as ssh repeats them. */
const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/Temporary failure in name resolution/, 'EAI_AGAIN'],
  [/Could not resolve hostname/, 'ENOTFOUND'],
  [/Connection refused/, 'ECONNREFUSED'],
  [/Connection timed out|Operation timed out/, 'ETIMEDOUT'],
  [/No route to host/, 'EHOSTUNREACH'],
  [/Network is unreachable/, 'ENETUNREACH'],
  [/Connection (closed|reset) by|Connection reset/, 'ECONNRESET'],
];

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** The hop that a line speaks of, as long as the host itself was not reached. */
const hopNamed = (host: Host, said: Said): Host | undefined => {
  if (said.phase !== 'connecting') return undefined;
  const heard = said.words.join('\n');
  for (let hop = host.via; hop !== undefined; hop = hop.via) {
    const { address, port } = hop;
    const names = [
      `host ${address} port ${port}:`,
      `hostname ${address}:`,
      `@${address}: `,
      ` ${knownName(address, port)} `,
    ];
    if (names.some(name => heard.includes(name))) return hop;
  }
  return undefined;
};

const tell = (failure: Failure, said: Said): Failure =>
  new Failure(failure.code, failure.message, {
    next: failure.next,
    details: failure.details,
    operator: `${failure.message} ssh said: ${said.words.at(-1) ?? 'nothing'}`,
    cause: failure.cause,
  });

/** With both fingerprints where ssh told the presented one: what was expected is read from the same files. */
const refusal = async ({ host, said, knownHosts }: Given, guilty: Host, verdict: Verdict): Promise<Failure> => {
  const { key } = said;
  if (guilty === host && key !== undefined) {
    const trust = await loadTrust(host, knownHosts);
    return trust.refusal(
      { ...key, blob: Buffer.alloc(0) },
      verdict === 'unknown' && host.hostKeys.length > 0 ? 'changed' : verdict,
    );
  }
  const { name, address, port } = guilty;
  const code = { revoked: 'HOST_KEY_REVOKED', changed: 'HOST_KEY_CHANGED' } as const;
  return tell(
    new Failure(
      verdict === 'revoked' || verdict === 'changed' ? code[verdict] : 'HOST_KEY_UNKNOWN',
      `The key of ${name} (${address}:${port}) was not accepted: ${WORDS[verdict] ?? 'it is not known'}.`,
      { details: { host: name } },
    ),
    said,
  );
};

const WORDS: Partial<Record<Verdict, string>> = { revoked: 'it is marked @revoked', changed: 'another one is known' };

const noLogin = (host: Host, said: Said): Failure => {
  const { name, user, address, port } = host;
  const tried = said.offered > 0 ? ['publickey'] : [];
  const what = tried.length === 0 ? 'there was no key to offer' : 'the host refused publickey';
  const rest = said.accepts.length === 0 ? '' : ` The host accepts: ${said.accepts.join(', ')}.`;
  const message = `Logging in as ${user} on ${name} (${address}:${port}) failed: ${what}.${rest}`;
  return tell(
    new Failure('AUTH_FAILED', message, {
      details: { host: name, tried, notes: [], accepts: said.accepts },
      next: `Run sallyport hosts test ${name} and correct the login, or have an ssh-agent hold its key.`,
    }),
    said,
  );
};

const unknown = (host: Host, said: Said): Failure =>
  tell(
    new Failure('UNREACHABLE', `${host.name} (${host.address}:${host.port}) could not be reached by way of OpenSSH.`, {
      details: { host: host.name, phase: said.phase },
      next: `Run sallyport hosts test ${host.name}: it tells what ssh said.`,
    }),
    said,
  );
