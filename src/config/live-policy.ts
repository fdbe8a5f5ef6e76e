import { InvalidFile, type Problem } from '../errors.ts';
import { compile } from '../policy/compile.ts';
import type { Policy } from '../policy/decide.ts';
import { SERVED } from '../tools/known.ts';
import type { Sight } from './watch.ts';

/** What became of a document: it is in force, or another one stays there for these reasons. */
export type News<Was extends Policy | undefined = Policy> =
  | { readonly taken: true; readonly policy: Policy; readonly was: Policy | Was }
  | { readonly taken: false; readonly policy: Policy | Was; readonly problems: readonly [Problem, ...Problem[]] };

/** Compiles a document; with a pin, only the one of that digest. Throws `InvalidFile` with every problem. */
export const compilePinned = (text: string, file: string, pin: string | undefined): Policy => {
  const policy = compile(text, file, SERVED);
  if (pin === undefined || policy.digest === pin) return policy;
  throw new InvalidFile([problem(file, `is ${policy.digest}, and only ${pin} may be in force`)]);
};

/** A policy that follows its file: what replaces it is whole and sound, or does not replace it. */
export class LivePolicy<First extends Policy | undefined = Policy> {
  readonly #file: string;
  readonly #pin: string | undefined;
  #policy: Policy | First;

  constructor(file: string, policy: First, pin?: string) {
    this.#file = file;
    this.#policy = policy;
    this.#pin = pin;
  }

  /** The one in force. */
  get policy(): Policy | First {
    return this.#policy;
  }

  /** Puts what was found into force, in one step, if it may be; never throws: even a defect in compiling leaves the last one there. */
  take(sight: Sight): News<First> {
    const was = this.#policy;
    const kept = (first: Problem, ...rest: Problem[]): News<First> => ({
      taken: false,
      policy: was,
      problems: [first, ...rest],
    });
    if (sight.kind === 'absent') return kept(problem(this.#file, 'does not exist'));
    if (sight.kind === 'refused') return kept(problem(this.#file, `cannot be trusted: ${sight.message}`));
    try {
      const policy = compilePinned(sight.text, this.#file, this.#pin);
      this.#policy = policy;
      return { taken: true, policy, was };
    } catch (error) {
      const [first, ...rest] = error instanceof InvalidFile ? error.problems : [];
      return kept(first ?? problem(this.#file, `cannot be compiled: ${String(error)}`), ...rest);
    }
  }
}

const problem = (file: string, message: string): Problem => ({ file, line: 1, column: 1, pointer: '', message });
