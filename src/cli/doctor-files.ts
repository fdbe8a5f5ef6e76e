import type { Config } from '../config/config.ts';
import { withSshHosts } from '../config/inventory.ts';
import { load, loadConfig } from '../config/load.ts';
import { readTrusted } from '../config/trusted-file.ts';
import { formatProblem, InvalidFile } from '../errors.ts';
import { NotPrivate } from '../state/private.ts';
import { advice, type Finding, well, wrong } from './finding.ts';
import { noHosts } from './hosts-list.ts';
import { counted, type Io } from './io.ts';
import type { Options } from './options.ts';
import { judgeDocument } from './policy-validate.ts';

/** What the files say, as far as they can be read, and what is to be said about them. */
export type Files = {
  readonly config: Config | undefined;
  /** Files that others may read. */
  readonly readable: readonly string[];
  readonly findings: readonly Finding[];
};

/** Reads the configuration, ssh_config and the policy as a start would, and thinks the policy over with the hosts and the time that there are. */
export const checkFiles = async (io: Io, options: Options): Promise<Files> => {
  const read = tried('configuration', () => loadConfig(options, io));
  if ('findings' in read)
    return { config: undefined, readable: [], findings: [...read.findings, ...checkDefault(io, options)] };
  const { config: own, file } = read.value;
  const { config, findings: asked } = await askSshConfig(io, own);
  const all = tried('policy', () => load(options, io));
  const names = config.hosts.length === 0 ? undefined : config.hosts.map(({ name }) => name);
  const rest = 'findings' in all ? all.findings : checkPolicy(io, all.value.policyFile, all.value.policyText, names);
  return {
    config,
    readable: 'findings' in all ? [] : all.value.readable,
    findings: [
      own.entries.size === 0 && config.hosts.length === 0
        ? advice('configuration', 'no hosts are configured', noHosts(options.paths.config, file !== undefined))
        : well('configuration', `${options.paths.config}, ${counted(own.entries.size, 'host')}`),
      ...asked,
      ...rest,
    ],
  };
};

/** The hosts of ssh_config among those of the configuration, and what could not be made of it. */
const askSshConfig = async (
  { env, uid }: Io,
  own: Config,
): Promise<{ readonly config: Config; readonly findings: readonly Finding[] }> => {
  if (own.sshConfig === 'none') return { config: own, findings: [] };
  const problems: string[] = [];
  const config = await withSshHosts(own, { env, uid, log: (_level, message) => void problems.push(message) });
  const more = config.hosts.filter(({ name }) => !own.entries.has(name)).length;
  return {
    config,
    findings: [
      well('ssh_config', `${counted(more, 'host')} beside those of config.json`),
      ...problems.map(problem => wrong('ssh_config', problem, MEND_SSH)),
    ],
  };
};

const MEND_SSH = 'correct ssh_config until ssh -G NAME prints what is meant, or take "sshConfig" out of config.json';

/** Without a sound configuration there is only the policy of all to look at. */
const checkDefault = (io: Io, { paths: { policy } }: Options): readonly Finding[] => {
  const file = tried('policy', () => readTrusted(policy, io.uid));
  return 'findings' in file ? file.findings : checkPolicy(io, policy, file.value?.text, undefined);
};

const checkPolicy = (
  { clock }: Io,
  file: string,
  text: string | undefined,
  hosts: readonly string[] | undefined,
): readonly Finding[] => {
  if (text === undefined) return [advice('policy', `there is none (${file}): every call is denied`, 'sallyport init')];
  const { valid, policy, problems, warnings } = judgeDocument(text, file, { hosts, at: clock.wallMs() });
  if (!valid) return problems.map(problem => wrong('policy', formatProblem(problem), `correct ${file}`));
  const considered = warnings.map(warning =>
    advice('policy', formatProblem(warning), 'see docs/policy.md, or leave it if it is meant'),
  );
  return [well('policy', `${file}, ${policy}`), ...considered];
};

/** A value, or what is wrong with the file that would have given it. */
const tried = <Value>(
  check: string,
  read: () => Value,
): { readonly value: Value } | { readonly findings: readonly Finding[] } => {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof InvalidFile)
      return {
        findings: error.problems.map(problem => wrong(check, formatProblem(problem), `correct ${problem.file}`)),
      };
    if (error instanceof NotPrivate)
      return { findings: [wrong(check, error.message, 'do as it says, then run sallyport doctor again')] };
    if (error instanceof Error && 'code' in error)
      return { findings: [wrong(check, error.message, 'make it readable for this account')] };
    throw error;
  }
};
