import type { Glob, Word } from '../../shell/script.ts';
import { globFolder } from './glob.ts';
import { takeOption } from './match-option.ts';
import type { Pattern, Points } from './pattern.ts';
import { isAt, type Refusal, type Standing, show } from './standing.ts';

/** Words that the server writes in before the word of this number. */
export type Written = { readonly before: number; readonly words: readonly string[] };

/** Whether a command is granted; otherwise the number of the word that failed (as many as there are: the end), and why. */
export type Match =
  | { readonly hit: true; readonly written: readonly Written[] }
  | { readonly hit: false; readonly word: number; readonly why: string };

/** Judges the words from this number on as a command of their own. */
export type Inner = (from: number) => Match;

/** Whether these words are certainly one of the commands that the synopsis describes; `inner` judges a `<command>`. */
export const match = (pattern: Pattern, words: readonly [Word, ...Word[]], inner: Inner): Match => {
  if (!words[0].whole || !pattern.program.test(words[0].text))
    return { hit: false, word: 0, why: `the program is ${pattern.program.source}` };
  const standing = begin(pattern, words);
  while (standing.at < words.length) {
    if (takesRest(standing)) return hit(standing, []);
    if (isInner(standing)) return behind(standing, inner(standing.at));
    const refusal = take(standing);
    if (refusal !== undefined) return { hit: false, ...refusal };
  }
  return (standing.points & (pattern.end | pattern.rest)) !== 0 && missing(standing) === undefined
    ? hit(standing, [])
    : { hit: false, word: words.length, why: `${missing(standing) ?? expected(standing)} is missing` };
};

const begin = (pattern: Pattern, words: readonly Word[]): Standing => ({
  pattern,
  words,
  whole: words.every(word => word.whole),
  points: pattern.start,
  seen: new Set(),
  at: 1,
  ended: false,
  operands: [1],
});

const hit = ({ pattern, operands }: Standing, inner: readonly Written[]): Match => ({
  hit: true,
  written: [...pattern.insertions.map(({ after, words }) => ({ before: operands[after] ?? 1, words })), ...inner],
});

const behind = (standing: Standing, inner: Match): Match => (inner.hit ? hit(standing, inner.written) : inner);

const missing = ({ pattern, seen }: Standing): string | undefined =>
  pattern.required.find(rule => !seen.has(rule))?.source;

const takesRest = (standing: Standing): boolean =>
  standing.whole && (standing.points & standing.pattern.rest) !== 0 && missing(standing) === undefined;

/** Whether the next word can only be the program of a `<command>`. */
const isInner = (standing: Standing): boolean => {
  const { pattern, points, words, at, ended } = standing;
  const text = words[at]?.text ?? '';
  if (!pattern.steps.some(step => step?.command && isAt(points, step.from)) || missing(standing) !== undefined)
    return false;
  return (ended || !text.startsWith('-')) && advance(standing, text) === 0;
};

const take = (standing: Standing): Refusal | undefined => {
  const word = standing.words[standing.at];
  if (word === undefined) return undefined;
  if (!word.whole) return takeGlob(standing, word);
  if (!standing.ended && word.text.startsWith('-') && word.text !== '-')
    return word.text === '--' ? takeDashes(standing) : takeOption(standing, word.text);
  return takeOperand(standing, advance(standing, word.text), word.text);
};

/** The points after this operand; none when it fits nowhere. One that begins with `-` must be written in full. */
const advance = ({ pattern, points }: Standing, text: string): Points => {
  const dashed = text.startsWith('-');
  let next = 0;
  for (const step of pattern.steps) {
    if (step === undefined || !isAt(points, step.from)) continue;
    if (dashed ? step.matcher.literals.has(text) : step.matcher.test(text)) next |= pattern.closures[step.to] ?? 0;
  }
  return next;
};

const takeOperand = (standing: Standing, next: Points, text: string): Refusal | undefined => {
  if (next === 0) return { word: standing.at, why: `${show(text)} is not ${expected(standing)}` };
  standing.points = next;
  standing.at += 1;
  standing.operands.push(standing.at);
  return undefined;
};

const takeDashes = (standing: Standing): Refusal | undefined => {
  const { pattern, points, words, at } = standing;
  const written = advance(standing, '--');
  if (written !== 0) {
    standing.ended = true;
    return takeOperand(standing, written, '--');
  }
  const open = pattern.steps.some(step => step !== undefined && isAt(points, step.from) && !step.matcher.closed);
  if (!pattern.dashes || !open || at + 1 === words.length)
    return { word: at, why: '-- is not written in the synopsis' };
  standing.ended = true;
  standing.at += 1;
  return undefined;
};

/** A pattern stands for any number of words, so only a last, repeated path can take it. */
const takeGlob = (standing: Standing, word: Glob): Refusal | undefined => {
  const { pattern, points, at } = standing;
  const folder = globFolder(word);
  let next = 0;
  for (const step of pattern.steps)
    if (step?.list && isAt(points, step.from) && folder !== undefined && step.matcher.covers(folder))
      next |= pattern.closures[step.to] ?? 0;
  if (next !== 0) return takeOperand(standing, next, word.text);
  return {
    word: at,
    why: 'a pattern stands for any number of words, and this place does not take any number of paths',
  };
};

const expected = ({ pattern, points }: Standing): string => {
  const sources = pattern.steps.flatMap(step =>
    step !== undefined && isAt(points, step.from) ? [step.matcher.source] : [],
  );
  for (const rules of pattern.options.values())
    for (const { to, at, source, value } of rules)
      if (to !== undefined && (at & points) !== 0) sources.push(`${source} ${value?.matcher.source}`);
  return sources.length === 0 ? 'expected here' : [...new Set(sources)].join(' or ');
};
