/** The candidate that a mistyped word most likely means, or undefined when none is close: one slip in three letters at most. */
export const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = distance(wanted, candidate.toLowerCase());
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
};

/** `; did you mean "x"?`, or nothing when no candidate is close. */
export const didYouMean = (word: string, candidates: readonly string[]): string => {
  const near = nearest(word, candidates);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
};

const LONGEST = 64;

/** Insertions, deletions, substitutions and swaps of neighbours between two words. */
const distance = (a: string, b: string): number => {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const kept = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(kept, at(row, j) + 1, at(next, j - 1) + 1, swapped ? at(above, j - 2) + 1 : Infinity));
    }
    [above, row] = [row, next];
  }
  return at(row, b.length);
};

const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;
