import { type Loaded, load, loadConfig } from '../config/load.ts';
import { readTrusted } from '../config/trusted-file.ts';
import { formatProblem, InvalidFile } from '../errors.ts';
import { NotPrivate } from '../state/private.ts';
import { advice, type Finding, well, wrong } from './finding.ts';
import { noHosts } from './hosts-list.ts';
import { counted, type Io } from './io.ts';
import type { Options } from './options.ts';
import { judgeDocument } from './policy-validate.ts';

/** What the files say, as far as they can be read, and what is to be said about them. */
export type Files = { readonly config: Loaded['config'] | undefined; readonly findings: readonly Finding[] };

/** Reads the configuration and the policy as a start would. */
export const checkFiles = (io: Io, options: Options): Files => {
  const config = tried('configuration', () => loadConfig(options, io));
  if ('findings' in config) return { config: undefined, findings: [...config.findings, ...checkDefault(io, options)] };
  const all = tried('policy', () => load(options, io));
  const hosts = config.value.config.hosts.length;
  const { file } = config.value;
  const configured =
    hosts === 0
      ? advice('configuration', 'no hosts are configured', noHosts(options.paths.config, file !== undefined))
      : well('configuration', `${options.paths.config}, ${counted(hosts, 'host')}`);
  const rest =
    'findings' in all
      ? all.findings
      : [...checkPolicy(all.value.policyFile, all.value.policyText), ...all.value.readable.map(openToRead)];
  return { config: config.value.config, findings: [configured, ...rest] };
};

/** Without a sound configuration there is only the policy of all to look at. */
const checkDefault = (io: Io, { paths: { policy } }: Options): readonly Finding[] => {
  const file = tried('policy', () => readTrusted(policy, io.uid));
  return 'findings' in file ? file.findings : checkPolicy(policy, file.value?.text);
};

const openToRead = (file: string): Finding =>
  advice('permissions', `${file} may be read by other users`, `chmod 600 ${file}`);

const checkPolicy = (file: string, text: string | undefined): readonly Finding[] => {
  if (text === undefined) return [advice('policy', `there is none (${file}): every call is denied`, 'sallyport init')];
  const { valid, policy, problems, warnings } = judgeDocument(text, file);
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
