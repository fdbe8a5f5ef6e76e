import type { Glimpse } from '../../shell/script.ts';
import type { Pattern } from './pattern.ts';

/** A pattern, and whose it is. */
export type Owned<T> = { readonly pattern: Pattern; readonly of: T };

/** Patterns by program and by one of the words that they need, so that a thousand cost no more than a few. */
export type ProgramIndex<T> = {
  /** Every pattern for this program. */
  readonly named: (program: string) => readonly Owned<T>[];
  /** Every pattern that these words could certainly match, in no order; more than those. */
  readonly certain: (words: readonly Glimpse[]) => readonly Owned<T>[];
  /** Every pattern that these words could possibly match, whatever the folder of the program; more than those. */
  readonly possible: (words: readonly Glimpse[]) => readonly Owned<T>[];
};

type Shelf<T> = {
  readonly all: readonly Owned<T>[];
  /** Those that need no word in particular. */
  readonly plain: Owned<T>[];
  readonly keyed: Map<string, Owned<T>[]>;
};
type Shelves<T> = ReadonlyMap<string, Shelf<T>>;

/** The index of these patterns. */
export const indexPrograms = <T>(items: readonly Owned<T>[]): ProgramIndex<T> => {
  const open = items.filter(({ pattern }) => !pattern.program.closed);
  const named = shelve(items, name => name);
  const based = shelve(items, baseOf);
  return {
    named: program => [...(named.get(program)?.all ?? []), ...open],
    certain: words => [...take(named.get(words[0]?.text ?? ''), words), ...open],
    possible: words => {
      const [program] = words;
      if (program === undefined || !program.whole) return items;
      return [...take(based.get(baseOf(program.text)), words), ...open];
    },
  };
};

const baseOf = (program: string): string => program.slice(program.lastIndexOf('/') + 1);

const shelve = <T>(items: readonly Owned<T>[], nameOf: (program: string) => string): Shelves<T> => {
  const byName = new Map<string, Owned<T>[]>();
  for (const item of items)
    for (const name of new Set([...item.pattern.program.literals].map(nameOf))) push(byName, name, item);
  return new Map([...byName].map(([name, its]) => [name, shelfOf(its)]));
};

const push = <T>(map: Map<string, T[]>, key: string, item: T): void => {
  const items = map.get(key);
  if (items === undefined) map.set(key, [item]);
  else items.push(item);
};

/** Each pattern under that of its needed words which the fewest others need. */
const shelfOf = <T>(items: readonly Owned<T>[]): Shelf<T> => {
  const counts = new Map<string, number>();
  for (const { pattern } of items)
    for (const word of pattern.needs.flatMap(words => [...words])) counts.set(word, (counts.get(word) ?? 0) + 1);
  const cost = (words: ReadonlySet<string>): number => Math.max(...[...words].map(word => counts.get(word) ?? 0));
  const shelf: Shelf<T> = { all: items, plain: [], keyed: new Map() };
  for (const item of items) {
    const [key] = [...item.pattern.needs].sort((a, b) => cost(a) - cost(b));
    if (key === undefined) shelf.plain.push(item);
    else for (const word of key) push(shelf.keyed, word, item);
  }
  return shelf;
};

/** What a shelf holds for these words; a word that cannot be seen whole may be any of those needed. */
const take = <T>(shelf: Shelf<T> | undefined, words: readonly Glimpse[]): Iterable<Owned<T>> => {
  if (shelf === undefined || shelf.keyed.size === 0) return shelf?.plain ?? [];
  const found = new Set(shelf.plain);
  for (const { text, whole } of words) {
    const lists = whole ? [shelf.keyed.get(text) ?? []] : shelf.keyed.values();
    for (const items of lists) for (const item of items) found.add(item);
    if (!whole) break;
  }
  return found;
};
