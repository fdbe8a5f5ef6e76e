import { Failure } from '../../errors.ts';
import type { Host, Login } from '../host.ts';

/** One option of ssh_config(5). */
type Option = readonly [keyword: string, value: string];

/** What holds for a host however it is described: nobody is asked anything, no unknown key is taken, nothing is forwarded, and no program but those on the way is run. */
export const guards = ({ timeoutMs, aliveMs }: Times): readonly Option[] => [
  ['BatchMode', 'yes'],
  ['StrictHostKeyChecking', 'yes'],
  ['NoHostAuthenticationForLocalhost', 'no'],
  ['VerifyHostKeyDNS', 'no'],
  ['UpdateHostKeys', 'no'],
  ['AddKeysToAgent', 'no'],
  ['PermitLocalCommand', 'no'],
  ['RemoteCommand', 'none'],
  ['RequestTTY', 'no'],
  ['EscapeChar', 'none'],
  ['ForwardAgent', 'no'],
  ['ForwardX11', 'no'],
  ['Tunnel', 'no'],
  ['ClearAllForwardings', 'yes'],
  ['ControlPersist', 'no'],
  ['ConnectionAttempts', '1'],
  ['ConnectTimeout', String(Math.ceil(timeoutMs / 1_000))],
  ['TCPKeepAlive', 'yes'],
  ['ServerAliveInterval', String(Math.min(Math.max(1, Math.floor(aliveMs / 1_000)), ALIVE_S))],
  ['ServerAliveCountMax', '2'],
];

type Times = { readonly timeoutMs: number; readonly aliveMs: number };

/** Three silences of so many seconds, and a host is given up (ServerAliveCountMax). */
const ALIVE_S = 3;

/** The name that the configuration gives the host that is meant, and those on the way to it. */
export const TARGET = 'target';
const hopName = (at: number): string => `hop-${at}`;

/** What is told of one host. */
export type Described = {
  readonly host: Host;
  /** Asked in place of every usual file. */
  readonly knownHosts: readonly string[];
};

/**
 * A whole ssh_config for hosts of config.json, the target first and then the hops towards us. Throws `UNSUPPORTED` for what
 * OpenSSH cannot be told: it is never given a secret.
 */
export const configText = (way: readonly [Described, ...Described[]], shared: readonly Option[]): string =>
  [
    ...way.map((described, at) => {
      const next: readonly Option[] = at + 1 < way.length ? [['ProxyJump', hopName(at + 1)]] : [];
      return block(at === 0 ? TARGET : hopName(at), [...describe(described), ...next]);
    }),
    // What a hop writes for people is not ours to read: its errors are.
    block(`hop-*`, [['LogLevel', 'ERROR']]),
    block('*', shared),
  ].join('\n');

const block = (name: string, options: readonly Option[]): string =>
  [`Host ${name}`, ...options.map(([keyword, value]) => `  ${keyword} ${value}`), ''].join('\n');

const describe = ({ host, knownHosts }: Described): readonly Option[] => [
  ['HostName', plain(host, 'address', host.address, ADDRESS)],
  ['Port', String(host.port)],
  ['User', plain(host, 'user', host.user, USER)],
  ...logins(host),
  ['UserKnownHostsFile', knownHosts.length === 0 ? '/dev/null' : knownHosts.map(file => path(host, file)).join(' ')],
  ['GlobalKnownHostsFile', '/dev/null'],
  ...(host.keyAlias === undefined
    ? []
    : [['HostKeyAlias', plain(host, 'key alias', host.keyAlias, KEY_NAME)] as const]),
  ...(host.keyAlgorithms === undefined
    ? []
    : [['HostKeyAlgorithms', plain(host, 'key algorithm', host.keyAlgorithms.join(','), ALGORITHMS)] as const]),
];

const ADDRESS = /^[A-Za-z0-9._:][A-Za-z0-9._:-]*$/;
/** As known_hosts has it, with its port. */
const KEY_NAME = /^[A-Za-z0-9._:[][A-Za-z0-9._:[\]-]*$/;
const USER = /^[A-Za-z0-9._+@][A-Za-z0-9._+@-]*$/;
const ALGORITHMS = /^[A-Za-z0-9@._-]+(,[A-Za-z0-9@._-]+)*$/;
/** Within double quotes these would end the text, or be expanded. */
const PATH = /^[^"\\%$\u0000-\u001f\u007f]+$/;

/** Whether a name can be given to OpenSSH as a host. */
export const isPlainName = (name: string): boolean => ADDRESS.test(name);

const plain = (host: Host, what: string, text: string, form: RegExp): string => {
  if (form.test(text)) return text;
  throw cannot(host, `its ${what} has characters that OpenSSH would read otherwise`);
};

const path = (host: Host, file: string): string => `"${plain(host, 'files', file, PATH)}"`;

/** Public keys alone, and those that the configuration names alone. */
const logins = (host: Host): readonly Option[] => {
  const usable = host.auth.filter(isUsable);
  if (usable.length === 0)
    throw cannot(host, 'it logs in with a password or a passphrase, which OpenSSH is never handed');
  const agent = usable.find(login => login.kind === 'agent');
  const keys = usable.filter(login => login.kind === 'key');
  const files = [...(agent?.only ?? []), ...keys.map(key => key.path)];
  const certificates = keys.flatMap(({ certificate }) => (certificate === undefined ? [] : [certificate]));
  const every = agent !== undefined && agent.only === undefined;
  return [
    ['PreferredAuthentications', 'publickey'],
    ['IdentityAgent', agent === undefined ? 'none' : path(host, agent.socket)],
    ['IdentitiesOnly', every ? 'no' : 'yes'],
    ...(files.length === 0 ? ['none'] : files.map(file => path(host, file))).map(
      file => ['IdentityFile', file] as const,
    ),
    ...certificates.map(file => ['CertificateFile', path(host, file)] as const),
  ];
};

type Usable = Extract<Login, { kind: 'agent' | 'key' }>;

const isUsable = (login: Login): login is Usable =>
  (login.kind === 'key' && login.passphrase === undefined) || (login.kind === 'agent' && login.socket !== '');

const cannot = ({ name }: Host, why: string): Failure =>
  new Failure('UNSUPPORTED', `${name} cannot be reached by way of OpenSSH: ${why}.`, {
    next: 'Ask the operator to have an ssh-agent hold the key, or to take the transport ssh2 for this host.',
    details: { host: name },
  });
