import { expect, test } from 'vitest';
import { readPattern } from '../../../src/policy/synopsis/commands.ts';

const mistakesIn = (synopsis: string): readonly string[] => {
  const read = readPattern(synopsis);
  return 'mistakes' in read ? read.mistakes.map(({ column, message }) => `${column} ${message}`) : [];
};

const MISTAKES: readonly (readonly [synopsis: string, ...mistakes: string[]])[] = [
  ['', '1 Begin with the name of the program.'],
  ['[ls]', '1 Begin with the name of the program.'],
  ['-x', '1 Begin with the name of the program.'],
  ['<any> x', '1 Name the program: this would be any program.'],
  ['* x', '1 Name the program: this would be any program.'],
  ['{ls,<name>} x', '1 Name the program: this would be any program.'],
  [
    'ls <file>',
    '4 There is no placeholder <file>. There are <int> <name> <duration> <path> <relpath> <re> <any> <command>.',
  ],
  ['ls <name', '4 Close the placeholder with ">".'],
  ['ls <name:x>', '4 <name> takes no ":".'],
  ['ls <int:5>', '4 Write a range of whole numbers: <int:1..500>.'],
  ['ls <int:5..1>', '4 The range 5..1 is empty.'],
  ['ls <path>', '4 Write the absolute folder or file: <path:/var/log/**>.'],
  ['ls <path:srv/**>', '4 Write the absolute folder or file: <path:/var/log/**>.'],
  ['ls <path:/srv/../etc>', '4 A path pattern has no "..".'],
  ['ls <path:/srv/x**>', '4 "**" stands alone between slashes.'],
  ['ls <path:/srv/[a]>', '4 A path pattern has * ** ? {a,b}, and no sets.'],
  ['ls <path:/srv/{a,{b}}>', '4 Close every "{" with "}", and put none inside another.'],
  ['ls <relpath:/srv>', '4 A <relpath> is not.'],
  [
    'ls <re:(a>',
    '4 This regular expression cannot be used (RE2 syntax, no look-around): error parsing regexp: missing closing ): `(a`.',
  ],
  [
    'ls <re:(?!a)b>',
    '4 This regular expression cannot be used (RE2 syntax, no look-around): error parsing regexp: invalid or unsupported Perl syntax: `(?!`.',
  ],
  ['ls [-l', '4 Close this bracket with "]".'],
  ['ls (-l]', '4 Close this bracket with ")".', '7 There is no bracket that "]" closes.'],
  ['ls -l]', '6 There is no bracket that "]" closes.'],
  ['ls []', '4 There is nothing in these brackets.'],
  ['ls [-l][-a]', '8 Put a blank before "[".'],
  ['ls [-l]x', '8 Put a blank after the bracket.'],
  ['ls a|b', '4 Alternatives of a word are written {a,b}.'],
  [
    'ls -n | -m',
    '7 A word is missing here; write no blanks around "|".',
    '8 A word is missing here; write no blanks around "|".',
  ],
  ['ls {a|b}', '6 Alternatives of a word are written {a,b}; "|" joins names of one option.'],
  ['ls -a|b', '4 Only names of one option are joined by "|"; alternatives of a word are written {a,b}.'],
  ['ls {a, b}', '4 Close the choice with "}"; write no blanks in it.', '9 There is nothing that "}" ends.'],
  ["ls 'a", '4 Close the quote.'],
  ['ls a>b', '5 There is nothing that ">" ends.'],
  ['ls; id', '3 A synopsis is one command, not shell text: put ; in single quotes to mean it.'],
  ['echo $HOME', '6 A synopsis is one command, not shell text: put $ in single quotes to mean it.'],
  [
    'ls "a b"',
    '4 A synopsis is one command, not shell text: put " in single quotes to mean it.',
    '8 A synopsis is one command, not shell text: put " in single quotes to mean it.',
  ],
  ['ls ... x', '4 Only the end may be "...": any further words.'],
  ['ls ...8', '4 Put the number of times behind the word that it counts: <name>...8.'],
  ['ls [<name> <name>]...8', '4 A number of times is for one word: [<name>]...8.'],
  ['ls [-v]...3', '4 A number of times is for one word: [<name>]...8.'],
  ['ls -n <name>...', '13 It is not clear what repeats here: write (-n <name>)....'],
  ['ls [-n <name>...]', '14 It is not clear what repeats here: write (-n <name>)....'],
  ['ls -*', '4 Write every option by its full name; "*" and placeholders stand only after "=" or one letter.'],
  ['ls --so*', '4 Write every option by its full name; "*" and placeholders stand only after "=" or one letter.'],
  ['ls --<name>', '4 Write every option by its full name; "*" and placeholders stand only after "=" or one letter.'],
  ['ls [-n|--lines=<int>]', '5 Write -n|--lines <int>, which means every spelling of the value, or two options.'],
  ['ls [-n <int> -n <name>]', '14 -n is written twice, with different values.'],
  ['ls {-a,b}', '4 Options and words are not alternatives of each other.'],
  ['ls <int>-<int>', '4 A word has one placeholder at most; <re:…> can say the rest.'],
  ['ls <int>*', '4 A word has a placeholder or "*", not both.'],
  ['ls x<command>', '4 <command> is a whole word of its own.'],
  ['sudo [<command>]...', '7 <command> comes once, at the end.'],
  [`ls ${'{a,b}'.repeat(9)}`, '4 This stands for more than 256 words.'],
  ['sudo <command> x', '1 <command> is the end: the words behind it are its own.'],
  ['sudo <command> [-n]', '1 <command> is the end: the words behind it are its own.'],
  ['sudo <command> ...', '1 <command> is the end: the words behind it are its own.'],
  ['sudo -u <command>', '9 <command> is a whole word of its own.'],
  [
    'xargs [-0] <command>',
    '1 xargs does not run the words behind it unchanged: write the command that it runs in full.',
  ],
  [
    '/usr/bin/watch <command>',
    '1 /usr/bin/watch does not run the words behind it unchanged: write the command that it runs in full.',
  ],
  ['ssh <name> <command>', '1 ssh does not run the words behind it unchanged: write the command that it runs in full.'],
  [`ls {x,${'{a,b}'.repeat(9)}}`, '4 This stands for more than 256 words.'],
  [`ls -u${'{a,b}'.repeat(9)}`, '4 This stands for more than 256 words.'],
  [`ls --${'{a,b}'.repeat(9)}`, '4 This stands for more than 256 words.'],
  [`ls ${'<name> '.repeat(30)}`, '1 This is too long: write several synopses.'],
  ['git <with >', '5 Write the words to put in: <with --no-pager>.'],
  ['git [x] <with -a>', '9 <with …> stands after the program or after words that are written in full.'],
];

test.each(MISTAKES)('%s is refused, with the column', (synopsis, ...mistakes) => {
  expect(mistakesIn(synopsis)).toEqual(mistakes);
});

test('every mistake is told at once', () => {
  expect(mistakesIn('ls [-l <file> {a, ; <path>')).toHaveLength(5);
});

const SOUND: readonly string[] = [
  'uptime',
  'systemctl [--no-pager] {status,is-active,is-enabled} <name>...',
  'ls [-l -a -h -t -R -1] [<path:/srv/**>]...',
  'journalctl -u <name> [-n|--lines <int:1..1000>] [--since <re:[-0-9a-z: ]+>] [--no-pager]',
  'tail [-n <int:1..500>] [-F] <path:/var/log/**>...',
  'timeout <duration> <command>',
  'sudo [-n] <command>',
  'find <path:/srv/app/**> [-name <any>] [-type {f,d}] [-mtime <re:[-+]?[0-9]+>] [-print]',
  "'[' {-f,-d} <path:/srv/**> ']'",
  'rm ...',
  'mkfs* ...',
  'chmod -R ...',
  'x <re:[>a]+\\>> <re:[]a]+> <re:[^]a]+>',
  "x 'a b' '...' '' {,.service}",
];

test.each(SOUND)('%s is a synopsis', synopsis => {
  expect(mistakesIn(synopsis)).toEqual([]);
});
