import type { Random } from '../../call.ts';

declare const brand: unique symbol;

/** The value of `SALLYPORT_ID` in every process of one command: `<instance>.<command>`, 64 random bits each, in hex. */
export type Mark = string & { readonly [brand]: 'mark' };

/** The environment variable that carries a mark. */
export const MARK_NAME = 'SALLYPORT_ID';

const FORM = /^[0-9a-f]{16}\.[0-9a-f]{16}$/;

/** Whether the text has the form of a mark, and so may stand in a script. */
export const isMark = (text: string): text is Mark => FORM.test(text);

/** Marks of one process of ours: all begin alike, none occurs twice. */
export const createMarks = (random: Random): (() => Mark) => {
  const instance = hex(random);
  return () => {
    const mark = `${instance}.${hex(random)}`;
    if (!isMark(mark)) throw new Error('a random source must give eight bytes');
    return mark;
  };
};

const hex = (random: Random): string => random(8).toString('hex');
