import { setMaxListeners } from 'node:events';
import { Failure } from '../errors.ts';
import type { Asked } from '../gate/request.ts';
import { namesIn, namesNothing, type Roll } from './roll.ts';
import { tallyOf } from './tally.ts';
import type { Caller, House } from './tool.ts';

/** The most hosts of one call: so many answers fit into one result with a line of output for each. */
export const MOST_HOSTS = 100;

/** What became of one host's part of a call. */
export type Part<T> = { readonly host: string } & ({ readonly value: T } | { readonly failure: Failure });

/**
 * The hosts of a call for many. Refuses the whole call, in which nothing ran then: when its tool refuses every one of them,
 * when an entry names nothing, when they are too many. An entry that the tool refuses as it stands is not told whether it exists.
 */
export const hostsFor = (asked: Asked, entries: readonly string[], { gate, fleet }: House): readonly string[] => {
  const roll: Roll = { targets: fleet.directory.targets(), sets: gate.sets() };
  const names = namesIn(entries, roll);
  // Of a great many the first tell whether this caller may ask at all.
  const screened = names.slice(0, MOST_HOSTS).map(host => ({ ...asked.input, host }));
  const refused = gate.screen(asked, screened);
  const known = new Set(roll.targets.map(({ host }) => host));
  const nothing = names.find((name, index) => !known.has(name) && refused[index] === false);
  const failure = nothing === undefined ? tooMany(names.length) : namesNothing(nothing, roll);
  if (failure === undefined) return names;
  gate.hear({ ...asked, arguments: Object.keys(asked.input) }, failure);
  throw failure;
};

const tooMany = (count: number): Failure | undefined =>
  count <= MOST_HOSTS
    ? undefined
    : new Failure('INVALID_INPUT', `These are ${count} hosts, and one call is for ${MOST_HOSTS} at most.`, {
        next: 'Nothing ran. Ask for some of them at a time.',
      });

/**
 * Does a thing on every host at once, each under an id of its own below the call's, and waits for all of them: a failure
 * stands in the place of its host and hides no other.
 */
export const onEach = async <T>(
  hosts: readonly string[],
  caller: Caller,
  one: (host: string, caller: Caller) => Promise<T>,
  wordOf: (value: T) => string,
): Promise<readonly Part<T>[]> => {
  const tally = tallyOf(hosts.length, caller.progress);
  // Every part listens to it until its end: as many as there are, and no leak.
  setMaxListeners(0, caller.signal);
  const partOf = async (host: string, index: number): Promise<Part<T>> => {
    const own = { ...caller, id: `${caller.id}.${index + 1}`, progress: () => undefined };
    try {
      const value = await one(host, own);
      tally.ended(host, wordOf(value));
      return { host, value };
    } catch (error) {
      const failure = caller.failureOf(error);
      tally.ended(host, failure.code);
      return { host, failure };
    }
  };
  const parts = await Promise.all(hosts.map(partOf));
  tally.stop();
  return parts;
};
