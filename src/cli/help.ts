import { COMMANDS, COMMON, type Command, type Flags } from './commands.ts';
import { TWINS } from './options.ts';

/** The help of the whole program: three examples first. */
export const overview = (): string => {
  const width = Math.max(...COMMANDS.map(command => command.words.join(' ').length));
  return [
    'Sallyport: an SSH MCP server with the policy built in.',
    '',
    'Examples:',
    '  sallyport init --host web=deploy@10.0.0.5    write a first configuration and policy',
    '  sallyport doctor                             check that everything is in place',
    '  sallyport serve                              serve MCP on stdin and stdout (what clients start)',
    '',
    'Commands:',
    ...COMMANDS.map(command => `  ${command.words.join(' ').padEnd(width)}  ${command.about}`),
    '',
    ...flagLines('Flags, before or after the command, and their twins in the environment:', COMMON),
    '',
    'sallyport COMMAND --help shows the flags of one command.',
    'Without a command: this help on a terminal, otherwise serve.',
    'Exit codes: 0 ok, 1 the answer is no, 2 usage, 3 invalid configuration or policy, 4 environment, 130 interrupted.',
    '',
  ].join('\n');
};

/** The help of a group of commands. */
export const groupHelp = (group: readonly Command[]): string =>
  [
    'Examples:',
    ...group.flatMap(({ examples }) => examples.slice(0, group.length > 1 ? 1 : 3)).map(example => `  ${example}`),
    '',
    'Commands:',
    ...group.map(command => `  sallyport ${command.words.join(' ')} ${command.synopsis}`.trimEnd()),
    '',
    'sallyport COMMAND --help shows the flags of one command.',
    '',
  ].join('\n');

/** The help of one command: three examples first. */
export const commandHelp = (command: Command): string =>
  [
    `${capital(command.about)}.`,
    '',
    'Examples:',
    ...command.examples.map(example => `  ${example}`),
    '',
    `Usage: sallyport ${command.words.join(' ')} ${command.synopsis}`.trimEnd(),
    '',
    ...(Object.keys(command.flags).length === 0 ? [] : [...flagLines('Flags:', command.flags), '']),
    ...flagLines('Flags of every command, and their twins in the environment:', COMMON),
    '',
  ].join('\n');

const flagLines = (title: string, flags: Flags): readonly string[] => {
  const rows = Object.entries(flags).map(([name, flag]) => ({
    left: `${flag.short === undefined ? '' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
    right: `${flag.about}${twinOf(name)}`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [title, ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`)];
};

const twinOf = (name: string): string => {
  const twin = Object.entries(TWINS).find(([flag]) => flag === name)?.[1];
  return twin === undefined ? '' : ` (${twin})`;
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
