import { shapesOf } from './shape.ts';
import type { Shape, Slot, Term } from './syntax.ts';
import { compileTerm } from './word.ts';

/** Examples of one word of a synopsis: every alternative, both bounds of a number, paths near and deep. */
export const wordsOf = (term: Pick<Term, 'pieces' | 'source'>): readonly string[] => {
  const matcher = compileTerm(term);
  if (typeof matcher === 'string') return [];
  const words = (shapesOf(term.pieces) ?? []).flatMap(shape => ofShape(shape));
  return [...new Set(words)].filter(word => matcher.test(word));
};

const ofShape = (shape: Shape): readonly string[] =>
  shape.reduce<readonly string[]>(
    (heads, piece) => heads.flatMap(head => ofPiece(piece).map(tail => head + tail)),
    [''],
  );

const ofPiece = (piece: Shape[number]): readonly string[] => {
  if (piece.kind === 'text') return [piece.text];
  return piece.kind === 'run' ? ['x', ''] : ofSlot(piece.slot);
};

const ofSlot = (slot: Slot): readonly string[] => {
  switch (slot.kind) {
    case 'int':
      return [slot.min, Math.min(slot.max, Math.max(slot.min, 1)), slot.max].map(String);
    case 'name':
      return ['web', 'a.b@c:d-e'];
    case 'duration':
      return ['5s', '1h'];
    case 'any':
      return ['x', '/etc/x', 'a b; c'];
    case 'command':
      return [];
    case 'path':
    case 'relpath':
      return ofPath(slot.pattern);
    case 're':
      return [slot.pattern, ...GUESSES];
  }
};

const ofPath = (pattern: string): readonly string[] =>
  alternatives(pattern).flatMap(text =>
    ['x', 'x/y', ''].map(deep => text.replaceAll('**', deep).replaceAll('*', 'x').replaceAll('?', 'x')),
  );

/** `{a,b}` is either. */
const alternatives = (text: string): readonly string[] => {
  const [, head, inside, tail] = /^([^{]*)\{([^{}]*)\}(.*)$/.exec(text) ?? [];
  if (head === undefined || inside === undefined || tail === undefined) return [text];
  return inside.split(',').flatMap(each => alternatives(`${head}${each}${tail}`));
};

/** What regular expressions of synopses are usually about; those that do not fit are left out. */
const GUESSES: readonly string[] = [
  '{print $1}',
  '$1>5',
  ...'x a A 0 1 9 10 80 100 -1 +1 1h 5m 1.5 a,b 1,2 a=b x=1 a:b a/b a.b a-b a_b %p %H today now yesterday 2026-01-01 10:00 2026-01-01T10:00:00 10.0.0.1 localhost http://localhost/ http://localhost:8080/health main HEAD v1.0 1a2b3c4d s/a/b/ 1p 1,5p sport=:80 tcp running all json yaml wide pid'.split(
    ' ',
  ),
];
