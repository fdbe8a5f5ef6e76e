import type { Word } from '../../shell/script.ts';
import type { Pattern, Points, Rule } from './pattern.ts';

/** Where a match stands: mutable, and never outlives it. */
export type Standing = {
  readonly pattern: Pattern;
  readonly words: readonly Word[];
  /** Whether every word is whole, so that each is one word to the program. */
  readonly whole: boolean;
  points: Points;
  readonly seen: Set<Rule>;
  /** The word to look at next. */
  at: number;
  /** Whether `--` came. */
  ended: boolean;
  /** After so many operands, the number of the next word. */
  readonly operands: number[];
};

/** The word that failed, by its number, and why. */
export type Refusal = { readonly word: number; readonly why: string };

/** Whether one of the possible points is this one. */
export const isAt = (points: Points, from: number): boolean => (points & (1 << from)) !== 0;

/** A word as a refusal shows it: short, and always recognisable as a word. */
export const show = (text: string): string => JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 57)}…`);
