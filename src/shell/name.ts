import type { Construct } from './script.ts';

/** Words that mean something else than a program in some POSIX-family shell, unless they are quoted. */
const RESERVED = new Set(
  (
    'if then else elif fi for foreach in do done end while until repeat case esac select ' +
    'function coproc time namespace nocorrect noglob'
  ).split(' '),
);

/** Whether an unquoted first word belongs to the grammar of some shell. */
export const isReserved = (word: string): boolean => RESERVED.has(word);

/** Why a first word is not simply the name of a program, however it is quoted. */
export const troubleWithName = (name: string): Construct | undefined => {
  if (name.startsWith('!')) return 'an exclamation mark';
  if (name.includes('=')) return 'an assignment';
  // `-` and `+` look like options to a shell, `%` like one of its jobs, and `name:` is a label in ksh93.
  return /^$|^[-+%]|.:$/.test(name) ? 'a command name of this form' : undefined;
};
