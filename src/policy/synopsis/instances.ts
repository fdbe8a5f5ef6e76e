import { q } from '../../shell/quote.ts';
import { commandsOf, grant, readPattern } from './commands.ts';
import { parseSynopsis } from './parse.ts';
import { wordsOf } from './samples.ts';
import type { Node, Option } from './syntax.ts';

/** Some words of a command. */
export type Words = readonly string[];

/** As many commands are made of one synopsis at most, and as many of one of its parts. */
const MOST = 96;
const MOST_OF_PART = 32;

/**
 * Commands that a synopsis describes, as texts: the shortest first, then one for each of its alternatives, options and
 * bounds. Only such as it certainly grants; none where no example of a regular expression is known.
 */
export const instancesOf = (synopsis: string, inner: readonly Words[] = []): readonly string[] => [
  ...new Set(instanceWords(synopsis, inner).map(textOf)),
];

/** The same as their words. */
export const instanceWords = (synopsis: string, inner: readonly Words[] = []): readonly Words[] => {
  const parsed = parseSynopsis(synopsis);
  const read = readPattern(synopsis);
  if (!('synopsis' in parsed) || !('pattern' in read)) return [];
  const { program, nodes } = parsed.synopsis;
  const commands = commandsOf([{ pattern: read.pattern, stdin: true }, ...inner.flatMap(entryOf)]);
  const isGranted = (words: Words): boolean => {
    const [first, ...more] = words.map(text => ({ whole: true, text, at: 0 }) as const);
    return first !== undefined && grant(commands, { words: [first, ...more], shaped: false }).hit;
  };
  const names = wordsOf(program);
  const tails = sequence(nodes, inner);
  const all = [
    ...tails.map(tail => [names[0] ?? '', ...tail]),
    ...names.slice(1).map(name => [name, ...(tails[0] ?? [])]),
  ];
  return all.filter(isGranted);
};

/**
 * The shortest command that a synopsis seems to describe, without its program: made in no time, and still to be judged.
 * Undefined where no example of a word is known.
 */
export const shortestTail = (synopsis: string, inner: readonly Words[] = []): Words | undefined => {
  const parsed = parseSynopsis(synopsis);
  if (!('synopsis' in parsed)) return undefined;
  const parts = parsed.synopsis.nodes.map(node => shortestOf(node, inner));
  return parts.every(part => part !== undefined) ? parts.flat() : undefined;
};

const shortestOf = (node: Node, inner: readonly Words[]): Words | undefined => {
  if (node.kind !== 'group') return variantsOf(node, inner)[0];
  const parts = node.optional ? [] : node.nodes.map(each => shortestOf(each, inner));
  return parts.every(part => part !== undefined) ? parts.flat() : undefined;
};

/** Words as a text that the shell reads as these words. */
export const textOf = (words: Words): string =>
  words.map(word => (/^[A-Za-z0-9_@%+:,./=-]+$/.test(word) ? word : q(word))).join(' ');

/** A command inside a command is one of the same rule. */
const entryOf = (words: Words) => {
  const read = readPattern(words.map(word => (/^[A-Za-z0-9_./-]+$/.test(word) ? word : q(word))).join(' '));
  return 'pattern' in read ? [{ pattern: read.pattern, stdin: true }] : [];
};

/** The shortest first, then each alternative of each part by itself, then all that there is together. */
const sequence = (nodes: readonly Node[], inner: readonly Words[]): readonly Words[] => {
  const parts = nodes.map(node => variantsOf(node, inner).slice(0, MOST_OF_PART));
  const base = parts.map(([first = []]) => first);
  const others = parts.flatMap((variants, index) => variants.slice(1).map(variant => base.with(index, variant).flat()));
  return [base.flat(), parts.flatMap(variants => variants.at(-1) ?? []), ...others].slice(0, MOST);
};

const variantsOf = (node: Node, inner: readonly Words[]): readonly Words[] => {
  switch (node.kind) {
    case 'operand':
      if (node.term.source === '<command>') return inner;
      return repeated(
        wordsOf(node.term).map(word => [word]),
        node.times,
      );
    case 'option':
      return optionWords(node.option);
    case 'pair':
      return node.option.names.flatMap(name => wordsOf(node.term).map(word => [name, word]));
    case 'rest':
      return [[], ['x'], ['-x', 'x']];
    case 'with':
      return [[]];
    case 'group':
      return groupWords(node, inner);
  }
};

const groupWords = ({ optional, nodes, times }: Extract<Node, { kind: 'group' }>, inner: readonly Words[]) => {
  const together = repeated(sequence(nodes, inner), times);
  if (!optional) return together;
  const isOptions = nodes.every(({ kind }) => kind === 'option');
  return [[], ...(isOptions ? nodes.flatMap(node => variantsOf(node, inner)) : []), ...together];
};

const optionWords = ({ names, glued, value }: Option): readonly Words[] => {
  const values = value === undefined ? [] : wordsOf(value.term);
  const bare = value === undefined || value.optional ? names.map(name => [name]) : [];
  const apart = value?.optional === true ? [] : names.flatMap(name => values.map(each => [name, each]));
  const joined = value?.optional === true ? names.flatMap(name => values.map(each => [`${name}=${each}`])) : [];
  const within = glued.flatMap(({ prefix, rest }) =>
    wordsOf({ pieces: rest, source: '' }).map(each => [`${prefix}${each}`]),
  );
  return [...bare, ...apart, ...joined, ...within];
};

/** Once, and twice where that is allowed. */
const repeated = (variants: readonly Words[], times: number): readonly Words[] => {
  const [first] = variants;
  const last = variants.at(-1);
  return times > 1 && first !== undefined && last !== undefined ? [...variants, [...first, ...last]] : variants;
};
