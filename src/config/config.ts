import { dirname } from 'node:path';
import { InvalidFile } from '../errors.ts';
import type { Host, Login } from '../ssh/host.ts';
import { Secret, type SecretReference } from '../ssh/secret.ts';
import { inOrder, readJson } from '../text/json-source.ts';
import { check } from '../text/schema-problems.ts';
import { type Env, homeOf, pathIn } from './paths.ts';
import { configSchema, type ParsedConfig, type ParsedHost, type ParsedLogin, type ParsedSecret } from './schema.ts';
import { secretResolver } from './secret.ts';

/** A configuration, ready to use: paths are absolute, and secrets are still where they lie. */
export type Config = {
  readonly hosts: readonly Host[];
  /** Never empty; a new key is enrolled in the first. */
  readonly knownHosts: readonly [string, ...string[]];
  /** The policy file of each grant that has one of its own. */
  readonly grants: ReadonlyMap<string, string>;
  readonly timeouts: ParsedConfig['timeouts'];
  readonly limits: ParsedConfig['limits'];
};

/** The configuration that a text says; throws an `InvalidFile` with every problem at once. */
export const readConfig = (text: string, file: string, env: Env): Config => {
  const source = readJson(text, file);
  if (!source.readable) throw new InvalidFile(source.problems);
  const checked = check(source, configSchema);
  const problems = [...source.problems, ...('problems' in checked ? checked.problems : [])];
  if (problems.length > 0 || !('value' in checked)) throw new InvalidFile(inOrder(problems));
  return configOf(checked.value, { env, home: homeOf(env), folder: dirname(file) });
};

/** What holds without a file: no hosts. */
export const emptyConfig = (file: string, env: Env): Config => readConfig('{}', file, env);

type Place = { readonly env: Env; readonly home: string; readonly folder: string };

const configOf = (parsed: ParsedConfig, place: Place): Config => {
  const path = (text: string): string => pathIn(place.folder, text, place.home);
  const [first, ...rest] = parsed.knownHosts;
  return {
    hosts: Object.entries(parsed.hosts).map(([name, host]) => hostOf(name, host, place)),
    knownHosts: [path(first), ...rest.map(path)],
    grants: new Map(Object.entries(parsed.grants).map(([name, { policy }]) => [name, path(policy)])),
    timeouts: parsed.timeouts,
    limits: parsed.limits,
  };
};

const hostOf = (name: string, host: ParsedHost, place: Place): Host => {
  const [first, ...rest] = host.auth;
  return {
    name,
    address: host.address,
    port: host.port,
    user: host.user,
    auth: [loginOf(first, place), ...rest.map(login => loginOf(login, place))],
    hostKeys: host.hostKey ?? [],
    ...(host.sudoPassword === undefined ? {} : { sudoPassword: secretOf(host.sudoPassword, place) }),
    tags: host.tags,
  };
};

const loginOf = (login: ParsedLogin, place: Place): Login => {
  if ('agent' in login) return { kind: 'agent', socket: place.env.SSH_AUTH_SOCK ?? '' };
  if ('password' in login) return { kind: 'password', password: secretOf(login.password, place) };
  const path = pathIn(place.folder, login.key, place.home);
  return login.passphrase === undefined
    ? { kind: 'key', path }
    : { kind: 'key', path, passphrase: secretOf(login.passphrase, place) };
};

const secretOf = (reference: ParsedSecret, place: Place): Secret =>
  new Secret(absolute(reference, place), secretResolver(place.env));

const absolute = (reference: ParsedSecret, { folder, home }: Place): SecretReference => {
  if ('file' in reference) return { file: pathIn(folder, reference.file, home) };
  if (!('command' in reference)) return reference;
  const [program, ...args] = reference.command;
  return { command: [program.startsWith('~/') ? pathIn(folder, program, home) : program, ...args] };
};
