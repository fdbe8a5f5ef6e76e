import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { secretsIn } from '../ssh/held-secrets.ts';
import type { Host } from '../ssh/host.ts';
import { isCode } from '../state/private.ts';
import { advice, type Finding, few, grouped, well, wrong } from './finding.ts';
import type { Io } from './io.ts';
import { shellWord } from './shell-word.ts';

const CHECK = 'permissions';
const OPEN_TO_OTHERS = 0o077;
const WORLD_WRITABLE = 0o002;
const GROUP_WRITABLE = 0o020;

/** Files that decide about logins and trust: `guarding` ones must not be written by others, `readable` ones are read by others too. */
export type Guarded = { readonly guarding: readonly string[]; readonly readable: readonly string[] };

/** Who else may write what trust hangs on, or read what a login hangs on, as ssh judges it. */
export const checkPermissions = (
  io: Io,
  hosts: readonly Host[],
  { guarding, readable }: Guarded,
): readonly Finding[] => {
  const places = [...new Set(guarding.flatMap(path => [dirname(path), path]))];
  const found = [
    ...readable.map(path => advice(CHECK, `${path} may be read by other users`, chmod('600', path))),
    ...places.flatMap(path => checkWriters(io, path)),
    ...checkKeyFiles(io, hosts),
    ...checkSecretFiles(hosts),
  ];
  return found.length > 0 ? found : [well(CHECK, 'no other user may write or read what logins and trust hang on')];
};

/** A folder that others may write to lets them put another file in the place of ours, unless it is sticky. */
const checkWriters = ({ uid }: Io, path: string): readonly Finding[] => {
  const stats = lookAt(path);
  if (uid === undefined || stats === undefined) return [];
  // What is written to a device such as /dev/null is nobody's trust, and its mode is the system's.
  if (!stats.isFile() && !stats.isDirectory()) return [];
  if (stats.uid !== uid && stats.uid !== 0)
    return [wrong(CHECK, `${path} belongs to user ${stats.uid}, who may change it`, `chown ${uid} ${shellWord(path)}`)];
  const sticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  if (sticky) return [];
  if ((stats.mode & WORLD_WRITABLE) !== 0) return [wrong(CHECK, `anybody may change ${path}`, chmod('go-w', path))];
  // Where each account has a group of its own, this is how files are made.
  if ((stats.mode & GROUP_WRITABLE) !== 0) return [advice(CHECK, `its group may change ${path}`, chmod('g-w', path))];
  return [];
};

/** Each private key once, with the hosts that it is for. */
const checkKeyFiles = (io: Io, hosts: readonly Host[]): readonly Finding[] => {
  const uses = hosts.flatMap(({ name, auth }) =>
    auth.flatMap(login => {
      if (login.kind !== 'key') return [];
      const files = [{ path: login.path, name, secret: true }];
      return login.certificate === undefined ? files : [...files, { path: login.certificate, name, secret: false }];
    }),
  );
  return [...grouped(uses, ({ path }) => path)].flatMap(([path, users]) => {
    const whose = few([...new Set(users.map(({ name }) => name))]);
    return checkKeyFile(
      io,
      path,
      whose,
      users.some(({ secret }) => secret),
    );
  });
};

const checkKeyFile = ({ uid }: Io, path: string, whose: string, secret: boolean): readonly Finding[] => {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return [wrong('login', `${path} is no file (${whose})`, CORRECT)];
    if (!secret || stats.uid !== uid || (stats.mode & OPEN_TO_OTHERS) === 0) return [];
    return [wrong('login', `${path} is open to other users, so it is not used (${whose})`, chmod('600', path))];
  } catch (error) {
    const says = isCode(error, 'ENOENT') ? 'does not exist' : 'cannot be read';
    return [wrong('login', `${path} ${says} (${whose})`, CORRECT)];
  }
};

/** Files with passwords, passphrases and answers; one that is not there is said when it is needed. */
const checkSecretFiles = (hosts: readonly Host[]): readonly Finding[] => {
  const uses = hosts.flatMap(host =>
    secretsIn({ ...host, via: undefined }).flatMap(({ file }) =>
      file === undefined ? [] : [{ file, name: host.name }],
    ),
  );
  return [...grouped(uses, ({ file }) => file)].flatMap(([path, users]) => {
    const stats = lookAt(path);
    if (stats?.isFile() !== true || (stats.mode & OPEN_TO_OTHERS) === 0) return [];
    const whose = few([...new Set(users.map(({ name }) => name))]);
    return [wrong('login', `${path} holds a secret and is open to other users (${whose})`, chmod('600', path))];
  });
};

const CORRECT = 'correct the path in the configuration, or make the key: ssh-keygen -t ed25519';

/** What cannot be looked at is named where it is read. */
const lookAt = (path: string): Stats | undefined => {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
};

const chmod = (mode: string, path: string): string => `chmod ${mode} ${shellWord(path)}`;
