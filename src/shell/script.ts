/**
 * A word as far as it can be seen: `whole`, or only how it begins. One that is not whole may stand for any number
 * of words, each of which begins with `text`.
 */
export type Glimpse = { readonly text: string; readonly whole: boolean };

/** A word whose every character is known; `at` is its offset in the text. */
export type Literal = { readonly whole: true; readonly text: string; readonly at: number };

/** A piece of a pattern: `*`, `?`, a bracket such as `[!a-f0-9]` exactly as it is written, or characters that mean themselves. */
export type Part =
  | { readonly kind: 'many' }
  | { readonly kind: 'one' }
  | { readonly kind: 'set'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string };

/** A word with an unquoted pattern: `text` is what stands before the pattern. Without a match the shell passes it as it is. */
export type Glob = {
  readonly whole: false;
  readonly text: string;
  readonly parts: readonly [Part, ...Part[]];
  readonly at: number;
};

/** One word of a simple command. */
export type Word = Literal | Glob;

/** Opens a file for input or output, or makes one output the same as the other; in the order written. */
export type Redirect =
  | { readonly op: '<'; readonly fd: 0; readonly target: Literal; readonly at: number }
  | { readonly op: '>' | '>>'; readonly fd: 1 | 2; readonly target: Literal; readonly at: number }
  | { readonly op: 'dup'; readonly fd: 1 | 2; readonly target: 1 | 2; readonly at: number };

/** A program and its arguments; the first word is always whole. */
export type Simple = {
  readonly words: readonly [Literal, ...Word[]];
  readonly redirects: readonly Redirect[];
};

/** How a pipeline hangs on the one before it; the first has `;`, and a newline means `;` too. */
export type Join = ';' | '&&' | '||';

/** Commands joined by `|`, each reading what the one before it writes. */
export type Pipeline = { readonly join: Join; readonly commands: readonly [Simple, ...Simple[]] };

/** A whole command text: all that a POSIX-family shell would start, in order. */
export type Script = { readonly pipelines: readonly [Pipeline, ...Pipeline[]] };

/** A text of which every word is known, in the order a shell would read it. */
export type Known = { readonly kind: 'known'; readonly script: Script };

/**
 * A text of which not every word is known: the first construct in the way, its place (`at` is an offset, line and
 * column count from 1; of a vector `at` is the word's index), and how to write it instead. `guess` is every simple
 * command that can be seen, to restrain by and never to grant by.
 */
export type Unknown = {
  readonly kind: 'unknown';
  readonly construct: Construct;
  readonly hint: string;
  readonly at: number;
  readonly line: number;
  readonly column: number;
  readonly guess: readonly (readonly Glimpse[])[];
};

/** What is known of a command text. */
export type Analysis = Known | Unknown;

/** Every simple command of a script, in order. */
export const commandsOf = ({ pipelines: [first, ...more] }: Script): readonly Simple[] =>
  more.length === 0 ? first.commands : [first, ...more].flatMap(({ commands }) => commands);

/** How much is looked at: bytes of UTF-8, simple commands, and words with redirections. What is more is unknown. */
export const MAX_BYTES = 65_536;
/** See {@link MAX_BYTES}. */
export const MAX_COMMANDS = 64;
/** See {@link MAX_BYTES}. */
export const MAX_WORDS = 1024;

/** What the reader does not look through, and what to write instead. */
export const CONSTRUCTS = {
  'nothing to run': 'Write a command.',
  'a text that is too long': 'Keep it below 65,536 bytes, 64 commands and 1,024 words, or upload a script.',
  'a control character': 'Only tab and newline may stand in a command.',
  'an invisible or unassigned character': 'Write it with visible characters.',
  'an unquoted character outside ASCII': 'Put the word in single quotes.',
  'a newline inside a word': 'Use one line for each command; upload a file for text of several lines.',
  'a quote that is not closed': 'Close the quote.',
  'a backslash at the end': 'Remove it, or continue the line.',
  'a backslash before a newline in an unusual place': 'Join the lines.',
  'an expansion': 'Nothing is expanded: write the value itself, or use single quotes to mean the character $.',
  'a command substitution': 'Run the inner command in a call of its own and write its output.',
  'a pattern that cannot be kept': 'Quote it, or use only *, ? and plain sets such as [a-z0-9] in an argument.',
  'a brace': 'Write every word out, or quote the brace.',
  'a tilde': 'Write the absolute path, or quote the tilde.',
  'an exclamation mark': 'Quote it.',
  'an equals sign before a word': 'Quote it.',
  'a parenthesis': 'Run the inner commands in a call of their own, or quote the parenthesis.',
  'a background command': 'Leave out the &: a long command is handed over as running by itself.',
  'a here-document': 'Pass the input as the stdin argument.',
  'a redirection of this form': 'Use <FILE, >FILE, >>FILE, 2>FILE, 2>>FILE, 2>&1, >&2 or, last, &>FILE.',
  'a redirection to the network': 'Use a tool that opens connections.',
  'a redirection without a command': 'Write the command that it is for.',
  'an assignment': 'Pass it in the env argument.',
  'a reserved word': 'Run each command in a call of its own, or quote the word if it is a program.',
  'a command name of this form': 'Write the name of the program itself.',
  'an operator without a command': 'Write a command on both sides of it.',
} as const satisfies Record<string, string>;

/** The name of what stands in the way. */
export type Construct = keyof typeof CONSTRUCTS;
