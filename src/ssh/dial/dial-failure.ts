import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';

/** How far a dial had come when it failed: looking up and connecting, the SSH handshake, the login. */
export type Phase = 'connecting' | 'handshake' | 'login';

/** Says in words why a host cannot be reached; nothing that the host wrote is repeated. */
export const explainDial = (host: Host, phase: Phase, error: unknown, timeoutMs: number): Failure => {
  const where = placeOf(host);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const details = { host: host.name, phase, ...(/^E[A-Z_]+$/.test(code) ? { cause: code } : {}) };
  if (isTimeout(error)) {
    return new Failure('UNREACHABLE', `${where} ${SLOW[phase]} within ${timeoutMs} ms.`, { details, cause: error });
  }
  if (phase === 'connecting') {
    return new Failure('UNREACHABLE', `${where} ${networkWord(code)}.`, { details, cause: error });
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
    details: { ...details, dropped: true },
    cause: error,
    next: 'It may limit new connections (MaxStartups), punish this address for failed logins (PerSourcePenalties, about 30 s), or be no SSH server: look into its log.',
  });
};

/** What an error of a socket or a name server says of a place, as the end of a sentence about it. */
export const networkWord = (code: string): string =>
  NETWORK.get(code) ?? `cannot be connected to (${/^E[A-Z_]+$/.test(code) ? code : 'no reason given'})`;

/** A host whose way only OpenSSH knows. */
export const beyondSsh2 = (host: Host, why: string): Failure =>
  new Failure('UNSUPPORTED', `${host.name} is not dialled: ${why}.`, {
    details: { host: host.name },
    next: `The operator may write "transport": "openssh" for ${host.name} in config.json.`,
  });

/** What a dial comes to that nobody waits for any more. */
export const cancelled = (host: Host): Failure =>
  new Failure('CANCELLED', `The connection to ${host.name} was closed while it was being opened.`);

/** What was not done in time, named as a socket would. */
export const tooLate = (): Error => Object.assign(new Error('it took too long'), { code: 'ETIMEDOUT' });

/** A host whose addresses, all of them, are none that may be dialled: nothing was sent to it. */
export const forbidden = (host: Host, addresses: readonly string[]): Failure => {
  const message = `${placeOf(host)} has no address that may be dialled.`;
  return new Failure('UNREACHABLE', message, {
    details: { host: host.name, phase: 'connecting', cause: 'FORBIDDEN' },
    operator: `${message} Its addresses are ${addresses.join(', ') || 'none'}; networks in config.json says which may be.`,
    next: 'Ask the operator: the configuration says which networks may be dialled.',
  });
};

/** What befell a host on the way to another, under the code that it has. */
export const onTheWay = (host: Host, hop: Host, error: unknown): unknown => {
  if (!(error instanceof Failure)) return error;
  const way = `${host.name} is reached by way of ${hop.name}: `;
  return new Failure(error.code, way + error.message, {
    details: { ...error.details, beyond: host.name },
    operator: error.operator === undefined ? undefined : way + error.operator,
    next: error.next,
    cause: error,
  });
};

/** A host of whose key algorithms none is used here. */
export const noKeyLeft = (host: Host): Failure =>
  new Failure('UNREACHABLE', `${placeOf(host)} may only prove itself in ways that sallyport does not use.`, {
    details: { host: host.name, phase: 'connecting' },
    next: 'Ask the operator: HostKeyAlgorithms leaves no algorithm over that is used here, which are none of SHA-1 or DSA.',
  });

/** A way that never ends. */
export const tooFar = (host: Host, hops: number): Failure =>
  new Failure('UNREACHABLE', `${host.name} is reached by way of more than ${hops} hosts.`, {
    details: { host: host.name, phase: 'connecting' },
    next: 'Ask the operator to correct via in config.json.',
  });

/** Why a hop, or what is left of it, makes no connection to a host (RFC 4254 section 5.1); its own words are not repeated. */
export const impassable = (host: Host, hop: Host, error: unknown): Failure => {
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  const [what, next] = reason === undefined ? ['went away', undefined] : refusal(reason, host, hop);
  return new Failure('UNREACHABLE', `${host.name} is reached by way of ${hop.name}, which ${what}.`, {
    details: { host: host.name, phase: 'connecting', hop: hop.name, ...(typeof reason === 'number' ? { reason } : {}) },
    cause: error,
    ...(next === undefined ? {} : { next }),
  });
};

const refusal = (reason: unknown, host: Host, hop: Host): readonly [what: string, next: string] => {
  const place = `${host.address}:${host.port}`;
  const forward = `Ask the operator: the sshd of ${hop.name} has to allow it (AllowTcpForwarding, PermitOpen).`;
  if (reason === 1) return [`does not forward connections to ${place}`, forward];
  if (reason === 2)
    return [`cannot connect to ${place}`, `Check that the host is up and known to ${hop.name}, then call again.`];
  return [`opens no connection to ${place}`, `Look into the log of ${hop.name}, then call again.`];
};

const placeOf = ({ name, address, port, via }: Host): string =>
  `${name} (${address}:${port}${via === undefined ? '' : `, by way of ${via.name}`})`;

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
