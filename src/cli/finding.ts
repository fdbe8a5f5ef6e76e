import { EXIT } from './io.ts';

/** One thing that doctor looked at. Whatever is not well says how to mend it. */
export type Finding = {
  readonly check: string;
  readonly status: 'ok' | 'advice' | 'wrong' | 'unavailable';
  readonly says: string;
  readonly mend?: string;
};

/** All is well. */
export const well = (check: string, says: string): Finding => ({ check, status: 'ok', says });
/** It works, and could be better. */
export const advice = (check: string, says: string, mend: string): Finding => ({ check, status: 'advice', says, mend });
/** Somebody must change a file. */
export const wrong = (check: string, says: string, mend: string): Finding => ({ check, status: 'wrong', says, mend });
/** The surroundings fail: a host, an agent, a disk. */
export const unavailable = (check: string, says: string, mend: string): Finding => ({
  check,
  status: 'unavailable',
  says,
  mend,
});

/** 4 when the surroundings fail, else 1 when something is wrong, else 0. */
export const exitOfFindings = (findings: readonly Finding[]): number => {
  if (findings.some(({ status }) => status === 'unavailable')) return EXIT.environment;
  return findings.some(({ status }) => status === 'wrong') ? EXIT.no : EXIT.ok;
};

const SHOWN = 4;

/** A list for a sentence: all of a few, and of many the first and how many more there are. */
export const few = (names: readonly string[], most = SHOWN): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** Things by what they have in common, in the order of their first appearance. */
export const grouped = <Thing>(
  things: readonly Thing[],
  keyOf: (thing: Thing) => string,
): ReadonlyMap<string, readonly Thing[]> => {
  const groups = new Map<string, Thing[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return groups;
};
