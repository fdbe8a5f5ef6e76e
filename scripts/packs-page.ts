import type { Pack } from '../src/policy/packs/pack.ts';

const WITH = /<with ([^>]*)> ?/g;

const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

const block = (lines: readonly string[]): string => ['```text', ...lines, '```'].join('\n');

/** What stands before the words written in: the program and its subcommands, without options and operands. */
const commandOf = (before: string): string =>
  before
    .replace(WITH, '')
    .replace(/\[[^\]]*\]|\([^)]*\)|<[^>]*>/g, ' ')
    .trim()
    .split(/\s+/)
    .join(' ');

/** The words that the server writes in, each with the commands that get them. */
const hardening = (texts: readonly string[]): readonly string[] => {
  const commands = new Map<string, Set<string>>();
  for (const text of texts)
    for (const match of text.matchAll(WITH)) {
      const words = match[1] ?? '';
      commands.set(words, (commands.get(words) ?? new Set()).add(commandOf(text.slice(0, match.index))));
    }
  return [...commands].map(([words, of]) => `- ${[...of].map(code).join(', ')}: ${code(words)}`);
};

const callOf = ({ name, parameter }: Pack): string =>
  parameter === undefined ? `@${name}` : `@${name}(${parameter.example})`;

const argument = ({ name, parameter }: Pack): string => {
  if (parameter === undefined) return 'Takes no value.';
  const without =
    parameter.fallback === undefined
      ? ''
      : ` ${code(`@${name}`)} alone means ${code(`@${name}(${parameter.fallback})`)}.`;
  return `Takes ${parameter.of}, separated by commas; they stand where a synopsis has ${code(`$${parameter.name}`)}.${without}`;
};

/** Regular expressions that would bury the rest of a synopsis. */
const LONG = /(?<=<re:)[^<>]{60,}(?=>)/g;

/** Gives each long expression a name of its own: `R1`, `R2`. */
const namesOf = (texts: readonly string[]): ReadonlyMap<string, string> =>
  new Map([...new Set(texts.flatMap(text => text.match(LONG) ?? []))].map((long, index) => [long, `R${index + 1}`]));

const titled = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, block(lines)];

const packSection = (pack: Pack): string => {
  const texts = pack.sets.flatMap(set => set.commands);
  const names = namesOf(texts);
  const bare = (stdin: boolean): readonly string[] =>
    pack.sets
      .filter(set => (set.stdin === true) === stdin)
      .flatMap(set => set.commands.map(text => text.replace(WITH, '').replace(LONG, long => names.get(long) ?? long)));
  const written = hardening(texts);
  return [
    `## \`${callOf(pack)}\``,
    `${pack.summary} ${argument(pack)}`,
    ...titled('Grants, with no input that the agent can shape:', bare(false)),
    ...titled('Grants, also with input that the agent can shape (behind a pipe, by `<`, from `stdin`):', bare(true)),
    ...titled(
      'Shortened above:',
      [...names].map(([long, name]) => `${name}  ${long}`),
    ),
    ...(written.length === 0 ? [] : [`Written in by the server:\n\n${written.join('\n')}`]),
    `<details><summary>Examples: ${pack.match.length} granted, ${pack.not_match.length} refused</summary>`,
    ...titled('Granted:', pack.match),
    ...titled('Refused:', pack.not_match),
    '</details>',
  ].join('\n\n');
};

/** The page of all packs: for each its values, synopses, the words written in, and its examples. */
export const packsPage = (note: string, packs: Iterable<Pack>): string =>
  [
    note,
    '# Packs',
    'A rule names a pack in `commands`, as `"@inspect"` or `"@logs(/var/log)"`, and grants what its synopses describe and nothing else: an option that is not ' +
      'written is refused. How synopses are read is in [policy.md](policy.md#synopses). Examples are judged with the value of the heading, and run with the tests. ' +
      '`sallyport policy can` shows what the packs of a document come to on a host.',
    ...[...packs].map(packSection),
    '',
  ].join('\n\n');
