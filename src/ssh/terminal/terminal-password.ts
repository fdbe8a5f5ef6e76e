import type { Program } from '../../call.ts';
import type { Secret } from '../secret.ts';
import type { TerminalLook } from './terminal.ts';

/** Answers a question for a password on one terminal, and is told of what could not be fetched. */
export type PasswordAnswer = {
  /** Types the password when this is what it is for; says whether it did. Never rejects. */
  readonly to: (look: TerminalLook, type: (text: string) => void) => Promise<boolean>;
};

/** One simple command in the canonical form: words in quotes, and nothing between them. */
const SUDO = /^'sudo'(?: '[^']*')+$/;

/**
 * The answer to `sudo`, once, where the terminal is one of a program that rules granted by its words: an agent that may run anything could
 * put another `sudo` in its place and be told the password. A second question means that it was wrong.
 */
export const answerTo = (
  program: Program | undefined,
  password: Secret | undefined,
  failed: (error: unknown) => void,
): PasswordAnswer | undefined => {
  if (password === undefined || program === undefined || !('canonical' in program)) return undefined;
  if (!SUDO.test(program.canonical)) return undefined;
  let given = false;
  return {
    to: async ({ state, foreground }, type) => {
      if (given || state !== 'password' || !foreground.includes('sudo')) return false;
      given = true;
      try {
        const text = await password.reveal();
        type(`${text}\r`);
        return true;
      } catch (error) {
        failed(error);
        return false;
      }
    },
  };
};
