import { TELL_MS } from './wait.ts';

/** Counts what has ended of many, and says so: at each end, and once in a while so that nobody takes the call for dead. */
export type Tally = { readonly ended: (host: string, how: string) => void; readonly stop: () => void };

/** Begins to count. */
export const tallyOf = (all: number, say: (message: string) => void): Tally => {
  let count = 0;
  let last = '';
  const tell = (): void => say(`${count} of ${all} hosts ended${last}`);
  const ticker = setInterval(tell, TELL_MS);
  return {
    ended: (host, how) => {
      count += 1;
      last = `; ${host} ${how}`;
      tell();
    },
    stop: () => clearInterval(ticker),
  };
};
