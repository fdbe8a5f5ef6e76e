import { commandsOf, type Glob, type Script, type Simple, type Word } from '../../src/shell/script.ts';

/** The vectors that ran although the script does not have them, or not so often. */
export const unpredicted = (script: Script, ran: readonly (readonly string[])[]): readonly (readonly string[])[] => {
  const commands = commandsOf(script);
  const taken = new Map<number, readonly string[]>();
  return ran.filter(argv => !place(commands, argv, taken, new Set()));
};

/** Gives the vector a command of its own, moving others to another one that fits them too. */
const place = (
  commands: readonly Simple[],
  argv: readonly string[],
  taken: Map<number, readonly string[]>,
  tried: Set<number>,
): boolean =>
  commands.some((simple, at) => {
    if (tried.has(at) || !matches(simple, argv)) return false;
    tried.add(at);
    const holder = taken.get(at);
    if (holder !== undefined && !place(commands, holder, taken, tried)) return false;
    taken.set(at, argv);
    return true;
  });

/** Every file that the script may make in its folder. */
export const writtenBy = (script: Script): readonly string[] =>
  commandsOf(script).flatMap(({ redirects }) =>
    redirects.flatMap(one => (one.op === '>' || one.op === '>>' ? [one.target.text] : [])),
  );

const matches = ({ words }: Simple, argv: readonly string[]): boolean => matchFrom(words, 0, argv, 0);

const matchFrom = (words: readonly Word[], word: number, argv: readonly string[], at: number): boolean => {
  const next = words[word];
  if (next === undefined) return at === argv.length;
  if (next.whole) return argv[at] === next.text && matchFrom(words, word + 1, argv, at + 1);
  // A pattern without a match is passed as it is, so it always stands for one word at least.
  for (let end = at; end < argv.length && expands(next, argv[end] ?? ''); end += 1) {
    if (matchFrom(words, word + 1, argv, end + 1)) return true;
  }
  return false;
};

/** Some shells count characters, and some bytes. */
const expands = (glob: Glob, name: string): boolean =>
  name === spelled(glob) || expression(glob, text => text).test(name) || expression(glob, bytes).test(bytes(name));

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

const expression = ({ parts }: Glob, as: (text: string) => string): RegExp =>
  new RegExp(
    `^${parts
      .map(part => {
        if (part.kind === 'literal') return as(part.text).replaceAll(/[^A-Za-z0-9]/gu, escaped);
        if (part.kind === 'set') return part.text.replace('[!', '[^');
        return part.kind === 'many' ? '[^/]*' : '[^/]';
      })
      .join('')}$`,
    'u',
  );

const escaped = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;

const spelled = ({ parts }: Glob): string =>
  parts.map(part => (part.kind === 'many' ? '*' : part.kind === 'one' ? '?' : part.text)).join('');
