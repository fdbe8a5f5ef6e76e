import { compileCovers, type Place } from './rules/place.ts';
import type { RawHostSets } from './rules/schema.ts';

/** The named sets of hosts of a document: which places each of them means. */
export type HostSets = ReadonlyMap<string, (place: Place) => boolean>;

/** Compiles them; a set means what it means in a rule. */
export const compileHostSets = (sets: RawHostSets): HostSets =>
  new Map(Object.keys(sets).map(name => [name, compileCovers({ hosts: [name] }, sets)]));
