import type { Glimpse, Word } from '../../shell/script.ts';
import { compileSynopsis } from './compile.ts';
import { type Match, match } from './match.ts';
import { parseSynopsis } from './parse.ts';
import type { Pattern } from './pattern.ts';
import { mayMatch } from './possible.ts';
import { indexPrograms, type ProgramIndex } from './program-index.ts';
import type { Mistake } from './syntax.ts';

/** One synopsis of a rule, and whether its programs may read input that the agent can shape. */
export type Entry = { readonly pattern: Pattern; readonly stdin: boolean };

/** The synopses of one rule. */
export type Commands = {
  readonly entries: readonly Entry[];
  readonly index: ProgramIndex<Entry>;
  /** Whether some synopsis writes words in: then one that does is preferred to one that does not. */
  readonly writes: boolean;
};

/** What grants a command: the synopsis of its program, and then those of every command inside it. */
export type Granted = Extract<Match, { hit: true }> & { readonly by: readonly [Pattern, ...Pattern[]] };

/** Why nothing grants it: of all that came close, the one that failed last; `synopsis` is not there when no program fits. */
export type NotGranted = Extract<Match, { hit: false }> & { readonly synopsis?: string };

/** A command to be granted: `shaped` when it reads input that the agent can shape. */
export type Wanted = { readonly words: readonly [Word, ...Word[]]; readonly shaped: boolean };

const MAX_DEPTH = 4;
const MAX_EXPLAINED = 16;

/** A synopsis as a pattern, or every mistake in it. */
export const readPattern = (
  text: string,
): { readonly pattern: Pattern } | { readonly mistakes: readonly Mistake[] } => {
  const parsed = parseSynopsis(text);
  return 'mistakes' in parsed ? parsed : compileSynopsis(parsed.synopsis);
};

/** The synopses of one rule as something that decides. */
export const commandsOf = (entries: readonly Entry[]): Commands => ({
  entries,
  index: indexPrograms(entries.map(entry => ({ pattern: entry.pattern, of: entry }))),
  writes: entries.some(({ pattern }) => pattern.insertions.length > 0),
});

/** Whether this certainly is a command of the rule; a command inside a command counts, four in all. */
export const grant = (commands: Commands, wanted: Wanted): Granted | NotGranted => grantAt(commands, wanted, 1);

/** Those that can match first; if none does, more of the same program, to say which word came closest. */
const grantAt = (commands: Commands, wanted: Wanted, depth: number): Granted | NotGranted => {
  const hopeful = commands.index.certain(wanted.words);
  let closest: NotGranted = { hit: false, word: 0, why: 'no synopsis names this program' };
  let granted: Granted | undefined;
  for (const { of } of hopeful) {
    const outcome = grantBy(commands, of, wanted, depth);
    if (!outcome.hit) closest = later(outcome, closest);
    else if (outcome.written.length > 0 || !commands.writes) return outcome;
    else granted ??= outcome;
  }
  if (granted !== undefined || hopeful.length >= MAX_EXPLAINED) return granted ?? closest;
  for (const { of } of commands.index.named(wanted.words[0].text).slice(0, MAX_EXPLAINED)) {
    if (hopeful.some(other => other.of === of)) continue;
    const outcome = grantBy(commands, of, wanted, depth);
    if (!outcome.hit) closest = later(outcome, closest);
  }
  return closest;
};

const later = (outcome: NotGranted, closest: NotGranted): NotGranted =>
  outcome.word > closest.word ? outcome : closest;

const grantBy = (commands: Commands, entry: Entry, wanted: Wanted, depth: number): Granted | NotGranted => {
  const { words, shaped } = wanted;
  let within: Granted | undefined;
  const outcome = match(entry.pattern, words, from => {
    const inner = grantInner(commands, wanted, from, depth);
    if (!inner.hit) return inner;
    within = inner;
    return { hit: true, written: inner.written.map(written => ({ ...written, before: written.before + from })) };
  });
  const synopsis = entry.pattern.source;
  if (!outcome.hit) return { synopsis, ...outcome };
  if (shaped && !entry.stdin) return { hit: false, word: words.length, why: 'it may not read this input', synopsis };
  return { ...outcome, by: [entry.pattern, ...(within?.by ?? [])] };
};

/** The words from this number on, as a command of the same rule. */
const grantInner = (
  commands: Commands,
  { words, shaped }: Wanted,
  from: number,
  depth: number,
): Granted | NotGranted => {
  const [first, ...more] = words.slice(from);
  if (first === undefined || depth === MAX_DEPTH) return { hit: false, word: from, why: 'it is nested too deeply' };
  const inner = grantAt(commands, { words: [first, ...more], shaped }, depth + 1);
  return inner.hit ? inner : { ...inner, word: inner.word + from };
};

/** Whether these words may be a command of this rule, as far as they can be seen. */
export const mayGrant = (commands: Commands, words: readonly Glimpse[]): boolean => {
  const inner = (program: Glimpse): boolean => commands.index.possible([program, ANYTHING]).length > 0;
  return commands.index.possible(words).some(({ pattern }) => mayMatch(pattern, words, inner));
};

/** A word of which nothing can be seen. */
const ANYTHING: Glimpse = { text: '', whole: false };
