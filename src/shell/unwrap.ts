import { read } from './read.ts';
import { type Analysis, commandsOf, type Glimpse } from './script.ts';
import { WRAPPERS, type Wrapper } from './wrapper.ts';

/**
 * All that a command could start, to restrain by: itself first, then what wrappers would start, each also under its
 * name without a folder. `opaque` when there may be more than can be seen: then anything is possible.
 */
export type Reach = { readonly commands: readonly (readonly Glimpse[])[]; readonly opaque: boolean };

const MAX_DEPTH = 5;
/** Words and characters that a search may look at. */
const BUDGET = 131_072;

type Search = { readonly reached: (readonly Glimpse[])[]; opaque: boolean; left: number };

/** What one simple command could start. */
export const reachOf = (words: readonly Glimpse[]): Reach => reach(search => follow(search, words, 0));

/** What a whole text could start; a text that is not known could start anything. */
export const reachOfText = (analysis: Analysis): Reach => reach(search => followAnalysis(search, analysis, 0));

const reach = (run: (search: Search) => void): Reach => {
  const search: Search = { reached: [], opaque: false, left: BUDGET };
  run(search);
  return { commands: search.reached, opaque: search.opaque };
};

const followAnalysis = (search: Search, analysis: Analysis, depth: number): void => {
  if (analysis.kind === 'unknown') search.opaque = true;
  const commands = analysis.kind === 'known' ? commandsOf(analysis.script).map(({ words }) => words) : analysis.guess;
  for (const words of commands) follow(search, words, depth);
};

/** Whether the search may go on; where it may not, anything is possible. */
const affords = (search: Search, cost: number, depth: number): boolean => {
  search.left -= cost;
  const affordable = search.left >= 0 && depth <= MAX_DEPTH;
  search.opaque ||= !affordable;
  return affordable;
};

const follow = (search: Search, words: readonly Glimpse[], depth: number): void => {
  const [name, ...operands] = words;
  if (name === undefined || !affords(search, 4 * words.length + 16, depth)) return;
  search.reached.push(words);
  if (!name.whole) search.opaque = true;
  const base = name.text.slice(name.text.lastIndexOf('/') + 1);
  if (base !== name.text && name.whole) search.reached.push([{ text: base, whole: true }, ...operands]);
  const wrapper = WRAPPERS.get(base.startsWith('ld-linux') ? 'ld.so' : base);
  if (wrapper !== undefined) unwrap(search, wrapper, words, depth + 1);
};

const unwrap = (search: Search, wrapper: Wrapper, words: readonly Glimpse[], depth: number): void => {
  if (wrapper.blind?.(words.slice(1).map(({ text }) => text)) === true) search.opaque = true;
  for (const start of startsOf(wrapper, words)) {
    if (search.left < 0) return;
    const inner = wrapper.anywhere === true ? valueFirst(words.slice(start)) : words.slice(start);
    follow(search, inner, depth);
    if (wrapper.joined === true) followText(search, joined(inner), depth);
  }
  if (wrapper.text !== undefined) for (const text of textsOf(wrapper.text, words)) followText(search, text, depth);
};

/** `--entrypoint=rm` names a program as `--entrypoint rm` does. */
const valueFirst = ([first, ...rest]: readonly Glimpse[]): readonly Glimpse[] => {
  if (first === undefined) return rest;
  return [{ ...first, text: first.text.replace(/^-[^=]*=/, '') }, ...rest];
};

const joined = (words: readonly Glimpse[]): Glimpse => ({
  text: words.map(({ text }) => text).join(' '),
  whole: words.every(({ whole }) => whole),
});

const followText = (search: Search, { text, whole }: Glimpse, depth: number): void => {
  if (!whole) search.opaque = true;
  if (affords(search, text.length + 16, depth)) followAnalysis(search, read(text), depth);
};

/** Where another command may begin; after a word that is not whole, everywhere. */
const startsOf = (
  { after, words: before, operands = 0, anywhere }: Wrapper,
  words: readonly Glimpse[],
): readonly number[] => {
  const blurred = words.findIndex(({ whole }, at) => at > 0 && !whole);
  const isOpen = (at: number): boolean => anywhere === true || (blurred !== -1 && at >= blurred);
  const reached = after === undefined ? new Set<number>() : afterOptions(words, after);
  const follows = ({ text }: Glimpse): boolean => before?.test(text) === true;
  const starts = (at: number): boolean =>
    isOpen(at) || reached.has(at) || words.slice(Math.max(0, at - operands - 1), at).some(follows);
  return words.flatMap((_, at) => (at > 0 && starts(at) ? [at] : []));
};

/** Every place behind options, whose values may or may not be words of their own, assignments and operands. */
const afterOptions = (words: readonly Glimpse[], operands: number): ReadonlySet<number> => {
  const starts = new Set<number>();
  const front = new Set([1]);
  for (const [at, { text }] of words.entries()) {
    if (!front.has(at)) continue;
    if (/^-$|^[-+]./.test(text)) {
      front.add(at + 1);
      if (text !== '--' && !text.includes('=')) front.add(at + 2);
    } else if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) front.add(at + 1);
    else for (let operand = 0; operand <= operands; operand += 1) starts.add(at + operand);
  }
  return starts;
};

/** What may be the text: what is attached to the option, and every word behind it. */
const textsOf = (option: RegExp, words: readonly Glimpse[]): readonly Glimpse[] => {
  const at = words.findIndex(({ text }, index) => index > 0 && option.test(text));
  if (at === -1) return [];
  return words.slice(at).flatMap(({ text, whole }) => {
    const attached = text.slice(option.exec(text)?.[0].length ?? 0);
    return attached === '' ? [] : [{ text: attached, whole }];
  });
};
