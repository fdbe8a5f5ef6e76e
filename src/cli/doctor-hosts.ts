import { statSync } from 'node:fs';
import { Failure } from '../errors.ts';
import type { Connections } from '../ssh/connection.ts';
import type { Host, Login } from '../ssh/host.ts';
import type { Secret } from '../ssh/secret.ts';
import { isCode } from '../state/private.ts';
import { advice, type Finding, unavailable, well, wrong } from './finding.ts';
import type { Io } from './io.ts';
import { probe } from './probe.ts';

const OPEN_TO_OTHERS = 0o077;

/** Looks at each host's ways to log in, and logs in to it; all hosts at once. */
export const checkHosts = async (
  io: Io,
  hosts: readonly Host[],
  connections: Connections,
): Promise<readonly Finding[]> => {
  const findings = await Promise.all(hosts.map(host => checkHost(io, host, connections)));
  return findings.flat();
};

const checkHost = async (io: Io, host: Host, connections: Connections): Promise<readonly Finding[]> => {
  const logins = await Promise.all(host.auth.map(login => checkLogin(io, host, login)));
  return [...logins.flat(), await checkReach(io, host, connections)];
};

const checkReach = async (io: Io, host: Host, connections: Connections): Promise<Finding> => {
  const check = `host ${host.name}`;
  try {
    const found = await probe(connections.get(host.name), io.clock, io.stopped);
    const key = host.hostKeys.length > 0 ? 'pinned' : 'known';
    const times = `round trip ${found.roundTripMs.toFixed(1)} ms, a command ${found.commandMs.toFixed(1)} ms`;
    return well(check, `logged in as ${host.user}; key ${key}, ${found.server}, shell ${found.shell}, ${times}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const judge = error.code.startsWith('HOST_KEY') ? wrong : unavailable;
    return judge(check, `${error.code}: ${error.operator ?? error.message}`, error.next);
  }
};

/** A way to log in that cannot work, whatever the host says; secrets are fetched, and looked at no further. */
const checkLogin = async (io: Io, { name }: Host, login: Login): Promise<readonly Finding[]> => {
  const check = `login ${name}`;
  if (login.kind === 'agent')
    return login.socket === '' ? [advice(check, 'SSH_AUTH_SOCK is not set, so no agent is asked', AGENT)] : [];
  if (login.kind === 'interactive')
    return (await Promise.all(login.answers.map(({ answer }) => checkSecret(check, answer)))).flat();
  const secret = login.kind === 'password' ? login.password : login.passphrase;
  const file = login.kind === 'key' ? checkKeyFile(check, login.path, io.uid) : [];
  return secret === undefined ? file : [...file, ...(await checkSecret(check, secret))];
};

const checkSecret = async (check: string, secret: Secret): Promise<readonly Finding[]> =>
  await secret.reveal().then(
    () => [],
    (error: unknown) => [unavailable(check, said(error), `make the ${secret.origin} give it`)],
  );

const said = (error: unknown): string => {
  if (error instanceof Failure && error.operator !== undefined) return error.operator;
  return String(error instanceof Error ? error.message : error);
};

const AGENT =
  'start an agent and ssh-add a key, or configure a key; a client that passes no environment on needs SSH_AUTH_SOCK in its registration';

const checkKeyFile = (check: string, path: string, uid: number | undefined): readonly Finding[] => {
  try {
    const { mode } = statSync(path);
    if (uid === undefined || (mode & OPEN_TO_OTHERS) === 0) return [];
    return [advice(check, `${path} is open to other users`, `chmod 600 ${path}`)];
  } catch (error) {
    const says = isCode(error, 'ENOENT') ? 'does not exist' : 'cannot be read';
    return [
      wrong(check, `${path} ${says}`, 'correct the path in the configuration, or make the key: ssh-keygen -t ed25519'),
    ];
  }
};
