/** A small generator of whole numbers below a bound that is the same in every run with the same seed. */
export type Chance = (below: number) => number;

/** Mulberry32: every seed gives a sequence of its own, also neighbours. */
export const chance = (seed: number): Chance => {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

/** One of a list that is not empty. */
export const oneOf = <T>(next: Chance, list: readonly T[]): T => {
  const chosen = list[next(list.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
};
