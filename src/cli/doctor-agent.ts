import type { Host } from '../ssh/host.ts';
import { type Agent, agentAt, type Identity } from '../ssh/login/agent.ts';
import { MAX_TRIES } from '../ssh/login/login-order.ts';
import { readStrings } from '../ssh/trust/blob.ts';
import { outOfTime, readCertificate } from '../ssh/trust/certificate.ts';
import { readHostKey } from '../ssh/trust/host-key.ts';
import { safeLine } from '../text/safe.ts';
import { advice, type Finding, few, well } from './finding.ts';
import { counted, type Io } from './io.ts';

/** Looks into each ssh-agent that a host would ask, and into that of SSH_AUTH_SOCK. Hosts that cannot do without say so themselves. */
export const checkAgents = async (io: Io, hosts: readonly Host[]): Promise<readonly Finding[]> => {
  const asking = askersOf(hosts);
  const own = io.env.SSH_AUTH_SOCK ?? '';
  if (own !== '' && !asking.has(own)) asking.set(own, []);
  if (asking.size === 0) return [well('agent', 'SSH_AUTH_SOCK is not set, and no host asks an agent')];
  const looked = await Promise.all([...asking].map(([socket, askers]) => checkAgent(io, socket, askers)));
  return looked.flat();
};

/** `chosen` says that the host names the keys it may be asked with. */
type Asker = { readonly name: string; readonly chosen: boolean };

const askersOf = (hosts: readonly Host[]): Map<string, readonly Asker[]> => {
  const asking = new Map<string, readonly Asker[]>();
  for (const { name, auth } of hosts)
    for (const login of auth)
      if (login.kind === 'agent')
        asking.set(login.socket, [...(asking.get(login.socket) ?? []), { name, chosen: login.only !== undefined }]);
  return asking;
};

const checkAgent = async (io: Io, socket: string, askers: readonly Asker[]): Promise<readonly Finding[]> => {
  const names = [...new Set(askers.map(({ name }) => name))];
  if (socket === '')
    return [advice('agent', `SSH_AUTH_SOCK is not set, so no agent is asked for ${few(names)}`, START)];
  const needed = names.length === 0 ? '' : `; it is asked for ${few(names)}`;
  const held = await identitiesOf(agentAt(socket, io.stopped));
  if (typeof held === 'string') return [advice('agent', `${socket}: ${held}${needed}`, START)];
  const keys = held.map(identity => keyOf(identity, io.clock.wallMs()));
  const usable = keys.filter(({ why }) => why === undefined);
  const unusable = keys.flatMap(({ says, why }) => (why === undefined ? [] : [`${says}: ${why}`]));
  const listed = few(
    usable.map(({ says }) => says),
    MAX_TRIES,
  );
  return [
    usable.length === 0
      ? advice('agent', `${socket} answers, and holds no key that can be used${needed}`, ADD)
      : well('agent', `${socket} holds ${counted(usable.length, 'key')}: ${listed}`),
    ...(unusable.length === 0 ? [] : [advice('agent', few(unusable, MAX_TRIES), REPLACE)]),
    ...(usable.length > MAX_TRIES ? tooMany(askers, usable.length) : []),
  ];
};

const identitiesOf = async (agent: Agent): Promise<readonly Identity[] | string> => {
  try {
    return await agent.identities();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return REASONS[code] ?? safeLine(error instanceof Error ? error.message : String(error));
  }
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there any more',
  ENOTSOCK: 'it is no socket',
  EACCES: 'it belongs to somebody else',
  EPERM: 'it belongs to somebody else',
};

type Key = { readonly says: string; readonly why?: string };

const keyOf = ({ blob, comment }: Identity, wallMs: number): Key => {
  const named = comment === '' ? '' : ` (${safeLine(comment, 60)})`;
  const plain = readHostKey(blob);
  if (plain !== undefined) return { says: `${plain.type} ${plain.fingerprint}${named}` };
  const certificate = readCertificate(blob);
  if (certificate === undefined) {
    const type = readStrings(blob)?.[0]?.toString('latin1') ?? 'unknown';
    return { says: `${safeLine(type, 60)}${named}`, why: 'keys of this kind cannot be used' };
  }
  const says = `${certificate.type} ${certificate.certified.fingerprint}${named}`;
  const why = certificate.kind === 'user' ? outOfTime(certificate, wallMs) : 'it is a certificate of a host';
  return why === undefined ? { says } : { says, why };
};

const tooMany = (askers: readonly Asker[], keys: number): readonly Finding[] => {
  const names = [...new Set(askers.filter(({ chosen }) => !chosen).map(({ name }) => name))];
  if (names.length === 0) return [];
  const says = `of ${keys} keys only ${MAX_TRIES} can be tried before a host breaks off (MaxAuthTries): ${few(names)}`;
  return [advice('agent', says, ONLY)];
};

const START =
  'start an agent and ssh-add a key, or configure a key; a client that passes no environment on needs SSH_AUTH_SOCK in its registration';
const ADD = 'ssh-add, or ssh-add ~/.ssh/id_ed25519';
const REPLACE = 'ssh-add another key, or a certificate that is valid now; ssh-add -d takes one out';
const ONLY =
  'name the right one by its public file: { "agent": true, "only": "~/.ssh/id_ed25519.pub" }, or IdentityFile and IdentitiesOnly in ssh_config';
