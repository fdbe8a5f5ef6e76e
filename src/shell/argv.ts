import { forbiddenIn } from './alphabet.ts';
import { troubleWithName } from './name.ts';
import { type Analysis, CONSTRUCTS, type Construct, type Literal, MAX_BYTES, MAX_WORDS } from './script.ts';

/** A vector of words as a script of one command; unknown when it has a word that not every login shell can pass on. */
export const fromArgv = (argv: readonly [string, ...string[]]): Analysis => {
  const literal = (text: string, at: number): Literal => ({ whole: true, text, at });
  const [name, ...operands] = argv;
  const trouble = troubleWith(argv);
  if (trouble === undefined) {
    const words = [literal(name, 0), ...operands.map((text, index) => literal(text, index + 1))] as const;
    return { kind: 'known', script: { pipelines: [{ join: ';', commands: [{ words, redirects: [] }] }] } };
  }
  const { construct, at } = trouble;
  const guess = [argv.map(text => ({ text, whole: true }))];
  return { kind: 'unknown', construct, hint: CONSTRUCTS[construct], at, line: 1, column: at + 1, guess };
};

const troubleWith = (argv: readonly string[]): { construct: Construct; at: number } | undefined => {
  if (argv.length > MAX_WORDS || argv.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) > MAX_BYTES) {
    return { construct: 'a text that is too long', at: 0 };
  }
  for (const [at, text] of argv.entries()) {
    const construct =
      (at === 0 ? troubleWithName(text) : undefined) ??
      forbiddenIn(text)?.construct ??
      (text.includes('\n') ? 'a newline inside a word' : undefined);
    if (construct !== undefined) return { construct, at };
  }
  return undefined;
};
