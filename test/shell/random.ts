/** Uniform choices from a printed seed: sfc32, whose period is far beyond any campaign. */
export type Dice = {
  /** An integer from 0 up to, without, `below`. */
  readonly below: (below: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
  /** True once in so many times. */
  readonly once: (inTimes: number) => boolean;
};

/** The same seed throws the same. */
export const dice = (seed: number): Dice => {
  let a = seed | 0;
  let b = (seed / 0x1_0000_0000) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 16; round += 1) next();
  const below = (limit: number): number => Math.floor((next() / 0x1_0000_0000) * limit);
  const pick = <T>(from: readonly T[]): T => {
    const one = from[below(from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  };
  return { below, pick, once: inTimes => below(inTimes) === 0 };
};
