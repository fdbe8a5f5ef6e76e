import { actionsOf } from './action.ts';
import type { RawHostSets, RawRule } from './schema.ts';

/** Whether `wide` speaks of all that `narrow` speaks of, as far as their texts show. */
export const speaksOfAll = (wide: RawRule, narrow: RawRule, sets: RawHostSets): boolean =>
  within(narrow.hosts?.flatMap(expand(sets)), wide.hosts?.flatMap(expand(sets))) &&
  within(narrow.users, wide.users) &&
  within(actionsOf(narrow), actionsOf(wide)) &&
  within(commandsOf(narrow), commandsOf(wide)) &&
  within(narrow.paths, wide.paths) &&
  within(narrow.ports, wide.ports) &&
  (wide.when === undefined || same(wide.when, narrow.when));

/** Whether `wide` grants all that `narrow` grants, and `narrow` asks for nothing more in return. */
export const grantsAll = (wide: RawRule, narrow: RawRule, sets: RawHostSets): boolean =>
  speaksOfAll(wide, narrow, sets) &&
  (wide.stdin === true || narrow.stdin !== true) &&
  (wide.alone !== true || narrow.alone === true) &&
  (wide.glob !== false || narrow.glob === false) &&
  within(narrow.env ?? [], wide.env ?? []) &&
  within(narrow.cwd ?? ['~'], wide.cwd ?? ['~']) &&
  (['limits', 'timeout', 'output', 'approval', 'input'] as const).every(
    key => narrow[key] === undefined || same(narrow[key], wide[key]),
  );

const expand =
  (sets: RawHostSets) =>
  (entry: string): readonly string[] =>
    Object.hasOwn(sets, entry) ? (sets[entry] ?? []) : [entry];

const commandsOf = ({ commands }: RawRule): readonly string[] | undefined =>
  commands === 'any' ? undefined : commands;

/** Without a list, everything is meant. */
const within = (few: readonly unknown[] | undefined, many: readonly unknown[] | undefined): boolean =>
  many === undefined || (few?.every(each => many.includes(each)) ?? false);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
