import { grant } from '../synopsis/commands.ts';
import { matchRun } from '../synopsis/path.ts';
import { actionsOf } from './action.ts';
import { OWN_ADDRESSES } from './forward.ts';
import type { Rule } from './rule.ts';
import type { RawHostSets, RawRule } from './schema.ts';

/** A rule as it is written, and what its list of commands means. */
export type Said = { readonly raw: RawRule; readonly commands: Rule['commands'] };

/** Whether `wide` speaks of all that `narrow` speaks of, as far as their texts show. */
export const speaksOfAll = ({ raw: wide, commands }: Said, { raw: narrow }: Said, sets: RawHostSets): boolean =>
  within(narrow.hosts?.flatMap(expand(sets)), wide.hosts?.flatMap(expand(sets)), isHostOf) &&
  within(narrow.users, wide.users) &&
  within(actionsOf(narrow), actionsOf(wide)) &&
  within(listed(narrow), listed(wide), (text, many) => many.includes(text) || isMeant(text, many, commands)) &&
  within(narrow.paths, wide.paths) &&
  within(portsOf(narrow), portsOf(wide)) &&
  within(addressesOf(narrow), addressesOf(wide)) &&
  within(directionsOf(narrow), directionsOf(wide)) &&
  (wide.when === undefined || same(wide.when, narrow.when));

/** Whether `wide` grants all that `narrow` grants, and `narrow` asks for nothing more in return. */
export const grantsAll = (one: Said, other: Said, sets: RawHostSets): boolean =>
  speaksOfAll(one, other, sets) && owesNoMore(one.raw, other.raw);

const owesNoMore = (wide: RawRule, narrow: RawRule): boolean =>
  (wide.stdin === true || narrow.stdin !== true) &&
  (wide.detach === true || narrow.detach !== true) &&
  (wide.alone !== true || narrow.alone === true) &&
  (wide.glob !== false || narrow.glob === false) &&
  within(narrow.env ?? [], wide.env ?? []) &&
  within(narrow.cwd ?? ['~'], wide.cwd ?? ['~']) &&
  within(narrow.tags ?? [], wide.tags ?? []) &&
  (['limits', 'timeout', 'output', 'approval', 'input'] as const).every(
    key => narrow[key] === undefined || same(narrow[key], wide[key]),
  );

/** Hosts are added on port 22 alone unless a grant says more. */
const portsOf = (rule: RawRule): RawRule['ports'] =>
  rule.ports ?? (rule.effect !== 'deny' && actionsOf(rule).includes('configure') ? [22] : undefined);

/** Tunnels lead to the loopback of who dials, and are local, unless a grant says more. */
const addressesOf = (rule: RawRule): RawRule['addresses'] =>
  rule.addresses ?? (grantsTunnels(rule) ? [...OWN_ADDRESSES] : undefined);
const directionsOf = (rule: RawRule): RawRule['directions'] =>
  rule.directions ?? (grantsTunnels(rule) ? ['local'] : undefined);
const grantsTunnels = (rule: RawRule): boolean => rule.effect !== 'deny' && actionsOf(rule).includes('forward');

const expand =
  (sets: RawHostSets) =>
  (entry: string): readonly string[] =>
    Object.hasOwn(sets, entry) ? (sets[entry] ?? []) : [entry];

const isHostOf = (entry: string, many: readonly string[]): boolean =>
  many.includes(entry) ||
  many.some(wide => !/^tag:|[*?]/.test(entry) && !wide.startsWith('tag:') && matchRun(wide, entry));

const listed = ({ commands }: RawRule): readonly string[] | undefined => (commands === 'any' ? undefined : commands);

/** A synopsis of fixed words may be granted by one that says more, and every one of a program by `program ...`. */
const isMeant = (text: string, many: readonly string[], commands: Rule['commands']): boolean => {
  const [program = '', ...more] = text.trim().split(' ');
  if (program.startsWith('@')) return false;
  const open = many.flatMap(each => programsOf(/^(\S+) \.\.\.$/.exec(each)?.[1] ?? ''));
  if (programsOf(program).every(name => /^[\w.+-]+$/.test(name) && open.includes(name))) return true;
  if (commands === undefined || commands === 'any' || /[^\w./:=+ -]|\.\.\./.test(text)) return false;
  const word = (each: string) => ({ text: each, whole: true, at: 0 }) as const;
  return grant(commands, { words: [word(program), ...more.map(word)], shaped: false }).hit;
};

/** `{a,b}` are two programs. */
export const programsOf = (program: string): readonly string[] => program.split(/[{},]/).filter(name => name !== '');

/** Without a list, everything is meant. */
const within = <T>(
  few: readonly T[] | undefined,
  many: readonly T[] | undefined,
  isOf = (each: T, all: readonly T[]): boolean => all.includes(each),
): boolean => many === undefined || (few?.every(each => isOf(each, many)) ?? false);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
