import { type Draft, draftOf, type Placed } from './draft.ts';
import type { Attached, Pattern, Points, Rule, Step } from './pattern.ts';
import { shapesOf } from './shape.ts';
import { isAt } from './standing.ts';
import { changesCommand, isOneDash, isOneDashName, type Strictness, strictnessOf } from './style.ts';
import type { Mistake, Option, Synopsis, Term } from './syntax.ts';
import { compileShapes, compileTerm, type Matcher } from './word.ts';

/** A pattern, or every mistake in the words of the synopsis. */
export type Compiled = { readonly pattern: Pattern } | { readonly mistakes: readonly Mistake[] };

/** A synopsis as a pattern. */
export const compileSynopsis = ({ source, program, nodes }: Synopsis): Compiled => {
  const named = compileTerm(program);
  const draft = draftOf(nodes);
  if (!isNamed(program)) say(draft, program.column, 'Name the program: this would be any program.');
  if (typeof named === 'string') say(draft, program.column, named);
  if (typeof named === 'string' || draft.mistakes.length > 0) return { mistakes: draft.mistakes };
  checkCommand(draft, named);
  const pattern = seal(draft, source, named);
  return draft.mistakes.length > 0 ? { mistakes: draft.mistakes } : { pattern };
};

const say = (draft: Draft, column: number, message: string): void => {
  draft.mistakes.push({ column, message });
};

/** `<command>` ends a synopsis, and stands behind programs that pass its words on as they are. */
const checkCommand = (draft: Draft, program: Matcher): void => {
  const step = draft.steps.find(each => each?.command);
  if (step === undefined) return;
  if (step.to !== draft.point || draft.rest !== 0 || draft.placed.some(({ from }) => from > step.from))
    say(draft, 1, '<command> is the end: the words behind it are its own.');
  const changes = [...program.literals].find(changesCommand);
  if (changes !== undefined)
    say(draft, 1, `${changes} does not run the words behind it unchanged: write the command that it runs in full.`);
};

const isNamed = (program: Term): boolean =>
  (shapesOf(program.pieces) ?? []).every(
    ([first, ...more]) =>
      more.length > 0 || first?.kind === 'text' || (first?.kind === 'slot' && first.slot.kind === 'path'),
  );

const seal = (draft: Draft, source: string, program: Matcher): Pattern => {
  const closures = closuresOf(draft);
  const strictness = strictnessOf(program.literals);
  const oneDash = isOneDash(program.literals) || draft.placed.some(({ option }) => isOneDashOption(option));
  const fixed = oneDash || strictness !== 'everywhere' || draft.steps.some(step => step?.command);
  const { options, attached, required } = optionsOf(draft, placed => {
    const from = fixed ? placed.from : placed.early;
    const until = placed.to === undefined ? lastPoint(draft, placed.from, strictness) : placed.from;
    return ruleOf(placed, closures, from, until, draft.point);
  });
  const written = draft.places.some(({ matcher }) => matcher.literals.has('--'));
  return {
    source,
    program,
    start: closures[0] ?? 1,
    steps: draft.steps.map(step => step && { ...step, list: isList(draft, step, closures) }),
    closures,
    end: 1 << draft.point,
    rest: draft.rest,
    options,
    attached,
    required,
    clusters: !oneDash,
    dashes: !written && !oneDash && strictness !== 'verb',
    insertions: draft.insertions,
    needs: draft.places.flatMap(({ matcher, needed }) => (needed && matcher.closed ? [matcher.literals] : [])),
  };
};

const closuresOf = (draft: Draft): readonly Points[] => {
  const closures = Array.from({ length: draft.point + 1 }, (_, point) => 1 << point);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [from, to] of draft.skips) {
      const wider = (closures[from] ?? 0) | (closures[to] ?? 0);
      if (wider === closures[from]) continue;
      closures[from] = wider;
      changed = true;
    }
  }
  return closures;
};

/** Whether this word repeats, and nothing but it may still come: then it does not matter how many there are. */
const isList = (draft: Draft, step: Step, closures: readonly Points[]): boolean => {
  const after = closures[step.to] ?? 0;
  const comes = draft.places.some(
    place => place.matcher !== step.matcher && (place.from > step.from || isAt(after, place.from)),
  );
  return step.list && !comes;
};

type Options = { options: Map<string, Rule[]>; attached: Attached[]; required: Rule[] };

const optionsOf = (draft: Draft, ruleOf: (placed: Placed) => Rule): Options => {
  const all: Options = { options: new Map(), attached: [], required: [] };
  for (const placed of draft.placed) {
    const rule = ruleOf(placed);
    if (rule.required) all.required.push(rule);
    for (const name of placed.option.names) addName(draft, all.options, name, rule, placed.option.column);
    for (const { prefix, rest } of placed.option.glued) {
      const matcher = compileShapes([rest], placed.option.source);
      if (typeof matcher === 'string') say(draft, placed.option.column, matcher);
      else all.attached.push({ prefix, matcher, rule });
    }
  }
  return all;
};

const addName = (draft: Draft, options: Map<string, Rule[]>, name: string, rule: Rule, column: number): void => {
  const rules = options.get(name) ?? [];
  const differs = (other: Rule): boolean => other.value?.matcher.source !== rule.value?.matcher.source;
  if (rules.some(other => (other.at & rule.at) !== 0 && differs(other)))
    say(draft, column, `${name} is written twice, with different values.`);
  options.set(name, [...rules, rule]);
};

const isOneDashOption = ({ names, glued }: Option): boolean =>
  names.some(isOneDashName) || glued.some(({ prefix }) => isOneDashName(prefix.slice(0, -1)));

const ruleOf = (placed: Placed, closures: readonly Points[], from: number, until: number, end: number): Rule => {
  const { option, to, matcher, many, required } = placed;
  const optional = option.value?.optional ?? false;
  return {
    source: option.source,
    at: range(from, until),
    onward: range(from, end),
    many,
    required,
    ...(matcher === undefined ? {} : { value: { matcher, optional, apart: to !== undefined && !matcher.int } }),
    ...(to === undefined ? {} : { to: closures[to] ?? 0 }),
  };
};

const range = (from: number, until: number): Points => (2 << until) - (1 << from);

/** Up to where an option may stand: the end, or the word that hands the options after it to somebody else. */
const lastPoint = (draft: Draft, from: number, strictness: Strictness): number => {
  const anyWord = strictness === 'operand' || draft.steps.some(step => step?.command);
  const isWall = ({ literals, closed }: Matcher): boolean =>
    !literals.has('--') && (anyWord || (strictness === 'verb' && closed));
  return draft.places.find(place => place.from >= from && isWall(place.matcher))?.from ?? draft.point;
};
