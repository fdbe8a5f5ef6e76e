import { type Commands, commandsOf, grant, mayGrant, readPattern } from '../../../src/policy/synopsis/commands.ts';
import type { Pattern } from '../../../src/policy/synopsis/pattern.ts';
import { read } from '../../../src/shell/read.ts';
import type { Literal, Word } from '../../../src/shell/script.ts';
import { reachOfText } from '../../../src/shell/unwrap.ts';

/** A synopsis that has no mistake. */
export const patternOf = (synopsis: string): Pattern => {
  const read = readPattern(synopsis);
  if ('mistakes' in read) throw new Error(`${synopsis}: ${read.mistakes.map(each => each.message).join(' ')}`);
  return read.pattern;
};

/** The synopses of one rule, which may not read what the agent shapes. */
export const ruleOf = (...synopses: readonly string[]): Commands =>
  commandsOf(synopses.map(synopsis => ({ pattern: patternOf(synopsis), stdin: false })));

/** The words of a text that is one command. */
export const wordsOf = (text: string): readonly [Literal, ...Word[]] => {
  const analysis = read(text);
  if (analysis.kind === 'unknown') throw new Error(`${text}: ${analysis.construct}`);
  return analysis.script.pipelines[0].commands[0].words;
};

/** What a rule says to a command: `yes`, or the word that failed and why. */
export const answer = (rule: Commands, text: string): string => {
  const outcome = grant(rule, { words: wordsOf(text), shaped: false });
  return outcome.hit ? 'yes' : `${outcome.word}: ${outcome.why}`;
};

/** Whether a rule that restrains would be felt by this text. */
export const isFelt = (rule: Commands, text: string): boolean => {
  const reach = reachOfText(read(text));
  return reach.opaque || reach.commands.some(words => mayGrant(rule, words));
};
