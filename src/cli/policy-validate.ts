import { readFileSync } from 'node:fs';
import { load, loadConfig } from '../config/load.ts';
import { formatProblem, InvalidFile, type Problem } from '../errors.ts';
import { compile } from '../policy/compile.ts';
import { type Around, lint } from '../policy/lint.ts';
import { isCode } from '../state/private.ts';
import { TOOLS } from '../tools/index.ts';
import { SERVED } from '../tools/known.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';

/** What a policy document is: its digest when it is sound, its problems when it is not, and what its author should think about. */
export type Verdict = {
  readonly file: string;
  readonly valid: boolean;
  readonly policy?: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
};

/** The arguments that each tool takes: a condition on any other never speaks. */
const TAKES = Object.fromEntries(TOOLS.map(tool => [tool.name, Object.keys(tool.input.shape)]));

/** Judges the text of a policy; with what is around it, also its own names of hosts and its dates. */
export const judgeDocument = (text: string, file: string, around?: Around): Verdict => {
  try {
    const { digest } = compile(text, file, SERVED);
    return { file, valid: true, policy: digest, problems: [], warnings: lint(text, file, SERVED, TAKES, around) };
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    return { file, valid: false, problems: error.problems, warnings: [] };
  }
};

/** `policy validate`: every problem on a line of its own, with its place; 3 when there is one. */
export const policyValidate = async (io: Io, request: Request): Promise<number> => {
  const { options } = request;
  const { file, text } = policyNamed(io, request);
  const verdict = judgeDocument(text, file, { hosts: await hostsKnown(io, options), at: io.clock.wallMs() });
  if (options.json) writeJson(io, verdict);
  else {
    for (const problem of verdict.problems) print(io, formatProblem(problem));
    for (const warning of verdict.warnings) print(io, `${formatProblem(warning)} (warning)`);
    if (verdict.valid) print(io, `${file}: valid, ${verdict.policy}`);
  }
  return verdict.valid ? EXIT.ok : EXIT.invalid;
};

/** The names of the configured hosts; a policy is judged without them where there is no sound configuration. */
const hostsKnown = async (io: Io, options: Request['options']): Promise<readonly string[] | undefined> => {
  try {
    const { hosts } = await withEveryHost(io, loadConfig(options, io).config, options);
    const names = hosts.map(({ name }) => name);
    return names.length === 0 ? undefined : names;
  } catch (error) {
    if (error instanceof InvalidFile) return undefined;
    throw error;
  }
};

/** As `policyInForce`; that there is none is a problem. */
export const policyNamed = (io: Io, request: Request): Found => {
  const found = policyInForce(io, request);
  if (found !== undefined) return found;
  throw missing(request.options.paths.policy, 'does not exist; sallyport init writes a first one');
};

/** The text of a policy, and its name in messages. */
export type Found = { readonly file: string; readonly text: string };

/** The policy that a command is about: the file it names, a draft of anybody's, or the one in force, if there is one. */
export const policyInForce = (io: Io, { options, operands }: Request): Found | undefined => {
  const [operand] = operands;
  if (operand !== undefined) return textOf(io, operand);
  const { policyFile: file, policyText: text } = load(options, io);
  return text === undefined ? undefined : { file, text };
};

/** The text of a file that somebody names; throws `InvalidFile` when it cannot be read. */
export const textOf = (io: Io, file: string): Found => ({ file, text: draft(io.resolve(file), file) });

const draft = (path: string, file: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw missing(file, isCode(error, 'ENOENT') ? 'does not exist' : `cannot be read: ${reasonOf(error)}`);
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const missing = (file: string, message: string): InvalidFile =>
  new InvalidFile([{ file, line: 1, column: 1, pointer: '', message }]);
