import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { entriesIn, type Written } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { chainTo, type Host, type Login } from '../ssh/host.ts';
import { keysFor, knownName, parseKnownHosts, plainName } from '../ssh/trust/known-hosts.ts';
import { loadTrust } from '../ssh/trust/trust.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, writeJson } from './io.ts';
import { hostNamed, withEveryHost } from './link.ts';
import { tableOf } from './table.ts';

/** `hosts show`: everything that is known of one host and where it is said, without dialling it. */
export const hostsShow = async (io: Io, { options, operands: [name] }: Request): Promise<number> => {
  const { config: own, file } = loadConfig(options, io);
  const config = await withEveryHost(io, own, options);
  const host = hostNamed(config, name);
  const written = entriesIn(file?.text, options.paths.config)[host.name];
  const shown = await showing(host, config, written);
  if (options.json) writeJson(io, { file: options.paths.config, ...shown });
  else tell(io, shown);
  return EXIT.ok;
};

/** Where a value is said. */
type Source = 'config.json' | 'ssh_config' | 'default';

const MEMBERS = [
  'address',
  'port',
  'user',
  'transport',
  'alias',
  'aliasFile',
  'keyAlias',
  'knownHosts',
  'keyAlgorithms',
  'env',
] as const;
const LATER = ['connectTimeoutMs', 'aliveMs', 'tags', 'addedBy'] as const;

const showing = async (host: Host, config: Config, written: Written | undefined) => {
  const from = sourcesFor(config, written);
  const values = { transport: 'ssh2', ...host };
  const settings = [...MEMBERS, ...LATER].flatMap(member => {
    const value = values[member];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    return [{ setting: member, value, from: from(member, value) }];
  });
  const files = host.knownHosts ?? config.knownHosts;
  return {
    host: host.name,
    settings,
    logins: { from: from('auth'), tried: host.auth.map(loginOf) },
    sudo_password: host.sudoPassword !== undefined,
    via: { from: from('via'), hops: hopsOf(host) },
    key: {
      state: (await loadTrust(host, config.knownHosts)).standing,
      pins: host.hostKeys,
      known: await knownKeys(host, files),
      files,
    },
    unheeded: host.unheeded ?? [],
    ...(host.unreachable === undefined ? {} : { unreachable: host.unreachable }),
  };
};

type Showing = Awaited<ReturnType<typeof showing>>;

const DEFAULTS: Readonly<Record<string, unknown>> = { port: 22, transport: 'ssh2' };

/** Says where a value of a host comes from: what config.json leaves out is ssh_config's, unless it is what holds without either. */
const sourcesFor =
  ({ sshConfig }: Config, written: Written | undefined) =>
  (member: string, value?: unknown): Source => {
    if (written !== undefined && Object.hasOwn(written, member)) return 'config.json';
    if (member === 'transport' && value === 'ssh2') return 'default';
    const isUsual = written !== undefined && value !== undefined && DEFAULTS[member] === value;
    return isUsual || sshConfig === 'none' ? 'default' : 'ssh_config';
  };

/** A way to log in by its kind and the files it uses; of secrets, only that there are some. */
const loginOf = (login: Login) => {
  switch (login.kind) {
    case 'agent':
      return { kind: login.kind, socket: login.socket, ...(login.only === undefined ? {} : { only: login.only }) };
    case 'key': {
      const { kind, path, certificate, passphrase } = login;
      const more = certificate === undefined ? {} : { certificate };
      return { kind, path, ...more, passphrase: passphrase !== undefined };
    }
    case 'password':
      return { kind: login.kind };
    case 'interactive':
      return { kind: login.kind, asks: login.answers.map(({ asks }) => asks) };
  }
};

const hopsOf = ({ via }: Host): readonly { readonly host: string; readonly account: string }[] =>
  via === undefined ? [] : chainTo(via).map(hop => ({ host: hop.name, account: accountOf(hop) }));

const accountOf = ({ user, address, port }: Host): string => `${user}@${address}:${port}`;

const knownKeys = async ({ address, port, keyAlias }: Host, files: readonly string[]) => {
  const names = keyAlias === undefined ? [knownName(address, port), plainName(address)] : [plainName(keyAlias)];
  const known = await Promise.all(
    files.map(async file => {
      // One that cannot be read is what the state of the key speaks of.
      const parsed = parseKnownHosts(await readFile(file, 'latin1').catch(() => ''), file);
      return [...new Set(names.flatMap(name => keysFor(parsed, name)))];
    }),
  );
  return known.flat().map(({ marker, key: { type, fingerprint }, place }) => ({ marker, type, fingerprint, place }));
};

const tell = (
  io: Io,
  { host, settings, logins, sudo_password: sudo, via, key, unheeded, unreachable }: Showing,
): void => {
  const rows = settings.map(({ setting, value, from }) => [setting, textOf(value), from]);
  const ways = logins.tried.map(login => ['login', wayOf(login), logins.from]);
  const hops = via.hops.map(hop => ['via', `${hop.host} (${hop.account})`, via.from]);
  const keys = [
    ...key.pins.map(pin => ['key', `pinned ${pin}`, 'config.json']),
    ...key.known.map(({ marker, type, fingerprint, place }) => [
      'key',
      `${SAID[marker]} ${type} ${fingerprint}`,
      place,
    ]),
  ];
  print(io, `${host}: host key ${key.state}`);
  print(io, tableOf([['SETTING', 'VALUE', 'FROM'], ...rows, ...ways, ...(sudo ? [SUDO] : []), ...hops, ...keys]));
  for (const word of unheeded) print(io, `not honoured: ${word}`);
  if (unreachable !== undefined) print(io, `not dialled: ${unreachable}`);
  if (key.state === 'unknown') print(io, `Nothing connects to it yet: sallyport hosts trust ${host}`);
};

const SUDO = ['sudo', 'a password, by reference', 'config.json'];
const SAID = { host: 'known', revoked: 'revoked', authority: 'authority' } as const;

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.map(String).join(', ') : JSON.stringify(value);
};

const wayOf = (login: ReturnType<typeof loginOf>): string => {
  switch (login.kind) {
    case 'agent':
      return `agent ${login.socket === '' ? '(SSH_AUTH_SOCK is not set)' : login.socket}${'only' in login ? `, only ${login.only?.join(', ')}` : ''}`;
    case 'key':
      return `key ${login.path}${'certificate' in login ? `, certificate ${login.certificate}` : ''}${login.passphrase ? ', with a passphrase' : ''}`;
    case 'password':
      return 'password, by reference';
    case 'interactive':
      return `answers to ${login.asks.map(asks => JSON.stringify(asks)).join(', ')}`;
  }
};
