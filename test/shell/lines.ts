import { type Dice, dice } from './random.ts';

/** Programs that exist, as recorders; the names are short so that other readings of a line hit them too. */
export const NAMES = [
  'a',
  'b',
  'c',
  'ab',
  'x1',
  '2',
  'if',
  'done',
  'a b',
  'a*',
  '{}',
  '[b]',
  'c!',
  'x=1',
  '\\',
  "'",
  '"',
  '#',
] as const;

const COMMON = ['a', 'b', 'c', 'ab', 'x1'] as const;

const WORDS: readonly string[] = (
  'a b c ab x1 -x -rf -- - 1 2 12 0 01 x=1 a=b a+=b x[1]=2 =a = == a==b ~ ~a a~ a~1 x^ ^ ^a % %1 @ , : :~ + ' +
  '+x . .. .a a: : _ ! !! !a a! c! {} {a,b} { } a{ [ ] [a] [!a-c] [^a] [a-Z] [z-a] [[:alpha:]] [b a] []a] ' +
  '[a]* * ? ** a* *b ?? .* *.log a[0-9] [-a] # #c a#b ""# if then fi do done time case esac in for while ' +
  'function select coproc foreach end repeat nocorrect [[ ]]'
).split(' ');

const QUOTED = [
  '""',
  "''",
  '"a"',
  "'b'",
  '"a b"',
  "'a  b'",
  '"\\a"',
  '"\\\\"',
  '"\\$"',
  '"\\`"',
  '"\\""',
  '"\\!"',
  '"!"',
  "'!'",
  "'\\'",
  '"\'"',
  "'\"'",
  "'*'",
  '"?"',
  "'#'",
  '"a\tb"',
  "'é'",
  '"日"',
  '"$"',
  '"$x"',
  '"$(b)"',
  '"`b`"',
  '"a\nb"',
  "'a\nb'",
  '"a\\\nb"',
  "'$x'",
  "'`b`'",
  "';b'",
  '"|b"',
  "'&'",
  '"<"',
  "'>'",
  "'~'",
  '"="',
  "'{a,b}'",
  '\\a',
  '\\ ',
  '\\\t',
  '\\\\',
  "\\'",
  '\\"',
  '\\#',
  '\\*',
  '\\?',
  '\\[',
  '\\~',
  '\\$',
  '\\;',
  '\\&',
  '\\|',
  '\\<',
  '\\>',
  '\\(',
  '\\{',
  '\\!',
  '\\=',
  '\\2',
  '\\if',
  'i\\f',
] as const;

const OPERATORS: readonly string[] = [
  ...(
    '; ; ; && || | | & |& ;; ;& &! &&& ||| ( ) (( )) () > < >> << <<< <> >| >! &> &>> >& <& >&- 2> 1> 0< 2>> ' +
    '2>&1 1>&2 >&2 3>&1 2>&3 12> 01>&2 2>&01 <1-2> <-> <( >( {x}> 2>&1-'
  ).split(' '),
  '\n',
  '\n',
  '! ',
  '2>&1 ',
];

const ODD = [
  '$x',
  '${x}',
  '$(a)',
  '`a`',
  "$'a'",
  '$"a"',
  '$',
  '$((1))',
  '$#',
  'é',
  '\u00a0',
  '\r',
  '\v',
  '\u200b',
  '\\\n',
  '\\\n',
  '\\\n',
  '\\',
  '"',
  "'",
  '\t',
  '\0',
] as const;

const GLUE = ['', '', ' ', ' ', ' ', '  ', '\t', ' \\\n'] as const;

const token = (random: Dice): string => {
  const kind = random.below(100);
  if (kind < 48) return random.pick(WORDS);
  if (kind < 72) return random.pick(QUOTED);
  if (kind < 94) return random.pick(OPERATORS);
  return random.pick(ODD);
};

const TAME = [
  'a',
  'b',
  'c',
  'ab',
  'x1',
  '-x',
  '1',
  'a=b',
  "'a b'",
  '"b"',
  '\\*',
  'a*',
  '[ab]',
  'c!',
  'a~1',
  '2',
  '!',
  '=',
  '""',
] as const;

/** Mostly grammar, with one odd token now and then: what nearly everybody reads alike. */
const tame = (random: Dice): string => {
  const commands = 1 + random.below(3);
  let line = '';
  for (let command = 0; command < commands; command += 1) {
    if (command > 0) line += random.pick([';', '; ', '\n', ' && ', '||', ' | ', '|', '&&\n', '| \\\n']);
    line += random.pick(COMMON);
    const words = random.below(4);
    for (let word = 0; word < words; word += 1) {
      line += random.pick(GLUE);
      line += random.once(5) ? token(random) : random.pick(TAME);
    }
    if (random.once(4))
      line += random.pick([
        ' >f',
        ' 2>&1',
        '>f',
        ' <f',
        ' 2>f',
        ' >>g',
        ' &>f',
        '&>g',
        ' >f 2>&1',
        ' >"f g"',
        '<f',
        ' 1>&2',
      ]);
  }
  return line;
};

const wild = (random: Dice): string => {
  let line = random.once(4) ? '' : random.pick(COMMON);
  const tokens = 2 + random.below(7);
  for (let index = 0; index < tokens; index += 1) line += random.pick(GLUE) + token(random);
  return line;
};

const mutated = (random: Dice, from: readonly string[]): string => {
  let line = random.pick(from);
  for (let edits = random.below(3); edits > 0; edits -= 1) {
    const at = random.below(line.length + 1);
    const kind = random.below(3);
    if (kind === 0) line = line.slice(0, at) + token(random) + line.slice(at);
    else if (kind === 1) line = line.slice(0, at) + line.slice(at + 1 + random.below(2));
    else line = line.slice(0, at) + random.pick(from).slice(random.below(8));
  }
  return line;
};

/** Of ten lines, how many are mostly grammar, and how many are wild; the rest are edited lines of the corpus. */
export type Mix = { readonly tame: number; readonly wild: number };

/** Distinct random lines without `/`, so that no redirection leaves the folder; the same seed gives the same lines. */
export const randomLines = (
  seed: number,
  count: number,
  corpus: readonly string[],
  mix: Mix = { tame: 4, wild: 4 },
): readonly string[] => {
  const random = dice(seed);
  const lines = new Set<string>();
  while (lines.size < count) {
    const kind = random.below(10);
    const line = kind < mix.tame ? tame(random) : kind < mix.tame + mix.wild ? wild(random) : mutated(random, corpus);
    lines.add(line.replaceAll('/', '_').slice(0, 400));
  }
  return [...lines];
};
