import { dirname } from 'node:path';
import { InvalidFile, type Problem } from '../errors.ts';
import type { Networks } from '../policy/networks.ts';
import type { Host } from '../ssh/host.ts';
import type { Files } from '../ssh/transfer/files.ts';
import { inOrder, type JsonSource, readJson } from '../text/json-source.ts';
import { check } from '../text/schema-problems.ts';
import { type ApprovalsConfig, approvalsOf } from './approvals.ts';
import { type Entry, entryOf, type Place } from './entry.ts';
import { makeHosts } from './hosts.ts';
import { type Env, homeOf, pathIn, withoutVariables } from './paths.ts';
import { configSchema, type ParsedConfig } from './schema.ts';

/** A configuration, ready to use: paths are absolute, and secrets are still where they lie. */
export type Config = {
  /** The hosts that this file says whole; those of ssh_config are found by `findHosts`. */
  readonly hosts: readonly Host[];
  /** Every host of this file, by name. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Which ssh_config is asked too: the usual files, or one and no other. */
  readonly sshConfig: 'none' | 'usual' | { readonly file: string };
  /** Never empty; a new key is enrolled in the first. */
  readonly knownHosts: readonly [string, ...string[]];
  /** The addresses that may be dialled. */
  readonly networks: Networks;
  /** The policy file of each grant that has one of its own. */
  readonly grants: ReadonlyMap<string, string>;
  readonly timeouts: ParsedConfig['timeouts'];
  readonly limits: ParsedConfig['limits'];
  /** The folders that transfers may touch; undefined when there are none. */
  readonly files: Files | undefined;
  readonly approvals: ApprovalsConfig;
  /** The variables of the environment in which secrets of this file lie: no program that is started is given them. */
  readonly secretVariables: readonly string[];
  /** A problem with a member of a host, in its place. */
  readonly problem: (name: string, member: string, message: string) => Problem;
};

/** The configuration that a text says; throws an `InvalidFile` with every problem at once. */
export const readConfig = (text: string, file: string, env: Env): Config => {
  const source = readJson(text, file);
  if (!source.readable) throw new InvalidFile(source.problems);
  const checked = check(source, configSchema(!asksSsh(source.value)));
  const problems = [...source.problems, ...('problems' in checked ? checked.problems : [])];
  if (problems.length > 0 || !('value' in checked)) throw new InvalidFile(inOrder(problems));
  return configOf(checked.value, source, { env, home: homeOf(env), folder: dirname(file) });
};

/** What holds without a file: no hosts. */
export const emptyConfig = (file: string, env: Env): Config => readConfig('{}', file, env);

const asksSsh = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'sshConfig' in value && value.sshConfig !== false;

const configOf = (parsed: ParsedConfig, source: JsonSource, place: Omit<Place, 'programEnv'>): Config => {
  const path = (text: string): string => pathIn(place.folder, text, place.home);
  const [first, ...rest] = parsed.knownHosts;
  const secretVariables = [...new Set(variablesIn(parsed.hosts))];
  const whole: Place = { ...place, programEnv: withoutVariables(place.env, secretVariables) };
  const entries = new Map(Object.entries(parsed.hosts).map(([name, host]) => [name, entryOf(name, host, whole)]));
  const { hosts, faults } = makeHosts({ entries, names: [], answers: new Map(), env: place.env });
  const problem: Config['problem'] = (name, member, message) => source.problem(['hosts', name, member], message);
  if (faults.length > 0 && parsed.sshConfig === false)
    throw new InvalidFile(inOrder(faults.map(({ name, member, message }) => problem(name, member, message))));
  return {
    hosts: [...hosts.values()],
    entries,
    sshConfig:
      parsed.sshConfig === false ? 'none' : parsed.sshConfig === true ? 'usual' : { file: path(parsed.sshConfig) },
    knownHosts: [path(first), ...rest.map(path)],
    networks: parsed.networks,
    grants: new Map(Object.entries(parsed.grants).map(([name, { policy }]) => [name, path(policy)])),
    timeouts: parsed.timeouts,
    limits: parsed.limits,
    files: filesOf(parsed, path),
    approvals: approvalsOf(parsed.approvals, path),
    secretVariables,
    problem,
  };
};

const filesOf = ({ files }: ParsedConfig, path: (text: string) => string): Files | undefined => {
  if (files === undefined) return undefined;
  const [first, ...rest] = files.root;
  return { roots: [path(first), ...rest.map(path)] };
};

/** Nothing but the place of a secret has a member `env`. */
const variablesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return 'env' in value && typeof value.env === 'string' ? [value.env] : Object.values(value).flatMap(variablesIn);
};
