import { shapesOf, TOO_MANY, textOf } from './shape.ts';
import { type Glued, isOptionText, type Option, type Piece, type Shape, type Term } from './syntax.ts';

/** Whether a word of a synopsis is an option: it begins with `-` whichever choice is made. */
export const isOption = (term: Term): boolean => beginnings(term.pieces).every(isOptionText);

const beginnings = (pieces: readonly Piece[]): readonly string[] => {
  const [first, second] = pieces;
  if (first?.kind === 'choice') return first.of.flatMap(of => beginnings(of.length === 0 ? pieces.slice(1) : of));
  if (first?.kind !== 'text') return [''];
  return [/^--?$/.test(first.text) && second !== undefined ? '-x' : first.text];
};

/** The option that words such as `-n`, `--color=never`, `-U<int>` or `{-a,-r}` name together, or what is wrong. */
export const readOption = (terms: readonly Term[], source: string, column: number): Option | string => {
  const names: string[] = [];
  const glued: Glued[] = [];
  for (const term of terms) {
    const wrong = readNames(term, names, glued);
    if (wrong !== undefined) return wrong;
  }
  if (names.length > 0 && glued.length > 0) return `Write ${MIXED}, or two options.`;
  return { names, glued, source, column };
};

const MIXED = '-n|--lines <int>, which means every spelling of the value';

const readNames = (term: Term, names: string[], glued: Glued[]): string | undefined => {
  if (!isOption(term)) return 'Only names of one option are joined by "|"; alternatives of a word are written {a,b}.';
  const letter = attachedLetter(term.pieces);
  if (letter !== undefined) {
    const values = shapesOf(letter.rest);
    for (const rest of values ?? []) glued.push({ prefix: letter.name, rest });
    return values === undefined ? TOO_MANY : undefined;
  }
  const shapes = shapesOf(term.pieces);
  if (shapes === undefined) return TOO_MANY;
  for (const shape of shapes) {
    const wrong = readName(shape, names, glued);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

/** `-U<int>`, `-u{no,all}`: one letter and then anything but characters. */
const attachedLetter = (pieces: readonly Piece[]): { name: string; rest: readonly Piece[] } | undefined => {
  const [first, ...rest] = pieces;
  if (first?.kind !== 'text' || first.text.length !== 2 || first.text === '--' || rest.length === 0) return undefined;
  return { name: first.text, rest };
};

const readName = (shape: Shape, names: string[], glued: Glued[]): string | undefined => {
  const exact = textOf(shape);
  const [first, ...rest] = shape;
  if (exact !== undefined) names.push(exact);
  else if (first?.kind !== 'text') return 'An option begins with its own name.';
  else if (first.text.indexOf('=') > 0) glued.push({ prefix: first.text, rest });
  else if (first.text === '-' && rest[0]?.kind === 'slot' && rest[0].slot.kind === 'int' && rest.length === 1)
    glued.push({ prefix: '-', rest });
  else return 'Write every option by its full name; "*" and placeholders stand only after "=" or one letter.';
  return undefined;
};
