import { q } from '../shell/quote.ts';

/** A word as a person would type it: quoted where a shell would read it otherwise. */
export const shellWord = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : q(word));
