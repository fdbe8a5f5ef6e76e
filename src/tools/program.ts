import * as z from 'zod';
import type { Program } from '../call.ts';

/** A program as a text; the tool says what for. */
export const command = z.string().min(1).max(65_536).optional();

/** A program as its words. */
export const argv = z
  .array(z.string().max(65_536))
  .min(1)
  .max(1024)
  .optional()
  .describe('Instead of command: program and arguments, exactly, without a shell.');

/** What the two say together, when exactly one of them is given. */
export const programOf = ({
  command,
  argv,
}: {
  readonly command?: string | undefined;
  readonly argv?: readonly string[] | undefined;
}): Program => {
  const [first, ...rest] = argv ?? [];
  return first === undefined ? { text: command ?? '' } : { argv: [first, ...rest] };
};
