import type { Host, Login } from '../ssh/host.ts';
import { Secret, type SecretReference } from '../ssh/secret.ts';
import type { ParsedHost, ParsedLogin, ParsedSecret } from './host-schema.ts';
import { type Env, pathIn } from './paths.ts';
import { secretResolver } from './secret.ts';

/** Where a configuration file stands, and in whose surroundings. */
export type Place = {
  readonly env: Env;
  /** What programs are given of it. */
  readonly programEnv: Env;
  readonly home: string;
  readonly folder: string;
};

/**
 * A host as far as config.json says it, ready to use: paths are absolute, secrets are still where they lie. What is left
 * out may be said by ssh_config.
 */
export type Entry = Partial<Omit<Host, 'via'>> & {
  readonly name: string;
  /** The name of the host that leads to it. */
  readonly via?: string;
  readonly hostKeys: readonly string[];
  readonly tags: readonly string[];
  /** What was written, as text: two entries with the same are the same host. */
  readonly written: string;
};

/** The entry of one member of `hosts`. */
export const entryOf = (name: string, parsed: ParsedHost, place: Place): Entry => {
  const { auth, hostKey, sudoPassword, knownHosts, ...same } = parsed;
  return {
    ...given(same),
    name,
    tags: parsed.tags,
    hostKeys: hostKey ?? [],
    written: JSON.stringify(parsed),
    ...(auth === undefined ? {} : { auth: loginsOf(auth, place) }),
    ...(sudoPassword === undefined ? {} : { sudoPassword: secretOf(sudoPassword, place) }),
    ...(knownHosts === undefined ? {} : { knownHosts: knownHosts.map(file => absolute(file, place)) }),
  };
};

/** What is logged in with when nothing is said: the agent of the surroundings. */
export const usualLogin = ({ SSH_AUTH_SOCK }: Env): readonly [Login] => [
  { kind: 'agent', socket: SSH_AUTH_SOCK ?? '' },
];

type Given<Members> = { [Key in keyof Members]?: Exclude<Members[Key], undefined> };

/** The members that are there: an absent one and one that is undefined are not the same to who fills gaps. */
const given = <Members extends object>(members: Members): Given<Members> => {
  const kept: Given<Members> = {};
  let key: keyof Members;
  for (key in members) {
    const value = members[key];
    if (isThere(value)) kept[key] = value;
  }
  return kept;
};

const isThere = <Value>(value: Value): value is Exclude<Value, undefined> => value !== undefined;

const loginsOf = ([first, ...rest]: NonNullable<ParsedHost['auth']>, place: Place): readonly [Login, ...Login[]] => [
  loginOf(first, place),
  ...rest.map(login => loginOf(login, place)),
];

const loginOf = (login: ParsedLogin, place: Place): Login => {
  if ('agent' in login) return agentOf(login, place);
  if ('password' in login) return { kind: 'password', password: secretOf(login.password, place) };
  if ('interactive' in login) {
    const [first, ...rest] = login.interactive.map(({ asks, answer }) => ({ asks, answer: secretOf(answer, place) }));
    if (first === undefined) throw new Error('a list of at least one became empty');
    return { kind: 'interactive', answers: [first, ...rest] };
  }
  return {
    kind: 'key',
    path: absolute(login.key, place),
    ...(login.passphrase === undefined ? {} : { passphrase: secretOf(login.passphrase, place) }),
    ...(login.certificate === undefined ? {} : { certificate: absolute(login.certificate, place) }),
  };
};

const agentOf = ({ only, socket }: Extract<ParsedLogin, { agent: true }>, place: Place): Login => ({
  kind: 'agent',
  socket: socket === undefined ? (place.env.SSH_AUTH_SOCK ?? '') : absolute(socket, place),
  ...(only === undefined ? {} : { only: only.map(file => absolute(file, place)) }),
});

const secretOf = (reference: ParsedSecret, place: Place): Secret =>
  new Secret(referenceOf(reference, place), secretResolver(place.env, place.programEnv));

const referenceOf = (reference: ParsedSecret, place: Place): SecretReference => {
  if ('file' in reference) return { file: absolute(reference.file, place) };
  if (!('command' in reference)) return reference;
  const [program, ...args] = reference.command;
  return { command: [program.startsWith('~/') ? absolute(program, place) : program, ...args] };
};

const absolute = (path: string, { folder, home }: Place): string => pathIn(folder, path, home);
