import type { Insertion, Points, Step } from './pattern.ts';
import { isOptionText, type Mistake, type Node, type Option, type Term, type Times } from './syntax.ts';
import { compileTerm, type Matcher } from './word.ts';

/**
 * An option and where it is written: behind the point `from`, or `early` when options right before it do not count as
 * words; with `to`, it and its value lead on as an operand does.
 */
export type Placed = {
  readonly option: Option;
  readonly from: number;
  readonly early: number;
  readonly to?: number;
  readonly matcher: Matcher | undefined;
  readonly many: boolean;
  readonly required: boolean;
};

/** A word that takes the place of an operand; one that is `needed` is in every command that the synopsis describes. */
export type Place = { readonly from: number; readonly matcher: Matcher; readonly needed: boolean };

/** A synopsis laid out as points, while it is being read from left to right. */
export type Draft = {
  point: number;
  readonly steps: (Step | undefined)[];
  /** What leads from one point to another without a word. */
  readonly skips: (readonly [from: number, to: number])[];
  readonly placed: Placed[];
  readonly places: Place[];
  readonly insertions: Insertion[];
  readonly mistakes: Mistake[];
  rest: Points;
  /** How many operands stand before this point, for certain and in full; undefined once that is open. */
  fixed: number | undefined;
};

type Scope = { readonly optional: boolean; readonly many: boolean };
type Stride = Omit<Step, 'from' | 'to'>;

/** The last point that fits into a number's bits. */
export const LAST_POINT = 29;

/** `<command>` as a word: what it may be is another matter. */
const COMMAND: Matcher = {
  source: '<command>',
  test: () => false,
  loose: () => false,
  may: () => true,
  covers: () => false,
  literals: new Set(),
  closed: false,
  int: false,
};

/** The parts of a synopsis behind its program as points, with every mistake in their words. */
export const draftOf = (nodes: readonly Node[]): Draft => {
  const draft: Draft = {
    point: 0,
    steps: [],
    skips: [],
    placed: [],
    places: [],
    insertions: [],
    mistakes: [],
    rest: 0,
    fixed: 0,
  };
  addAll(draft, nodes, { optional: false, many: false });
  if (draft.point > LAST_POINT) say(draft, 1, 'This is too long: write several synopses.');
  return draft;
};

const say = (draft: Draft, column: number, message: string): void => {
  draft.mistakes.push({ column, message });
};

const matcherOf = (draft: Draft, term: Term): Matcher | undefined => {
  const matcher = compileTerm(term);
  if (typeof matcher !== 'string') return matcher;
  say(draft, term.column, matcher);
  return undefined;
};

const addAll = (draft: Draft, nodes: readonly Node[], scope: Scope): void => {
  for (const node of nodes) add(draft, node, scope);
};

const add = (draft: Draft, node: Node, scope: Scope): void => {
  if (node.kind === 'operand') addOperand(draft, node.term, node.times, scope);
  else if (node.kind === 'pair') addPair(draft, node.option, node.term);
  else if (node.kind === 'group') addGroup(draft, node, scope);
  else if (node.kind === 'rest') draft.rest = 1 << draft.point;
  else if (node.kind === 'with') addInsertion(draft, node.words, node.column);
  else addOption(draft, node.option, { optional: scope.optional, many: scope.many || node.many });
};

const addOperand = (draft: Draft, term: Term, times: Times, scope: Scope): void => {
  const command = isCommand(term);
  const matcher = command ? COMMAND : matcherOf(draft, term);
  if (matcher === undefined) return;
  if ([...matcher.literals].some(isOptionText))
    say(draft, term.column, 'Options and words are not alternatives of each other.');
  if (command && (times > 1 || scope.many)) say(draft, term.column, '<command> comes once, at the end.');
  const once = times === 1 && !scope.many && !scope.optional;
  draft.fixed = once && matcher.closed && draft.fixed !== undefined ? draft.fixed + 1 : undefined;
  const stride = { matcher, command, list: !Number.isFinite(times) || scope.many };
  if (Number.isFinite(times)) addCopies(draft, stride, times, scope);
  else {
    const from = freshPoint(draft);
    draft.skips.push([addStep(draft, stride, !scope.optional), from]);
  }
};

const isCommand = ({ pieces: [first, ...more] }: Term): boolean =>
  first?.kind === 'slot' && first.slot.kind === 'command' && more.length === 0;

/** One that must come, and the others that may. */
const addCopies = (draft: Draft, stride: Stride, times: number, scope: Scope): void => {
  const ends = Array.from({ length: times }, (_, copy) => addStep(draft, stride, copy === 0 && !scope.optional));
  for (const end of ends) if (end < draft.point) draft.skips.push([end, draft.point]);
};

const addStep = (draft: Draft, stride: Stride, needed: boolean): number => {
  const from = draft.point;
  draft.point += 1;
  draft.steps[from] = { ...stride, from, to: draft.point };
  draft.places.push({ from, matcher: stride.matcher, needed });
  return draft.point;
};

/** A point that only what comes next begins at, so that repeating it cannot repeat what stands before it. */
const freshPoint = (draft: Draft): number => {
  draft.point += 1;
  draft.skips.push([draft.point - 1, draft.point]);
  return draft.point;
};

const addGroup = (draft: Draft, group: Extract<Node, { kind: 'group' }>, outer: Scope): void => {
  const [only, ...more] = group.nodes;
  const counted = group.times > 1 && Number.isFinite(group.times);
  const many = group.times > 1 && !counted;
  const scope = { optional: outer.optional || group.optional, many: outer.many || many };
  const from = many && hasOperand(group.nodes) ? freshPoint(draft) : draft.point;
  if (!counted) addAll(draft, group.nodes, scope);
  else if (only?.kind === 'operand' && only.times === 1 && more.length === 0)
    addOperand(draft, only.term, group.times, scope);
  else say(draft, group.column, 'A number of times is for one word: [<name>]...8.');
  if (draft.point === from) return;
  if (group.optional) draft.skips.push([from, draft.point]);
  if (many) draft.skips.push([draft.point, from]);
};

const hasOperand = (nodes: readonly Node[]): boolean =>
  nodes.some(node => node.kind === 'operand' || (node.kind === 'group' && hasOperand(node.nodes)));

const addPair = (draft: Draft, option: Option, term: Term): void => {
  const matcher = matcherOf(draft, term);
  if (matcher === undefined) return;
  const from = draft.point;
  draft.point += 1;
  draft.placed.push({ option, from, early: from, to: draft.point, matcher, many: true, required: false });
  draft.places.push({ from, matcher, needed: false });
  draft.fixed = undefined;
};

const addOption = (draft: Draft, option: Option, scope: Scope): void => {
  const matcher = option.value === undefined ? undefined : matcherOf(draft, option.value.term);
  const from = draft.point;
  const early = beforePairs(draft.placed, from);
  draft.placed.push({ option, from, early, matcher, many: scope.many, required: !scope.optional });
};

/** The point before the options with values that stand right before this one. */
const beforePairs = (placed: readonly Placed[], point: number): number => {
  const pair = placed.find(each => each.to === point);
  return pair === undefined ? point : beforePairs(placed, pair.from);
};

const addInsertion = (draft: Draft, words: readonly string[], column: number): void => {
  if (draft.fixed !== undefined) draft.insertions.push({ after: draft.fixed, words });
  else say(draft, column, '<with …> stands after the program or after words that are written in full.');
};
