import type { Untried } from '../policy/compile.ts';
import type { Effect } from '../policy/decision.ts';
import { type Pack, readCommands } from '../policy/packs/pack.ts';
import { ACTIONS, type ActionName, FILE_ACTIONS } from '../policy/rules/action.ts';
import type { Place } from '../policy/rules/place.ts';
import type { Rule } from '../policy/rules/rule.ts';
import type { RawRule } from '../policy/rules/schema.ts';
import { TOOLS } from '../tools/index.ts';

/** A synopsis of a rule, with the pack that it comes from. */
export type Synopsis = { readonly synopsis: string; readonly pack?: string; readonly stdin: boolean };

/** What one rule says of one action at a place: the keys that narrow it stand as they are written. */
export type Permission = {
  readonly rule: string;
  readonly effect: Effect;
  readonly commands?: 'any' | readonly Synopsis[];
  readonly [key: string]: unknown;
};

/** What may be done at a place: by the tools, and by the rules when there are any. */
export type Permissions = Place & {
  readonly policy: string;
  readonly tools: readonly { readonly tool: string; readonly answer: Effect; readonly conditional: boolean }[];
  readonly actions: Partial<Record<ActionName, readonly Permission[]>> | null;
};

/** Judges a sound document as far as the place alone decides. */
export const permissionsAt = (read: Untried, place: Place): Permissions => {
  const { policy, rules } = read;
  const tools = TOOLS.map(({ name }) => {
    const { barred, effect, groups } = policy.rulesOf(name);
    return { tool: name, answer: barred === undefined ? effect : ('deny' as const), conditional: groups.length > 0 };
  });
  const about = rules.filter(rule => rule.covers(place));
  const actions = ACTIONS.map(action => [action, about.filter(rule => rule.does(action))] as const)
    .filter(([, its]) => its.length > 0)
    .map(([action, its]) => [action, its.map(rule => permission(read, rule, action))] as const);
  return {
    ...place,
    policy: policy.digest,
    tools,
    actions: policy.book === undefined ? null : Object.fromEntries(actions),
  };
};

/** The keys of a rule that narrow what it says, or come with it, by the actions that they are about. */
const COMMON = ['when', 'limits', 'approval', 'reason'] as const;
const OF_COMMANDS = ['alone', 'glob', 'env', 'cwd', 'timeout', 'output'] as const;
const OF_FILES = ['paths', 'timeout', 'output'] as const;
const OF_OTHERS = ['ports', 'addresses', 'directions', 'tags', 'input'] as const;

const permission = ({ document, packs }: Untried, rule: Rule, action: ActionName): Permission => {
  const raw = document.rules?.[rule.index];
  const commands = action === 'exec' && raw !== undefined ? { commands: synopsesOf(raw, packs) } : {};
  const keys = [...keysOf(action), ...COMMON];
  const told = keys.flatMap(key => (raw?.[key] === undefined ? [] : [[key, raw[key]]]));
  return { rule: rule.at, effect: rule.effect, ...commands, ...Object.fromEntries(told) };
};

const keysOf = (action: ActionName): readonly (keyof RawRule)[] => {
  if (action === 'exec') return OF_COMMANDS;
  return FILE_ACTIONS.includes(action) ? OF_FILES : OF_OTHERS;
};

/** Every synopsis of a rule, packs written out. */
export const synopsesOf = ({ commands, stdin }: RawRule, packs: ReadonlyMap<string, Pack>): Permission['commands'] => {
  if (!Array.isArray(commands)) return 'any';
  return commands.flatMap(entry => {
    const isPack = entry.startsWith('@');
    const read = readCommands([entry], stdin === true && !isPack, packs);
    if (!('listed' in read)) return [];
    return read.listed.map(({ text, stdin }) => ({ synopsis: text, ...(isPack ? { pack: entry } : {}), stdin }));
  });
};
