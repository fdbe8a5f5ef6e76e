import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Env, homeOf } from '../config/paths.ts';
import type { Login } from '../ssh/host.ts';
import type { Options } from './options.ts';

/** What of a configuration names files that decide, or log in. */
export type Naming = Pick<Config, 'hosts' | 'sshConfig' | 'knownHosts' | 'grants' | 'approvals'>;

/**
 * What no transfer may touch on this machine, wherever `files.root` is: the files of this program, those that say which hosts are trusted and
 * who may approve, and those that ssh logs in with. What a secret is read from is not among them.
 */
export const keptFrom = (
  { paths, shadow }: Pick<Options, 'paths' | 'shadow'>,
  env: Env,
  { hosts, sshConfig, knownHosts, grants, approvals }: Naming,
): readonly string[] => {
  const all = [
    ...[paths.config, paths.policy, paths.state, join(homeOf(env), '.ssh'), shadow, ...grants.values()],
    ...[approvals.allowedSigners, approvals.revokedKeys, approvals.key],
    ...[...knownHosts, typeof sshConfig === 'string' ? undefined : sshConfig.file],
    ...hosts.flatMap(({ auth }) => auth.flatMap(keysOf)),
  ];
  return [...new Set(all.filter(path => path !== undefined))];
};

const keysOf = (login: Login): readonly (string | undefined)[] =>
  login.kind === 'key' ? [login.path, login.certificate] : [];
