/** The middle of a sample, and what one in a hundred exceeds. */
export type Figures = { readonly n: number; readonly min: number; readonly p50: number; readonly p99: number };

/** Of a sample that is not empty. */
export const figuresOf = (sample: readonly number[]): Figures => {
  const sorted = [...sample].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { n: sorted.length, min: at(0), p50: at(0.5), p99: at(0.99) };
};

/** Times `work` once, in milliseconds. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

/** Runs every contender in turn, `rounds` times, so that a change of the machine's mood hits all of them alike. */
export const inTurn = async <Name extends string>(
  contenders: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
): Promise<Readonly<Record<string, Figures>>> => {
  const names = Object.keys(contenders);
  const samples = new Map<string, number[]>(names.map(name => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, work] of shuffled(Object.entries<() => Promise<unknown>>(contenders), round))
      samples.get(name)?.push(await timed(work));
  return Object.fromEntries(names.map(name => [name, figuresOf(samples.get(name) ?? [])]));
};

/** A rotation is shuffle enough: over the rounds each contender follows each other one. */
const shuffled = <T>(list: readonly T[], round: number): readonly T[] => {
  const turn = round % list.length;
  const rotated = [...list.slice(turn), ...list.slice(0, turn)];
  return Math.floor(round / list.length) % 2 === 0 ? rotated : rotated.reverse();
};

/** `1.23 ms`. */
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

/** `1.23x`. */
export const ratio = (value: number, of: number): string => `${(value / of).toFixed(2)}x`;
