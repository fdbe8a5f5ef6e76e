import { InvalidFile } from '../errors.ts';
import type { Uid } from '../state/private.ts';
import { didYouMean } from '../text/nearest.ts';
import { type Config, emptyConfig, readConfig } from './config.ts';
import { LOCAL_GRANT } from './grant.ts';
import type { Env, Paths } from './paths.ts';
import { readTrusted } from './trusted-file.ts';

/** Which files are asked for, and by whom: a file that somebody named must be there. */
export type Wanted = {
  readonly paths: Paths;
  readonly named: { readonly config: boolean; readonly policy: boolean };
  readonly grant: string | undefined;
};

/** Where things are read from, injected. */
export type Surroundings = { readonly env: Env; readonly uid: Uid };

/** The files of one start: a configuration, and the text of the policy that guards this grant, when there is one. */
export type Loaded = {
  readonly config: Config;
  readonly hasConfig: boolean;
  /** The text that `config` was read from. */
  readonly configText: string | undefined;
  readonly grant: string;
  readonly policyFile: string;
  readonly policyText: string | undefined;
  /** Files that others may read, though nobody else can write them. */
  readonly readable: readonly string[];
};

/** Reads both files. Throws `InvalidFile` with every problem, or `NotPrivate` when others could have written one. */
export const load = (wanted: Wanted, { env, uid }: Surroundings): Loaded => {
  const { paths, named } = wanted;
  const { config, file: configFile } = loadConfig(wanted, { env, uid });
  const grant = wanted.grant ?? LOCAL_GRANT;
  const own = policyOf(config, wanted, grant);
  const policyFile = own ?? paths.policy;
  const policy = readTrusted(policyFile, uid);
  if (policy === undefined && (own !== undefined || named.policy)) throw absent(policyFile);
  return {
    config,
    hasConfig: configFile !== undefined,
    configText: configFile?.text,
    grant,
    policyFile,
    policyText: policy?.text,
    readable: [
      ...(configFile?.readable === true ? [paths.config] : []),
      ...(policy?.readable === true ? [policyFile] : []),
    ],
  };
};

/** The configuration alone, empty when there is no file. Throws as `load` does. */
export const loadConfig = ({ paths, named }: Wanted, { env, uid }: Surroundings) => {
  const file = readTrusted(paths.config, uid);
  if (file === undefined && named.config) throw absent(paths.config);
  const config = file === undefined ? emptyConfig(paths.config, env) : readConfig(file.text, paths.config, env);
  return { config, file };
};

/** The grant's own policy file; a mistyped grant must not fall back to another one's policy. */
const policyOf = ({ grants }: Config, { paths, named, grant: asked }: Wanted, grant: string): string | undefined => {
  if (named.policy) return undefined;
  const own = grants.get(grant);
  if (own !== undefined || asked === undefined || grants.size === 0 || grant === LOCAL_GRANT) return own;
  const message = `has no grant ${JSON.stringify(grant)}${didYouMean(grant, [...grants.keys()])}`;
  throw new InvalidFile([{ file: paths.config, line: 1, column: 1, pointer: '/grants', message }]);
};

const absent = (file: string): InvalidFile =>
  new InvalidFile([{ file, line: 1, column: 1, pointer: '', message: 'does not exist' }]);
