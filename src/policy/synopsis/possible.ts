import type { Glimpse } from '../../shell/script.ts';
import type { Pattern, Points, Rule } from './pattern.ts';
import { isAt } from './standing.ts';

/** Whether this may be the program of a command of the same rule. */
export type MayBegin = (program: Glimpse) => boolean;

type Outlook = {
  readonly pattern: Pattern;
  readonly words: readonly Glimpse[];
  points: Points;
  readonly seen: Set<Rule>;
  /** Whether any option may have been given, in a word that cannot be seen whole. */
  open: boolean;
  ended: boolean;
  /** Whether the next word may be the value of the option before it. */
  valued: boolean;
};

/**
 * Whether these words may be one of the commands that the synopsis describes: options in any place and abbreviated,
 * unknown ones beside them, words cut short, and with `...` other words in between. It errs on the side of yes, and is
 * linear.
 */
export const mayMatch = (pattern: Pattern, words: readonly Glimpse[], inner: MayBegin): boolean => {
  const program = words[0];
  if (program === undefined || !mayBeProgram(pattern, program)) return false;
  const { start: points } = pattern;
  const outlook: Outlook = { pattern, words, points, seen: new Set(), open: false, ended: false, valued: false };
  for (const [at, word] of words.entries()) {
    if (at === 0) continue;
    if (mayBeInner(outlook, word) && inner(word)) return true;
    if (word.whole) look(outlook, word.text, at);
    else lookAtPart(outlook, word.text);
    if (outlook.points === 0) return false;
  }
  const complete = outlook.open || pattern.required.every(rule => outlook.seen.has(rule));
  return complete && (outlook.points & (pattern.end | pattern.rest)) !== 0;
};

/** Whether this may be the program of the synopsis: in any folder, for both. */
export const mayBeProgram = ({ program }: Pattern, { text, whole }: Glimpse): boolean => {
  if (!whole) return true;
  const base = baseOf(text);
  return program.loose(text) || program.loose(base) || [...program.literals].some(literal => baseOf(literal) === base);
};

const baseOf = (text: string): string => text.slice(text.lastIndexOf('/') + 1);

const mayBeInner = ({ pattern, points }: Outlook, { text }: Glimpse): boolean =>
  !text.startsWith('-') && pattern.steps.some(step => step?.command && isAt(points, step.from));

/** The rest stays reached: it takes every further word. */
const advance = (
  { pattern, points }: Outlook,
  fits: (step: NonNullable<Pattern['steps'][number]>) => boolean,
): Points => {
  let next = points & pattern.rest;
  for (const step of pattern.steps)
    if (step !== undefined && isAt(points, step.from) && fits(step)) next |= pattern.closures[step.to] ?? 0;
  return next;
};

const look = (outlook: Outlook, text: string, at: number): void => {
  const operand = advance(outlook, ({ matcher }) => matcher.loose(text));
  const asValue = outlook.valued || outlook.pattern.rest !== 0 ? outlook.points : 0;
  outlook.valued = false;
  if (outlook.ended || !text.startsWith('-') || text === '-') outlook.points = operand | asValue;
  else if (text === '--') {
    outlook.ended = true;
    outlook.points |= operand;
  } else {
    outlook.points |= operand;
    lookAtOption(outlook, text, outlook.words[at + 1]);
  }
};

const lookAtPart = (outlook: Outlook, prefix: string): void => {
  for (let before = 0; before !== outlook.points; ) {
    before = outlook.points;
    outlook.points |= advance(outlook, ({ matcher }) => matcher.may(prefix));
  }
  if (prefix !== '' && !prefix.startsWith('-')) return;
  outlook.open = true;
  outlook.valued = true;
  for (const rules of outlook.pattern.options.values()) for (const rule of rules) outlook.points |= rule.to ?? 0;
};

type Mention = { readonly rule: Rule; readonly value: string | undefined };

const lookAtOption = (outlook: Outlook, text: string, next: Glimpse | undefined): void => {
  const mentions = text.startsWith('--') ? longMentions(outlook.pattern, text) : shortMentions(outlook, text);
  outlook.valued =
    !text.includes('=') && (mentions.length === 0 || mentions.some(({ rule }) => rule.value !== undefined));
  if (shortIsUnknown(outlook.pattern, text)) outlook.valued = true;
  for (const { rule, value } of mentions) {
    if (!mayHaveValue(rule, value, next)) continue;
    outlook.seen.add(rule);
    outlook.points |= rule.to ?? 0;
  }
};

const mayHaveValue = ({ value: wanted }: Rule, value: string | undefined, next: Glimpse | undefined): boolean => {
  if (wanted === undefined || wanted.optional) return true;
  if (value !== undefined && wanted.matcher.loose(value)) return true;
  if (next === undefined) return false;
  return next.whole ? wanted.matcher.loose(next.text) : wanted.matcher.may(next.text);
};

const longMentions = ({ options, attached }: Pattern, text: string): readonly Mention[] => {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  const named = [...options].flatMap(([option, rules]) =>
    option === text || option.startsWith(name) ? rules.map(rule => ({ rule, value })) : [],
  );
  const glued = attached.filter(({ prefix, matcher }) => prefix.startsWith(name) && matcher.loose(value ?? ''));
  return [...named, ...glued.map(({ rule }) => ({ rule, value }))];
};

const shortMentions = ({ pattern }: Outlook, text: string): readonly Mention[] => {
  const mentions: Mention[] = (pattern.options.get(text) ?? []).map(rule => ({ rule, value: undefined }));
  for (const { prefix, matcher, rule } of pattern.attached)
    if (text.startsWith(prefix) && matcher.loose(text.slice(prefix.length))) mentions.push({ rule, value: undefined });
  for (const letter of new Set(text.slice(1))) {
    const rules = pattern.options.get(`-${letter}`) ?? [];
    const value = text.slice(text.indexOf(letter, 1) + 1) || undefined;
    for (const rule of rules) if (!mentions.some(other => other.rule === rule)) mentions.push({ rule, value });
    if (rules.some(rule => rule.value !== undefined)) break;
  }
  return mentions;
};

const shortIsUnknown = ({ options }: Pattern, text: string): boolean =>
  !text.startsWith('--') && !options.has(text) && !options.has(`-${text.charAt(text.length - 1)}`);
