import type { Matcher } from './word.ts';

/**
 * Where a command stands in its synopsis: points 0…30 between the operands, in the order written, as bits of a number.
 * Several are possible at once; none is ever gone back to, so that deciding is linear.
 */
export type Points = number;

/** The operand that leads from one point to the next. */
export type Step = {
  readonly from: number;
  readonly to: number;
  readonly matcher: Matcher;
  /** `<command>`: the words from here on are a command of their own. */
  readonly command: boolean;
  /** Repeated, and nothing else comes: where a pattern may stand for any number of words. */
  readonly list: boolean;
};

/** What an option's value must be; `apart` forbids `-nVALUE` in one word. */
export type Value = { readonly matcher: Matcher; readonly optional: boolean; readonly apart: boolean };

/** One option of a synopsis. */
export type Rule = {
  readonly source: string;
  /** The points at which it may stand. */
  readonly at: Points;
  /** Those, and every point behind them: what is left once it came. */
  readonly onward: Points;
  readonly value?: Value;
  readonly many: boolean;
  readonly required: boolean;
  /** The points after it, when it and its value stand in the place of an operand. */
  readonly to?: Points;
};

/** An option whose value is in the same word. */
export type Attached = { readonly prefix: string; readonly matcher: Matcher; readonly rule: Rule };

/** Words that the server writes in after so many operands. */
export type Insertion = { readonly after: number; readonly words: readonly string[] };

/** A compiled synopsis: immutable, and decided in one pass over a command's words. */
export type Pattern = {
  readonly source: string;
  readonly program: Matcher;
  readonly start: Points;
  /** The operand that may come at a point. */
  readonly steps: readonly (Step | undefined)[];
  /** Every point that is reached without a word, from each point. */
  readonly closures: readonly Points[];
  readonly end: Points;
  /** The point from which any further words may come. */
  readonly rest: Points;
  readonly options: ReadonlyMap<string, readonly Rule[]>;
  readonly attached: readonly Attached[];
  readonly required: readonly Rule[];
  /** Whether `-ab` may mean `-a -b`. */
  readonly clusters: boolean;
  /** Whether a `--` that is not written may stand before operands. */
  readonly dashes: boolean;
  readonly insertions: readonly Insertion[];
  /** Words that every such command has: of each set, one. */
  readonly needs: readonly ReadonlySet<string>[];
};
