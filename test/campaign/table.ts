import type { Login } from './ground.ts';
import { type Batch, type Case, WAYS } from './stops.ts';
import { TREES } from './trees.ts';

/** So many trees are stopped on one connection at once: a host has five lanes, and a managed session needs one to begin. */
const BATCH = 4;

const SETTINGS = [false, true].flatMap(ordinary =>
  [false, true].flatMap(terminal => [false, true].map(warden => ({ ordinary, terminal, warden }))),
);

const loginOf = (ordinary: boolean, asRoot: boolean, logins: readonly Login[]): Login =>
  ordinary && !asRoot && logins.includes('ordinary') ? 'ordinary' : 'own';

/** Every tree by every way, and under all that each pair of them is met with: two logins, a terminal or none, a warden or none. */
export const covering = (logins: readonly Login[]): readonly Case[] =>
  TREES.flatMap((tree, row) =>
    WAYS.map((way, column) => {
      const setting = SETTINGS[(row + 3 * column) % SETTINGS.length] ?? {
        ordinary: false,
        terminal: false,
        warden: true,
      };
      const { ordinary, terminal, warden } = setting;
      return { tree, way, login: loginOf(ordinary, tree.asRoot === true, logins), terminal, warden };
    }),
  );

/** The whole product. */
export const everything = (logins: readonly Login[]): readonly Case[] =>
  TREES.flatMap(tree =>
    WAYS.flatMap(way =>
      SETTINGS.filter(({ ordinary }) => !ordinary || (logins.includes('ordinary') && tree.asRoot !== true)).map(
        ({ ordinary, terminal, warden }) => ({
          tree,
          way,
          login: loginOf(ordinary, tree.asRoot === true, logins),
          terminal,
          warden,
        }),
      ),
    ),
  );

/** Puts together what can be stopped together. */
export const batchesOf = (cases: readonly Case[]): readonly Batch[] => {
  const alike = new Map<string, Case[]>();
  for (const one of cases) {
    const key = JSON.stringify([one.way, one.login, one.warden]);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  return [...alike.values()].flatMap(group =>
    Array.from({ length: Math.ceil(group.length / BATCH) }, (_, at) => {
      const part = group.slice(at * BATCH, (at + 1) * BATCH);
      const [first] = part;
      if (first === undefined) throw new Error('a batch without a case');
      const { way, login, warden } = first;
      return { way, login, warden, cases: part };
    }),
  );
};

/** Runs work on a list, so many at a time, and gives the results in the order in which they came. */
export const inParallel = async <T, R>(
  list: readonly T[],
  width: number,
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> => {
  const waiting = [...list];
  const results: R[] = [];
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) results.push(await work(one));
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
};
