import { shapesOf, TOO_MANY, textOf } from './shape.ts';
import { compileSlot, type SlotTest } from './slot.ts';
import type { Piece, Shape, Term } from './syntax.ts';

/** One word of a synopsis, ready to be compared. */
export type Matcher = {
  /** As it is written in the synopsis. */
  readonly source: string;
  readonly test: (text: string) => boolean;
  /** `test` for a rule that only restrains: `*` crosses slashes, a path with `..` may be any path. */
  readonly loose: (text: string) => boolean;
  /** Whether some word that begins so may be meant. */
  readonly may: (prefix: string) => boolean;
  /** Whether every path below this folder is one of these words. */
  readonly covers: (folder: string) => boolean;
  /** The words that are written in full. */
  readonly literals: ReadonlySet<string>;
  /** Whether nothing but those is meant. */
  readonly closed: boolean;
  /** Whether this is `<int>` and nothing else: the one value that can never be read as letters of options. */
  readonly int: boolean;
};

/** A word of a synopsis as tests, or what is wrong with it. */
export const compileTerm = (term: Pick<Term, 'pieces' | 'source'>): Matcher | string => {
  const shapes = shapesOf(term.pieces);
  return shapes === undefined ? TOO_MANY : compileShapes(shapes, term.source);
};

/** As `compileTerm`, of shapes that are known already. */
export const compileShapes = (shapes: readonly Shape[], source: string): Matcher | string => {
  const literals = new Set<string>();
  const fits: SlotTest[] = [];
  for (const shape of shapes) {
    const text = textOf(shape);
    const fit = text === undefined ? compileOpen(shape) : literals.add(text);
    if (typeof fit === 'string') return fit;
    if ('may' in fit) fits.push(fit);
  }
  return {
    source,
    test: text => literals.has(text) || fits.some(fit => fit.test(text)),
    loose: text => literals.has(text) || fits.some(fit => fit.loose(text)),
    may: prefix => [...literals].some(literal => literal.startsWith(prefix)) || fits.some(fit => fit.may(prefix)),
    covers: folder => literals.size === 0 && fits.some(fit => fit.covers?.(folder) ?? false),
    literals,
    closed: fits.length === 0,
    int: literals.size === 0 && shapes.every(shape => shape.length === 1 && isInt(shape[0])),
  };
};

const isInt = (piece: Piece | undefined): boolean => piece?.kind === 'slot' && piece.slot.kind === 'int';

const compileOpen = (shape: Shape): SlotTest | string => {
  const slots = shape.filter(piece => piece.kind === 'slot');
  const runs = shape.filter(piece => piece.kind === 'run');
  if (slots.length > 1) return 'A word has one placeholder at most; <re:…> can say the rest.';
  if (slots.length === 1 && runs.length > 0) return 'A word has a placeholder or "*", not both.';
  const at = shape.findIndex(piece => piece.kind === 'slot');
  const slot = shape[at];
  if (slot?.kind !== 'slot') return compileRuns(shape);
  const inner = compileSlot(slot.slot);
  if (typeof inner === 'string' || shape.length === 1) return inner;
  return within(plainText(shape.slice(0, at)), inner, plainText(shape.slice(at + 1)));
};

const plainText = (shape: Shape): string => shape.map(piece => (piece.kind === 'text' ? piece.text : '')).join('');

/** A placeholder between characters. */
const within = (head: string, inner: SlotTest, tail: string): SlotTest => {
  const cut = (test: (text: string) => boolean) => (text: string) =>
    text.length >= head.length + tail.length &&
    text.startsWith(head) &&
    text.endsWith(tail) &&
    test(text.slice(head.length, text.length - tail.length));
  const may = (prefix: string): boolean =>
    head.startsWith(prefix) || (prefix.startsWith(head) && (tail !== '' || inner.may(prefix.slice(head.length))));
  return { test: text => cut(inner.test)(text) && !hasParent(text), loose: cut(inner.loose), may };
};

/** `..` as a component: parts that are harmless alone can make one together, as in `/srv/.<relpath>`. */
const hasParent = (text: string): boolean => text.includes('..') && text.split('/').includes('..');

/** Characters with `*` between them. For a grant, `*` crosses no slash and makes no `..`. */
const compileRuns = (shape: Shape): SlotTest => {
  const texts = [''];
  for (const piece of shape) {
    if (piece.kind === 'run') texts.push('');
    else if (piece.kind === 'text') texts[texts.length - 1] += piece.text;
  }
  const slashes = countSlashes(texts.join(''));
  const head = texts[0] ?? '';
  const loose = (text: string): boolean => hasInOrder(text, texts);
  const test = (text: string): boolean => loose(text) && countSlashes(text) === slashes && !hasParent(text);
  return { test, loose, may: prefix => head.startsWith(prefix) || prefix.startsWith(head) };
};

const countSlashes = (text: string): number => text.split('/').length - 1;

/** Whether the text begins with the first, ends with the last and holds the others in between, in order, apart. */
const hasInOrder = (text: string, [head = '', ...more]: readonly string[]): boolean => {
  const tail = more.pop() ?? '';
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const middle of more) {
    const found = text.indexOf(middle, at);
    if (found === -1) return false;
    at = found + middle.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
};
