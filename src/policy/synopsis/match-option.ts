import type { Points, Rule, Value } from './pattern.ts';
import { type Refusal, type Standing, show } from './standing.ts';

/** Takes the option that this word is, in any spelling getopt has, with its value; what is not written is refused. */
export const takeOption = (standing: Standing, text: string): Refusal | undefined => {
  const exact = ruleFor(standing, text);
  if (exact !== undefined) return accept(standing, exact, undefined);
  const equals = text.startsWith('--') ? text.indexOf('=') : -1;
  if (equals !== -1) {
    const long = ruleFor(standing, text.slice(0, equals));
    if (long?.value !== undefined) return accept(standing, long, text.slice(equals + 1));
  }
  const glued = standing.pattern.attached.find(
    ({ prefix, matcher, rule }) =>
      text.startsWith(prefix) && isOpen(standing, rule) && matcher.test(text.slice(prefix.length)),
  );
  if (glued !== undefined) return accept(standing, glued.rule, undefined);
  return text.startsWith('--') || !standing.pattern.clusters ? unknown(standing, text) : takeCluster(standing, text);
};

const unknown = (standing: Standing, option: string): Refusal => {
  const { options, attached } = standing.pattern;
  const name = option.startsWith('--') ? option.replace(/=.*$/s, '') : option;
  const glued = attached.filter(({ prefix }) => option.startsWith(prefix)).map(({ rule }) => rule);
  const rules = [...(options.get(option) ?? options.get(name) ?? []), ...glued];
  const used = rules.some(rule => standing.seen.has(rule) && !rule.many);
  const elsewhere = rules.some(rule => (rule.at & standing.points) === 0);
  const why = used ? 'is given twice' : elsewhere ? 'does not stand here' : 'is not an option of this synopsis';
  return { word: standing.at, why: `${show(option)} ${why}` };
};

/** The rule that allows this option here, where it is not used up. */
const ruleFor = (standing: Standing, name: string): Rule | undefined =>
  standing.pattern.options.get(name)?.find(rule => isOpen(standing, rule));

const isOpen = (standing: Standing, rule: Rule): boolean =>
  (rule.at & standing.points) !== 0 && (rule.many || !standing.seen.has(rule));

/** Counts the option and, unless its value came with it, takes the next word as its value. */
const accept = (standing: Standing, rule: Rule, given: string | undefined): Refusal | undefined => {
  const { value } = rule;
  standing.seen.add(rule);
  standing.points = rule.to ?? reached(standing, rule) & rule.onward;
  const option = standing.at;
  standing.at += 1;
  if (value === undefined) return undefined;
  if (given !== undefined) return value.matcher.test(given) ? undefined : unfit(option, given, value);
  const next = standing.words[standing.at];
  const fits = next?.whole === true && mayBeValue(next.text, value) && value.matcher.test(next.text);
  if (fits) standing.at += 1;
  if (fits || value.optional) return undefined;
  return next === undefined
    ? { word: standing.at, why: `${value.matcher.source} is missing after ${rule.source}` }
    : unfit(standing.at, next.text, value);
};

/** The points at which the option may stand, with all that is reached from them without a word. */
const reached = ({ pattern, points }: Standing, { at }: Rule): Points => {
  let all = 0;
  for (let left = points & at; left !== 0; left &= left - 1)
    all |= pattern.closures[31 - Math.clz32(left & -left)] ?? 0;
  return all;
};

const unfit = (word: number, text: string, { matcher }: Value): Refusal => ({
  word,
  why: `${show(text)} is not ${matcher.source}`,
});

/** A value of its own never looks like an option, numbers apart, so that a wrong arity cannot hide one. */
const mayBeValue = (text: string, { matcher }: Value): boolean =>
  !text.startsWith('-') || NUMBER.test(text) || matcher.literals.has(text);

const NUMBER =
  /^-[0-9]+(?:\.[0-9]+)?(?: ?(?:[kKMGTP]i?B?|[bcw]|[mun]?s|m|h|d|y|secs?|mins?|hr|(?:second|minute|hour|day|week|month|year)s?))?$/;

const MAX_CLUSTER = 64;

const takeCluster = (standing: Standing, text: string): Refusal | undefined => {
  if (text.length > MAX_CLUSTER) return { word: standing.at, why: `${show(text)} is too many options in one word` };
  for (let letter = 1; letter < text.length; letter += 1) {
    const name = `-${text.charAt(letter)}`;
    const tail = text.slice(letter + 1);
    const rule = ruleFor(standing, name);
    if (tail !== '') {
      const glued = standing.pattern.attached.find(each => each.prefix === name && isOpen(standing, each.rule));
      if (glued?.matcher.test(tail)) return accept(standing, glued.rule, undefined);
      if (glued !== undefined) return unfit(standing.at, tail, { ...glued, optional: false, apart: false });
    }
    if (rule === undefined) return unknown(standing, name);
    if (tail === '') return accept(standing, rule, undefined);
    if (rule.value !== undefined) return rule.value.apart ? unknown(standing, text) : accept(standing, rule, tail);
    accept(standing, rule, undefined);
    standing.at -= 1;
  }
  return unknown(standing, text);
};
