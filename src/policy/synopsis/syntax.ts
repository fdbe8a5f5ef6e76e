/** What is wrong in a synopsis, and at which column, counted from 1. */
export type Mistake = { readonly column: number; readonly message: string };

/** A typed placeholder, `<…>`: what one word may be. */
export type Slot =
  | { readonly kind: 'int'; readonly min: number; readonly max: number }
  | { readonly kind: 'name' | 'duration' | 'any' | 'command' }
  | { readonly kind: 'path' | 'relpath'; readonly pattern: string }
  | { readonly kind: 're'; readonly pattern: string };

/** A part of a word: characters that mean themselves, `*`, `{a,b}` or a placeholder. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'run' }
  | { readonly kind: 'choice'; readonly of: readonly (readonly Piece[])[] }
  | { readonly kind: 'slot'; readonly slot: Slot };

/** One word of a synopsis, as it is written in `source`. */
export type Term = { readonly pieces: readonly Piece[]; readonly source: string; readonly column: number };

/** One possible shape of a word: choices are made, neighbouring characters are joined. */
export type Shape = readonly Exclude<Piece, { kind: 'choice' }>[];

/** An option that carries its value in the same word: `--lines=<int>`, `-U<int>`, `-<int>`. */
export type Glued = { readonly prefix: string; readonly rest: Shape };

/**
 * An option: its names are synonyms. `value` is a word of its own or attached, as getopt does it; `optional` means that
 * it may be left out. `source` is the option as it is written.
 */
export type Option = {
  readonly names: readonly string[];
  readonly glued: readonly Glued[];
  readonly value?: { readonly term: Term; readonly optional: boolean };
  readonly source: string;
  readonly column: number;
};

/** How often something may come: once, as often as one likes (`...`), or at most so many times (`...8`). */
export type Times = number;

/** What a synopsis is made of, in the order written. */
export type Node =
  | { readonly kind: 'operand'; readonly term: Term; readonly times: Times }
  | { readonly kind: 'option'; readonly option: Option; readonly many: boolean }
  /** An option outside brackets and the word after it: two words next to each other, in this place. */
  | { readonly kind: 'pair'; readonly option: Option; readonly term: Term }
  | {
      readonly kind: 'group';
      readonly optional: boolean;
      readonly times: Times;
      readonly nodes: readonly Node[];
      readonly column: number;
    }
  /** `...`: any further words. */
  | { readonly kind: 'rest'; readonly column: number }
  /** `<with …>`: words that the server writes in by itself. */
  | { readonly kind: 'with'; readonly words: readonly string[]; readonly column: number };

/** One command as a man page writes it. */
export type Synopsis = { readonly source: string; readonly program: Term; readonly nodes: readonly Node[] };

/** Whether a word of a synopsis is an option rather than an operand, by how it begins. */
export const isOptionText = (text: string): boolean => text.startsWith('-') && text !== '-' && text !== '--';
