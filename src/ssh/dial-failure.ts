import { Failure } from '../errors.ts';
import type { Host } from './host.ts';

/** How far a dial had come when it failed: looking up and connecting, the SSH handshake, the login. */
export type Phase = 'connecting' | 'handshake' | 'login';

/** Says in words why a host cannot be reached; nothing that the host wrote is repeated. */
export const explainDial = (host: Host, phase: Phase, error: unknown, timeoutMs: number): Failure => {
  const where = `${host.name} (${host.address}:${host.port})`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const details = { host: host.name, phase, ...(/^E[A-Z_]+$/.test(code) ? { cause: code } : {}) };
  if (isTimeout(error)) {
    return new Failure('UNREACHABLE', `${where} ${SLOW[phase]} within ${timeoutMs} ms.`, { details, cause: error });
  }
  if (phase === 'connecting') {
    const said = NETWORK.get(code) ?? `cannot be connected to (${details.cause ?? 'no reason given'})`;
    return new Failure('UNREACHABLE', `${where} ${said}.`, { details, cause: error });
  }
  const mismatch = /^Handshake failed: no matching (.*)$/i.exec(messageOf(error))?.[1];
  if (mismatch !== undefined) {
    return new Failure('UNREACHABLE', `${where} and sallyport have no ${mismatch} in common.`, {
      details: { ...details, mismatch },
      cause: error,
      next: 'Update its sshd: SHA-1, CBC, group-exchange and DSA keys are not used here.',
    });
  }
  if (phase === 'login') {
    return new Failure('UNREACHABLE', `${where} closed the connection during the login.`, { details, cause: error });
  }
  return new Failure('UNREACHABLE', `${where} closed the connection before the SSH handshake was done.`, {
    details,
    cause: error,
    next: 'It may limit new connections (MaxStartups), punish this address for failed logins (PerSourcePenalties, about 30 s), or be no SSH server: look into its log.',
  });
};

/** Whether the host broke off because too many keys or passwords were offered (MaxAuthTries). */
export const isTooManyTries = (error: unknown): boolean => /too many authentication/i.test(messageOf(error));

/** ssh2's level of an error: an agent's failure is not the connection's. */
export const levelOf = (error: unknown): string =>
  error instanceof Error && 'level' in error && typeof error.level === 'string' ? error.level : '';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '');

const isTimeout = (error: unknown): boolean =>
  levelOf(error) === 'client-timeout' || (error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT');

const SLOW: Readonly<Record<Phase, string>> = {
  connecting: 'did not answer',
  handshake: 'answered and did not finish the SSH handshake',
  login: 'did not finish the login',
};

const NETWORK: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'has an address that no name server knows'],
  ['EAI_AGAIN', 'has an address that cannot be looked up now: the name server does not answer'],
  ['ECONNREFUSED', 'refuses connections: nothing listens there'],
  ['ECONNRESET', 'closed the connection at once'],
  ['EHOSTUNREACH', 'cannot be reached: no route to it'],
  ['ENETUNREACH', 'cannot be reached: no route to its network'],
  ['EHOSTDOWN', 'is down'],
  ['EACCES', 'cannot be connected to: this machine forbids it'],
  ['EPERM', 'cannot be connected to: this machine forbids it'],
]);
