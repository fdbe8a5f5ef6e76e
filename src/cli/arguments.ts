import { parseArgs } from 'node:util';
import { didYouMean, nearest } from '../text/nearest.ts';
import { COMMANDS, COMMON, type Command, type Flag, type Flags } from './commands.ts';
import { Usage } from './io.ts';

/** A command line taken apart: which command it names, and what was given to it. */
export type Typed = {
  /** Undefined when none was named. */
  readonly command: Command | undefined;
  /** The commands that begin with the word typed: all of them when none was. */
  readonly group: readonly Command[];
  /** How many words named the command. */
  readonly used: number;
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly rest: readonly string[] | undefined;
};

/** Takes a command line apart, strictly: whatever is unknown, missing or said twice throws a `Usage` naming the nearest. */
export const takeApart = (argv: readonly string[]): Typed => {
  const { tokens } = parseArgs({
    args: [...argv],
    options: PARSED,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const end = tokens.find(token => token.kind === 'option-terminator')?.index ?? argv.length;
  const words = tokens.flatMap(token => (token.kind === 'positional' && token.index < end ? [token.value] : []));
  for (const token of tokens)
    if (token.kind === 'option' && !Object.hasOwn(EVERY, token.name)) throw unknownFlag(token, EVERY);
  const { command, group, used } = commandOf(words);
  // Without a word it may be the server that is meant, as a client starts it.
  const meant = command ?? (words.length === 0 ? COMMANDS.find(({ serves }) => serves === true) : undefined);
  const known: Flags = { ...COMMON, ...meant?.flags };
  const flags = new Map<string, readonly string[]>();
  for (const token of tokens) if (token.kind === 'option') take(flags, token, known);
  return {
    command,
    group,
    used,
    flags,
    operands: words.slice(used),
    rest: end === argv.length ? undefined : argv.slice(end + 1),
  };
};

/** Refuses too few or too many operands; apart, because `--help` asks for none. */
export const checkOperands = (command: Command, { operands, rest }: Typed): void => {
  const name = command.words.join(' ');
  const usage = `usage: sallyport ${name} ${command.synopsis}`.trimEnd();
  const surplus = operands[command.operands.max];
  if (operands.length < command.operands.min) throw new Usage(`${name} needs one more word; ${usage}`);
  if (surplus !== undefined) throw new Usage(`${name} does not take ${quoted(surplus)}; ${usage}`);
  if (rest !== undefined && command.operands.rest !== true) throw new Usage(`${name} takes nothing after --; ${usage}`);
};

type Token = {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
};

const take = (flags: Map<string, readonly string[]>, token: Token, known: Flags): void => {
  const flag = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
  if (flag === undefined) throw unknownFlag(token, known);
  const before = flags.get(token.name);
  if (before !== undefined && flag.many !== true) throw new Usage(`--${token.name} was given twice`);
  flags.set(token.name, [...(before ?? []), ...argumentOf(token, flag)]);
};

const unknownFlag = ({ name, rawName }: Token, known: Flags): Usage => {
  const near = nearest(name, Object.keys(known));
  return new Usage(`unknown flag ${quoted(rawName)}${near === undefined ? '' : `; did you mean "--${near}"?`}`);
};

const argumentOf = ({ name, value, inlineValue }: Token, flag: Flag): readonly string[] => {
  if (flag.value === undefined) {
    if (value !== undefined) throw new Usage(`--${name} takes no value`);
    return [];
  }
  if (value === undefined || value === '') throw new Usage(`--${name} needs a value: --${name} ${flag.value}`);
  if (inlineValue === false && value.startsWith('-'))
    throw new Usage(`--${name} needs a value: write --${name}=${value} if it is ${quoted(value)}`);
  return [value];
};

/** Every flag of every command: the parser must know which take a value before the command is known. */
const EVERY: Flags = Object.assign({}, COMMON, ...COMMANDS.map(command => command.flags));

const PARSED = Object.fromEntries(
  Object.entries(EVERY).map(([name, { value, short }]) => [
    name,
    {
      type: value === undefined ? ('boolean' as const) : ('string' as const),
      ...(short === undefined ? {} : { short }),
    },
  ]),
);

type Named = { readonly command?: Command; readonly group: readonly Command[]; readonly used: number };

/** The command that the first words name, and how many they are; a group alone names the one that lists, if it has one. */
const commandOf = (words: readonly string[]): Named => {
  const [first, second] = words;
  if (first === undefined) return { group: COMMANDS, used: 0 };
  const group = COMMANDS.filter(command => command.words[0] === first);
  if (group.length === 0) throw new Usage(unknown('command', first, [...new Set(COMMANDS.map(topOf))]));
  const wanted = second ?? 'list';
  const command = group.find(({ words: [, part] }) => part === undefined || part === wanted);
  if (command !== undefined) return { command, group, used: second === undefined ? 1 : command.words.length };
  if (second === undefined) return { group, used: 1 };
  throw new Usage(unknown(`command of ${first}`, second, group.map(partOf)));
};

const topOf = (command: Command): string => command.words[0];
const partOf = (command: Command): string => command.words[1] ?? '';

const unknown = (what: string, word: string, known: readonly string[]): string =>
  `unknown ${what} ${quoted(word)}${didYouMean(word, known) || `; there are ${known.join(', ')}`}`;

/** Text from outside inside a message: quoted, cut, and without control characters. */
const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
