import { pointerToken } from '../../text/json-source.ts';
import { keyName } from '../../text/key.ts';
import { compileTerms } from '../approval.ts';
import type { ApprovalTerms, Effect, Obligations } from '../decision.ts';
import { compileLimit, type Limit, windowMsOf } from '../limit.ts';
import type { Commands } from '../synopsis/commands.ts';
import { compilePath, type PathPattern } from '../synopsis/path.ts';
import { type ActionName, actionsOf } from './action.ts';
import { isFloor, isPlainValue } from './environment.ts';
import { compileTunnels, type Tunnels } from './forward.ts';
import { compileNewcomers, type Newcomers } from './newcomer.ts';
import { type Covers, compileCovers } from './place.ts';
import type { RawHostSets, RawRule } from './schema.ts';
import { compileWhen, type InForce } from './when.ts';

/** Whether a directory is one of a rule's; undefined is the account's own, where a command begins that names none. */
export type Directories = (directory: string | undefined) => boolean;

/** A compiled rule. */
export type Rule = {
  readonly id: string;
  /** Its place in the document, for a stable order of reasons. */
  readonly index: number;
  readonly effect: Effect;
  /** `/rules/<id>`. */
  readonly at: string;
  readonly reason: string | undefined;
  readonly covers: Covers;
  readonly inForce: InForce;
  readonly does: (action: ActionName) => boolean;
  /** What it says of commands; `any` is every text, and undefined that it does not speak of them. */
  readonly commands: Commands | 'any' | undefined;
  /** Whether what it grants may outlive the server. */
  readonly detach: boolean;
  readonly alone: boolean;
  readonly glob: boolean;
  /** Whether it passes this variable on. */
  readonly passes: (name: string, value: string) => boolean;
  readonly directories: Directories;
  /** Whether it lets all of these keys be typed to the programs that it grants. */
  readonly types: (names: readonly string[]) => boolean;
  /** Whether it is about this file. */
  readonly files: (path: string) => boolean;
  /** Whether it is about every file. */
  readonly everyFile: boolean;
  /** Whether it may be about something below this folder. */
  readonly reaches: (folder: string) => boolean;
  /** Its patterns of files as they are written; undefined is every file. */
  readonly paths: readonly string[] | undefined;
  readonly newcomers: Newcomers;
  readonly tunnels: Tunnels;
  readonly limits: readonly Limit[];
  /** What it is owed for what it grants. */
  readonly obligations: Obligations;
  /** How somebody is asked, where it asks. */
  readonly terms: ApprovalTerms;
};

/** Compiles a rule that the schema accepted; `listed` is what its list of commands means, when it has one. */
export const compileRule = (raw: RawRule, index: number, sets: RawHostSets, listed: Commands | undefined): Rule => {
  const at = `/rules/${raw.id}`;
  const actions = new Set(actionsOf(raw));
  const commands = actions.has('exec') ? (listed ?? 'any') : undefined;
  return Object.freeze({
    id: raw.id,
    index,
    effect: raw.effect,
    at,
    reason: raw.reason,
    covers: compileCovers(raw, sets),
    inForce: compileWhen(raw.when),
    does: action => actions.has(action),
    commands,
    detach: raw.detach === true,
    alone: raw.alone === true,
    glob: raw.glob !== false,
    passes: passer(raw.env, commands === 'any'),
    directories: directoriesOf(raw.cwd, commands === 'any'),
    types: typer(actions.has('input') ? raw.input : undefined),
    files: filesOf(raw.paths),
    everyFile: raw.paths === undefined || compiledPaths(raw.paths).some(({ covers }) => covers('/')),
    reaches: reachesOf(raw.paths),
    paths: raw.paths,
    newcomers: compileNewcomers(raw),
    tunnels: compileTunnels(raw),
    limits: limitsOf(raw, at),
    obligations: obligationsOf(raw),
    terms: compileTerms(raw.approval),
  });
};

const passer = (names: readonly string[] | undefined, any: boolean): Rule['passes'] => {
  const listed = new Set(names);
  const open = any && names === undefined;
  return (name, value) => (open || listed.has(name)) && !isFloor(name) && isPlainValue(value);
};

const typer = (input: RawRule['input']): Rule['types'] => {
  if (input === 'any') return () => true;
  const listed = new Set(input?.map(keyName));
  return names => names.every(name => listed.has(name));
};

const directoriesOf = (patterns: readonly string[] | undefined, any: boolean): Directories => {
  if (patterns === undefined) return any ? () => true : directory => directory === undefined;
  const home = patterns.includes('~');
  const inside = filesOf(patterns.filter(pattern => pattern !== '~'));
  return directory => (directory === undefined ? home : inside(directory));
};

const filesOf = (patterns: readonly string[] | undefined): Rule['files'] => {
  if (patterns === undefined) return () => true;
  const compiled = compiledPaths(patterns);
  return path => compiled.some(pattern => pattern.test(path));
};

const reachesOf = (patterns: readonly string[] | undefined): Rule['reaches'] => {
  if (patterns === undefined) return () => true;
  const compiled = compiledPaths(patterns);
  return folder => compiled.some(({ reaches }) => reaches(folder));
};

const compiledPaths = (patterns: readonly string[]): readonly PathPattern[] =>
  patterns.map(compilePath).filter(pattern => typeof pattern !== 'string');

const obligationsOf = ({ timeout, output }: RawRule): Obligations => {
  const timeoutMs = timeout === undefined ? undefined : windowMsOf(timeout);
  const maxOutputBytes = output?.max_bytes;
  return Object.freeze({
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
  });
};

const limitsOf = (raw: RawRule, at: string): readonly Limit[] => {
  const counts = new Map<string, number>();
  return Object.freeze(
    (raw.limits ?? []).map(limit => {
      const count = (counts.get(limit.counter) ?? 0) + 1;
      counts.set(limit.counter, count);
      return compileLimit(limit, `${at}/limits/${pointerToken(limit.counter)}${count === 1 ? '' : `-${count}`}`);
    }),
  );
};
