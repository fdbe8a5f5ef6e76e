import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Environment variables, as the process was given them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What programs that are started are given of it: all but these variables, which hold secrets. */
export const withoutVariables = (env: Env, secret: readonly string[]): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !secret.includes(name)));

/** Where the files lie: absolute paths, none of them taken from the working directory. */
export type Paths = {
  readonly config: string;
  readonly policy: string;
  /** The folder of everything that is written: the counters and the audit. */
  readonly state: string;
};

/** The home folder: `$HOME` when it is absolute, else the account's. */
export const homeOf = (env: Env): string => absolute(env.HOME) ?? homedir();

/** The default places by the XDG Base Directory specification, which has a relative or empty variable ignored. */
export const defaultPaths = (env: Env): Paths => {
  const home = homeOf(env);
  const config = join(absolute(env.XDG_CONFIG_HOME) ?? join(home, '.config'), 'sallyport');
  const state = join(absolute(env.XDG_STATE_HOME) ?? join(home, '.local', 'state'), 'sallyport');
  return { config: join(config, 'config.json'), policy: join(config, 'policy.json'), state };
};

/** The path with a leading `~` or `~/` replaced by the home folder; `~other` is left as it is. */
export const expandHome = (path: string, home: string): string =>
  path === '~' ? home : path.startsWith('~/') ? join(home, path.slice(2)) : path;

/** A path as a configuration file writes it: `~` is the home folder, and a relative one counts from the file's own folder. */
export const pathIn = (folder: string, path: string, home: string): string => {
  const expanded = expandHome(path, home);
  return isAbsolute(expanded) ? expanded : join(folder, expanded);
};

const absolute = (path: string | undefined): string | undefined =>
  path !== undefined && isAbsolute(path) ? path : undefined;
