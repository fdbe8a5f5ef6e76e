/** What stands between two values: blanks, one line break, a comment to the line's end or within, a comma. */
export type Piece = {
  readonly kind: 'blank' | 'break' | 'line' | 'block' | 'comma';
  readonly start: number;
  readonly end: number;
};

const PIECE = /(?<break>\r\n|[\r\n])|(?<line>\/\/[^\r\n]*)|(?<block>\/\*[\s\S]*?\*\/)|(?<comma>,)|[^\r\n,/]+|\//gy;

/** What stands in a stretch of JSON with comments that holds no value, in its order and without a gap. */
export const piecesOf = (text: string, from: number, to: number): readonly Piece[] => {
  const pieces: Piece[] = [];
  for (const found of text.slice(from, to).matchAll(PIECE)) {
    const start = from + found.index;
    pieces.push({ kind: kindOf(found.groups ?? {}), start, end: start + found[0].length });
  }
  return pieces;
};

const kindOf = (groups: Readonly<Record<string, string | undefined>>): Piece['kind'] => {
  if (groups.break !== undefined) return 'break';
  if (groups.line !== undefined) return 'line';
  if (groups.block !== undefined) return 'block';
  return groups.comma === undefined ? 'blank' : 'comma';
};
