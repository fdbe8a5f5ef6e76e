const MOST_NAMES = 64;
const LONGEST_NAME = 100;

/** A name that an agent chose, as far as the record keeps it: a hundred characters, and how many more there were. */
export const named = (name: string): string =>
  name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}… (${name.length})`;

/** Names that an agent chose, as far as the record keeps them: sixty-four, and how many more there were. */
export const listed = (names: readonly string[]): readonly string[] =>
  names.length <= MOST_NAMES
    ? names.map(named)
    : [...names.slice(0, MOST_NAMES).map(named), `… ${names.length - MOST_NAMES} more`];

/** The agent's own words about why it calls, where it gave some. */
export const wordsOf = (input: Readonly<Record<string, unknown>>): { readonly reason?: string } =>
  typeof input.reason === 'string' ? { reason: input.reason.slice(0, 500) } : {};
