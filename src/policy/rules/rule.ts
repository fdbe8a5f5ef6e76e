import { pointerToken } from '../../text/json-source.ts';
import { keyName } from '../../text/key.ts';
import type { Effect, Obligations } from '../decision.ts';
import { compileLimit, type Limit, windowMsOf } from '../limit.ts';
import type { Commands } from '../synopsis/commands.ts';
import { compilePath } from '../synopsis/path.ts';
import { type ActionName, actionsOf } from './action.ts';
import { isFloor, isPlainValue } from './environment.ts';
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
  readonly newcomers: Newcomers;
  readonly limits: readonly Limit[];
  /** What it is owed for what it grants. */
  readonly obligations: Obligations;
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
    newcomers: compileNewcomers(raw),
    limits: limitsOf(raw, at),
    obligations: obligationsOf(raw),
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
  const compiled = patterns.map(compilePath).filter(pattern => typeof pattern !== 'string');
  return path => compiled.some(pattern => pattern.test(path));
};

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
