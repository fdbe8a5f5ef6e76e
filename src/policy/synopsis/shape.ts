import type { Piece, Shape } from './syntax.ts';

const MAX_SHAPES = 256;

/** What to say when `shapesOf` knows no answer. */
export const TOO_MANY = 'This stands for more than 256 words.';

/** Every shape that a word's choices allow, or undefined when there are more than 256. */
export const shapesOf = (pieces: readonly Piece[]): readonly Shape[] | undefined => {
  if (pieces.every(isDecided)) return [pieces];
  let shapes: readonly Shape[] = [[]];
  for (const piece of pieces) {
    const tails = piece.kind === 'choice' ? choices(piece.of) : [[piece]];
    if (tails === undefined || shapes.length * tails.length > MAX_SHAPES) return undefined;
    shapes = shapes.flatMap(head => tails.map(tail => joined(head, tail)));
  }
  return shapes;
};

const isDecided = (piece: Piece): piece is Shape[number] => piece.kind !== 'choice';

const choices = (of: readonly (readonly Piece[])[]): readonly Shape[] | undefined => {
  const all: Shape[] = [];
  for (const pieces of of) {
    const shapes = shapesOf(pieces);
    if (shapes === undefined) return undefined;
    all.push(...shapes);
  }
  return all;
};

const joined = (head: Shape, tail: Shape): Shape => {
  const last = head.at(-1);
  const first = tail[0];
  if (last === undefined) return tail;
  if (last.kind !== 'text' || first?.kind !== 'text') return [...head, ...tail];
  return [...head.slice(0, -1), { kind: 'text', text: last.text + first.text }, ...tail.slice(1)];
};

/** The text of a shape that is nothing but characters; an empty word is the empty text. */
export const textOf = (shape: Shape): string | undefined => {
  const [first, ...more] = shape;
  if (first === undefined) return '';
  return first.kind === 'text' && more.length === 0 ? first.text : undefined;
};
