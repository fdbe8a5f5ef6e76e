import type { Call, Run, Target } from '../call.ts';
import { decide } from './decide.ts';
import type { Policy } from './policy.ts';
import type { Page } from './rules/book.ts';
import type { Rule } from './rules/rule.ts';
import { instanceWords, shortestTail, textOf, type Words } from './synopsis/instances.ts';
import type { Pattern } from './synopsis/pattern.ts';

/**
 * What `ssh_exec` may run at a place: `anything`; `most`, that is any command but what rules or conditions refuse; `some`,
 * commands of these programs at the least; or `nothing` that could be found. What needs approval is not in it.
 */
export type Outlook =
  | { readonly runs: 'anything' | 'most' | 'nothing' }
  | { readonly runs: 'some'; readonly programs: readonly string[] };

/** Who looks, and when (epoch milliseconds). */
export type Onlooker = { readonly grant: string; readonly at: number };

const EXEC = 'ssh_exec';
const NOTHING: Outlook = Object.freeze({ runs: 'nothing' });

/** What may run there now: nothing is claimed that was not decided, for a command made up for it, as a call would be. */
export const outlookOn = (policy: Policy, target: Target, { grant, at }: Onlooker): Outlook => {
  const { barred, groups, effect } = policy.rulesOf(EXEC);
  if (barred !== undefined || effect === 'ask') return NOTHING;
  const may = (text: string, cwd?: string): boolean => mayRun(policy, target, { grant, at }, text, cwd);
  const page = policy.book?.at(target);
  const restrained = groups.length > 0 || (page?.restraints ?? []).some(rule => rule.does('exec') && rule.inForce(at));
  if (may(UNHEARD_OF)) return { runs: restrained || !may(UNHEARD_OF, '/') ? 'most' : 'anything' };
  if (page === undefined) return NOTHING;
  const granting = page.grants.filter(rule => rule.effect === 'allow' && rule.inForce(at));
  const key = JSON.stringify([idsOf(granting), restraintsAt(page, at), groups.length > 0 ? target.host : '']);
  const programs = kept(policy, key, () => programsOf(granting, may));
  return programs.length === 0 ? NOTHING : { runs: 'some', programs };
};

/** Only a rule for any command grants it. */
const UNHEARD_OF = 'a-program-that-nobody-lists';

/** Tells the input of a call from this: its conditions read the same. */
const mayRun = (
  policy: Policy,
  target: Target,
  { grant, at }: Onlooker,
  text: string,
  cwd: string | undefined,
): boolean => {
  const where = cwd === undefined ? {} : { cwd };
  const action: Run = { kind: 'exec', target, program: { text }, env: {}, timeoutMs: TIMEOUT_MS, ...where };
  const input = {
    host: target.host,
    command: text,
    timeout_ms: TIMEOUT_MS,
    wait_ms: 30_000,
    reason: 'a look',
    ...where,
  };
  const call: Call = { id: 'outlook', grant, tool: EXEC, input, action, at };
  return decide(policy, call, { host: target.host }).effect === 'allow';
};

const TIMEOUT_MS = 600_000;

const idsOf = (rules: readonly Rule[]): readonly string[] => rules.map(({ id }) => id);
const restraintsAt = ({ restraints }: Page, at: number): readonly string[] =>
  idsOf(restraints.filter(rule => rule.inForce(at)));

/** The programs of which some command may run, in the order of letters. */
const programsOf = (rules: readonly Rule[], may: (text: string) => boolean): readonly string[] => {
  const found = new Set<string>();
  for (const { commands } of rules) {
    if (commands === undefined || commands === 'any') continue;
    const patterns = commands.entries.map(({ pattern }) => pattern);
    const inner = innerOf(patterns);
    for (const pattern of patterns)
      for (const name of namesOf(pattern))
        if (!found.has(name) && some(examplesOf(pattern, name, inner), words => may(textOf(words)))) found.add(name);
  }
  return [...found].sort();
};

const some = <T>(all: Iterable<T>, holds: (one: T) => boolean): boolean => {
  for (const one of all) if (holds(one)) return true;
  return false;
};

/** A program that is no literal goes by the words of its synopsis. */
const namesOf = ({ program, source }: Pattern): readonly string[] =>
  program.closed ? [...program.literals] : [...program.literals, nameIn(source)];

const nameIn = (source: string): string => source.split(' ')[0] ?? '';

/** What may stand for a `<command>`: only one of the same rule is granted there. */
const innerOf = (patterns: readonly Pattern[]): readonly Words[] => {
  const plain = patterns.find(({ source, program }) => program.closed && !source.includes('<command>'));
  const [name] = plain?.program.literals ?? [];
  const tail = plain === undefined ? undefined : shortestTail(plain.source);
  return name === undefined || tail === undefined ? [] : [[name, ...tail]];
};

/** The shortest first; more of them are made only where that one is refused. */
function* examplesOf(pattern: Pattern, name: string, inner: readonly Words[]): Iterable<Words> {
  const isNamed = pattern.program.literals.has(name);
  const tail = isNamed ? shortestTail(pattern.source, inner) : undefined;
  if (tail !== undefined) yield [name, ...tail];
  const all = instanceWords(pattern.source, inner);
  yield* all.filter(([first = '']) => (isNamed ? first === name : !pattern.program.literals.has(first))).slice(0, 3);
}

const MOST_KEPT = 1_000;

const outlooks = new WeakMap<Policy, Map<string, readonly string[]>>();

/** Many hosts are under the same rules. */
const kept = (policy: Policy, key: string, make: () => readonly string[]): readonly string[] => {
  const all = outlooks.get(policy) ?? new Map<string, readonly string[]>();
  outlooks.set(policy, all);
  const known = all.get(key);
  if (known !== undefined) return known;
  if (all.size >= MOST_KEPT) all.clear();
  const made = make();
  all.set(key, made);
  return made;
};
