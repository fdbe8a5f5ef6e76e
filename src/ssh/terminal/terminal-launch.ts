import type { Program } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { scriptText } from '../command/launch.ts';
import { MARK_NAME, type Mark } from '../command/mark.ts';

/** What runs on a terminal: a program, or the account's login shell. */
export type Inhabitant = Program | 'shell';

/** Linux takes no single argument over 128 KiB, and the login shell gets the whole command line as one. */
const LONGEST = 120_000;

/**
 * The command line that makes the far login shell run something on the terminal of its channel, under its mark. First a line
 * with the nonce says which terminal that is, and by which pid: the program keeps it. `INVALID_INPUT` for what no command line can carry.
 */
export const terminalText = (inhabitant: Inhabitant, mark: Mark, nonce: string): string => {
  const words = wordsOf(inhabitant);
  if (words.some(word => word.includes('\0')))
    throw new Failure('INVALID_INPUT', 'The program contains a NUL character, which no command line can carry.');
  const text = scriptText(scriptFor(inhabitant, mark), [nonce, ...words]);
  if (Buffer.byteLength(text) <= LONGEST) return text;
  throw new Failure('INVALID_INPUT', `The command line is longer than ${LONGEST} bytes once it is quoted.`, {
    next: 'Put the long part into a file on the host.',
  });
};

/** `$1` is the nonce, the rest the program. A mark is hexadecimal and may stand in a script. */
const scriptFor = (inhabitant: Inhabitant, mark: Mark): string =>
  [
    `export ${MARK_NAME}=${mark}`,
    `printf '%s %s %s\\n' "$1" "$(tty 2>/dev/null || echo -)" "$$"`,
    'shift',
    runOf(inhabitant),
  ].join('; ');

const runOf = (inhabitant: Inhabitant): string => {
  if (inhabitant === 'shell') return 'exec "${SHELL:-/bin/sh}" -l';
  if ('text' in inhabitant) return 'exec "${SHELL:-/bin/sh}" -c "$1"';
  return 'canonical' in inhabitant ? 'exec /bin/sh -c "$1"' : 'exec "$@"';
};

const wordsOf = (inhabitant: Inhabitant): readonly string[] => {
  if (inhabitant === 'shell') return [];
  // Shells take a text that begins with a dash or a plus for an option; a blank before it means nothing to any of them.
  if ('text' in inhabitant) return [inhabitant.text.replace(/^(?=[-+])/, ' ')];
  if ('canonical' in inhabitant) return [inhabitant.canonical];
  if (!inhabitant.argv[0].startsWith('-')) return inhabitant.argv;
  throw new Failure('INVALID_INPUT', 'A program whose name begins with - cannot be named in argv.', {
    next: 'Run it by command instead.',
  });
};
