import { describe, expect, test } from 'vitest';
import { read } from '../../src/shell/read.ts';
import { CONSTRUCTS, type Construct } from '../../src/shell/script.ts';
import { write } from '../../src/shell/write.ts';
import { benign } from './corpus.ts';

/** The canonical form of a known text; of an unknown one the construct and its place. */
const reading = (text: string): string => {
  const analysis = read(text);
  return analysis.kind === 'known'
    ? write(analysis.script)
    : `${analysis.construct} ${analysis.line}:${analysis.column}`;
};

describe('a known text is written as its canonical form', () => {
  test.each([
    ['uptime', "'uptime'"],
    ['  uptime \t-p  ', "'uptime' '-p'"],
    ['uptime;', "'uptime'"],
    ['\n\n uptime \n\n', "'uptime'"],
    ['a; b\nc && d || e | f', "'a'; 'b'; 'c' && 'd' || 'e' | 'f'"],
    ['a;b|c&&d||e', "'a'; 'b' | 'c' && 'd' || 'e'"],
    ['a;\nb', "'a'; 'b'"],
    ['a &&\n\n b |\n c ||\n# why\n d', "'a' && 'b' | 'c' || 'd'"],
    ['# only this\na # and that\n# and this', "'a'"],
    ["a #b 'c", "'a'"],
    ['a #\\\nb', "'a'; 'b'"],
    ['a b#c "#" \\#', "'a' 'b#c' '#' '#'"],
    [`a 'b c'"d e"f\\ g`, "'a' 'b cd ef g'"],
    [`a '' "" b''`, "'a' '' '' 'b'"],
    [`a "\\$x \\\` \\" \\\\ \\n '"`, "'a' '$x ` \" '\\\\' '\\\\'n '\\'"],
    [`a '$x \`b\` "c" \\n'`, "'a' '$x `b` \"c\" '\\\\'n'"],
    ['a \\$x\\`\\;\\|\\&\\<\\>\\(\\)\\{\\~\\*\\?\\[\\ \\#', "'a' '$x`;|&<>(){~*?[ #'"],
    ["a 'tab\there'", "'a' 'tab\there'"],
    ['a "naïve — dash" \'日本語\'', "'a' 'naïve — dash' '日本語'"],
    ['a HEAD~1 x^ @ % , : + a=b --c=d a==b =', "'a' 'HEAD~1' 'x^' '@' '%' ',' ':' '+' 'a=b' '--c=d' 'a==b' '='"],
    ['a b! ! "!c"', "'a' 'b'\\! \\! \\!'c'"],
    ['[ -f x ] && echo [ x ]', "'[' '-f' 'x' ']' && 'echo' '[' 'x' ']'"],
    ['up\\\ntime \\\n  -p \\\n  | c', "'uptime' '-p' | 'c'"],
    ['\\\nuptime \\\n', "'uptime'"],
    ['cd /srv \\\n&& a', "'cd' '/srv' && 'a'"],
    ["'if' a; i\\f b; echo if then", "'if' 'a'; 'if' 'b'; 'echo' 'if' 'then'"],
    ['/bin/ls ./x ../y', "'/bin/ls' './x' '../y'"],
    ['a /var/log/*.log x?y [ab]c [!a-z0-9_]', "'a' '/var/log/'*'.log' 'x'?'y' [ab]'c' [!a-z0-9_]"],
    ["a '*'* \\[*", "'a' '*'* '['*"],
    ['a >f >>g <h', "'a' 1>'f' 1>>'g' 0<'h'"],
    ['a 2> "f g" 2>>x 0<y', "'a' 2>'f g' 2>>'x' 0<'y'"],
    ['a>f<g', "'a' 1>'f' 0<'g'"],
    ['>f a b <g c', "'a' 'b' 'c' 1>'f' 0<'g'"],
    ['a 2>&1 >&2 1>&2|b', "'a' 2>&1 1>&2 1>&2 | 'b'"],
    ['a >f 2>&1 && b', "'a' 1>'f' 2>&1 && 'b'"],
    ['a &>/dev/null && b', "'a' 1>'/dev/null' 2>&1 && 'b'"],
    ['a &>>f; b', "'a' 1>>'f' 2>&1; 'b'"],
    ['a&>f', "'a' 1>'f' 2>&1"],
    ['a 2 >f', "'a' '2' 1>'f'"],
    ['a x2>f', "'a' 'x2' 1>'f'"],
    ['a 2>1', "'a' 2>'1'"],
    ["a '2'>f", "'a' '2' 1>'f'"],
  ])('%j', (text, canonical) => {
    expect(reading(text)).toBe(canonical);
    expect(reading(canonical)).toBe(canonical);
  });
});

describe('what is not certain is unknown, with its construct and its place', () => {
  test.each<[string, Construct, string]>([
    ['', 'nothing to run', '1:1'],
    [' \n\t\n# x', 'nothing to run', '1:1'],
    ['a $x', 'an expansion', '1:3'],
    ['a "b$"', 'an expansion', '1:5'],
    ['a b$', 'an expansion', '1:4'],
    ["a $'b'", 'an expansion', '1:3'],
    ['a $"b"', 'an expansion', '1:3'],
    ['a ${x}', 'an expansion', '1:3'],
    ['a\n\n b $(c)', 'a command substitution', '3:4'],
    ['a "x $(c)"', 'a command substitution', '1:6'],
    ['a $((1))', 'a command substitution', '1:3'],
    ['a `b`', 'a command substitution', '1:3'],
    ['a "`b`"', 'a command substitution', '1:4'],
    ['a <(b)', 'a command substitution', '1:3'],
    ['a 2<(b)', 'a command substitution', '1:3'],
    ['a >(b)', 'a command substitution', '1:3'],
    ['a "b', 'a quote that is not closed', '1:3'],
    ["a b'c", 'a quote that is not closed', '1:4'],
    ['a "b\nc"', 'a newline inside a word', '1:5'],
    ["a 'b\nc'", 'a newline inside a word', '1:5'],
    ['a "b\\\nc"', 'a newline inside a word', '1:5'],
    ['a \\', 'a backslash at the end', '1:3'],
    ['a 2\\\n>f', 'a backslash before a newline in an unusual place', '1:4'],
    ['a \\\n#b', 'a backslash before a newline in an unusual place', '1:3'],
    ['a b\\\n#c', 'a backslash before a newline in an unusual place', '1:4'],
    ['a \\\n<f', 'a backslash before a newline in an unusual place', '1:3'],
    ['a &\\\n& b', 'a background command', '1:3'],
    ['a |\\\n| b', 'an operator without a command', '2:1'],
    ['a >\\\n>f', 'a backslash before a newline in an unusual place', '1:4'],
    ['a ~', 'a tilde', '1:3'],
    ['a ~/x', 'a tilde', '1:3'],
    ['a ""~', 'a tilde', '1:5'],
    ['a x=~', 'a tilde', '1:5'],
    ['a x:~', 'a tilde', '1:5'],
    ['a {b,c}', 'a brace', '1:3'],
    ['a b{1..3}', 'a brace', '1:4'],
    ['{ a; }', 'a brace', '1:1'],
    ['a }', 'a brace', '1:3'],
    ['(a)', 'a parenthesis', '1:1'],
    ['a() b', 'a parenthesis', '1:2'],
    ['a=(b)', 'a parenthesis', '1:3'],
    ['a *(b)', 'a parenthesis', '1:4'],
    ['! a', 'an exclamation mark', '1:1'],
    ['!a', 'an exclamation mark', '1:1'],
    ['a | ! b', 'an exclamation mark', '1:5'],
    ['a =b', 'an equals sign before a word', '1:3'],
    ['=a', 'an equals sign before a word', '1:1'],
    ['a ""=b', 'an equals sign before a word', '1:5'],
    ['a &', 'a background command', '1:3'],
    ['a & b', 'a background command', '1:3'],
    ['a &! b', 'a background command', '1:3'],
    ['a &&& b', 'a background command', '1:5'],
    ['a <<E\nb\nE', 'a here-document', '1:3'],
    ['a <<<b', 'a here-document', '1:3'],
    ['a <>f', 'a redirection of this form', '1:3'],
    ['a >|f', 'a redirection of this form', '1:3'],
    ['a >!f', 'a redirection of this form', '1:3'],
    ['a >&f', 'a redirection of this form', '1:3'],
    ['a >&-', 'a redirection of this form', '1:3'],
    ['a 2>&1x', 'a redirection of this form', '1:3'],
    ['a 2>&1-', 'a redirection of this form', '1:3'],
    ['a 2>& 1', 'a redirection of this form', '1:3'],
    ['a <&1', 'a redirection of this form', '1:3'],
    ['a 3>f', 'a redirection of this form', '1:3'],
    ['a 0>f', 'a redirection of this form', '1:3'],
    ['a 1<f', 'a redirection of this form', '1:3'],
    ['a 2>&0', 'a redirection of this form', '1:3'],
    ['a 0>&1', 'a redirection of this form', '1:3'],
    ['a 3>&1', 'a redirection of this form', '1:3'],
    ['a 2>&3', 'a redirection of this form', '1:3'],
    ['a 12>f', 'a redirection of this form', '1:3'],
    ['a 01>&2', 'a redirection of this form', '1:3'],
    ['a 2&>f', 'a redirection of this form', '1:3'],
    ['a &>f b', 'a redirection of this form', '1:7'],
    ['a &>&1', 'a redirection of this form', '1:3'],
    ['a > >f', 'a redirection of this form', '1:3'],
    ['a >', 'a redirection of this form', '1:3'],
    ["a >''", 'a redirection of this form', '1:3'],
    ['a <1-2>', 'a redirection of this form', '1:3'],
    ['a b<->', 'a redirection of this form', '1:4'],
    ['a >1>2', 'a redirection of this form', '1:4'],
    ['a |& b', 'a redirection of this form', '1:3'],
    ['a {x}>f', 'a brace', '1:3'],
    ['a >f*', 'a pattern that cannot be kept', '1:4'],
    ['a > ~/f', 'a tilde', '1:5'],
    ['a >/dev/tcp/10.0.0.1/25', 'a redirection to the network', '1:3'],
    ['a </dev/udp/x/1', 'a redirection to the network', '1:3'],
    ['>f', 'a redirection without a command', '1:1'],
    ['a; 2>&1', 'a redirection without a command', '1:4'],
    ['x=1 a', 'an assignment', '1:1'],
    ['x=1', 'an assignment', '1:1'],
    ['a; x+=1 b', 'an assignment', '1:4'],
    ["'x=1' a", 'an assignment', '1:1'],
    ['1=x', 'an assignment', '1:1'],
    ['x[1]=2', 'a command name of this form', '1:1'],
    ['if a; then b; fi', 'a reserved word', '1:1'],
    ['i\\\nf a', 'a reserved word', '1:1'],
    ['a && while b', 'a reserved word', '1:6'],
    ['>f time a', 'a reserved word', '1:4'],
    ['coproc a', 'a reserved word', '1:1'],
    ['nocorrect a', 'a reserved word', '1:1'],
    ['[[ a ]]', 'a pattern that cannot be kept', '1:1'],
    ["'' a", 'a command name of this form', '1:1'],
    ['- a', 'a command name of this form', '1:1'],
    ["'-x' a", 'a command name of this form', '1:1'],
    ['%1', 'a command name of this form', '1:1'],
    ['label: a', 'a command name of this form', '1:1'],
    ['a* b', 'a command name of this form', '1:1'],
    ['a **', 'a pattern that cannot be kept', '1:4'],
    ["a *''*", 'a pattern that cannot be kept', '1:6'],
    ['a *\\\n*', 'a pattern that cannot be kept', '2:1'],
    ['a [^b]', 'a pattern that cannot be kept', '1:3'],
    ['a [z-a]', 'a pattern that cannot be kept', '1:3'],
    ['a [a-Z]', 'a pattern that cannot be kept', '1:3'],
    ['a [+-9]', 'a pattern that cannot be kept', '1:3'],
    ['a [[:alpha:]]', 'a pattern that cannot be kept', '1:3'],
    ['a [.]', 'a pattern that cannot be kept', '1:3'],
    ["a ['b']", 'a pattern that cannot be kept', '1:3'],
    ['a b[', 'a pattern that cannot be kept', '1:4'],
    ['a b]', 'a pattern that cannot be kept', '1:4'],
    ['; a', 'an operator without a command', '1:1'],
    ['a ;; b', 'an operator without a command', '1:4'],
    ['a ;& b', 'a background command', '1:4'],
    ['a && && b', 'an operator without a command', '1:6'],
    ['a &&', 'an operator without a command', '1:3'],
    ['a |\n\n', 'an operator without a command', '1:3'],
    ['| a', 'an operator without a command', '1:1'],
    ['a\n| b', 'an operator without a command', '2:1'],
    ['a é', 'an unquoted character outside ASCII', '1:3'],
    ['а', 'an unquoted character outside ASCII', '1:1'],
    ['a \\é', 'an unquoted character outside ASCII', '1:4'],
    ['a\r\n', 'a control character', '1:2'],
    ['a \0b', 'a control character', '1:3'],
    ["a '\x1b[2K'", 'a control character', '1:4'],
    ['a # \x7f', 'a control character', '1:5'],
    ['a\u0085b', 'a control character', '1:2'],
    ['a\u00a0b', 'an invisible or unassigned character', '1:2'],
    ["a '\u200b'", 'an invisible or unassigned character', '1:4'],
    ["a '\u202e'", 'an invisible or unassigned character', '1:4'],
    ["a '\u2028'", 'an invisible or unassigned character', '1:4'],
    ["a '\ufe0f'", 'an invisible or unassigned character', '1:4'],
    ["a '\u3164'", 'an invisible or unassigned character', '1:4'],
    ["a '\u{e0041}'", 'an invisible or unassigned character', '1:4'],
    ["a '\ud800'", 'an invisible or unassigned character', '1:4'],
    ["a '\ue000'", 'an invisible or unassigned character', '1:4'],
    ['\ufeffa', 'an invisible or unassigned character', '1:1'],
  ])('%j is %s', (text, construct, place) => {
    expect(reading(text)).toBe(`${construct} ${place}`);
  });
});

test('the first problem is shown with a way to write it, and what can be seen', () => {
  expect(read('rm -rf "$DIR" && id')).toEqual({
    kind: 'unknown',
    construct: 'an expansion',
    hint: CONSTRUCTS['an expansion'],
    at: 8,
    line: 1,
    column: 9,
    guess: [
      [
        { text: 'rm', whole: true },
        { text: '-rf', whole: true },
        { text: '', whole: false },
      ],
      [{ text: 'id', whole: true }],
    ],
  });
});

test('words, patterns and redirections know their place in the text', () => {
  expect(read(' a  b* >f | c')).toEqual({
    kind: 'known',
    script: {
      pipelines: [
        {
          join: ';',
          commands: [
            {
              words: [
                { whole: true, text: 'a', at: 1 },
                { whole: false, text: 'b', parts: [{ kind: 'literal', text: 'b' }, { kind: 'many' }], at: 4 },
              ],
              redirects: [{ op: '>', fd: 1, target: { whole: true, text: 'f', at: 8 }, at: 7 }],
            },
            { words: [{ whole: true, text: 'c', at: 12 }], redirects: [] },
          ],
        },
      ],
    },
  });
});

test.each([
  ['bytes', `a ${'b'.repeat(65_534)}`, `a ${'b'.repeat(65_535)}`],
  ['bytes of UTF-8', `a '${'é'.repeat(32_766)}'`, `a '${'é'.repeat(32_767)}'`],
  ['commands', 'a;'.repeat(64), 'a;'.repeat(65)],
  ['words', 'a '.repeat(1024), 'a '.repeat(1025)],
  ['redirections', `a ${'>f '.repeat(1023)}`, `a ${'>f '.repeat(1024)}`],
])('a text with too many %s is unknown, and one less is not', (_, most, more) => {
  expect(read(most).kind).toBe('known');
  expect(read(more)).toMatchObject({ kind: 'unknown', construct: 'a text that is too long' });
});

test('every line of the corpus that must run is known, and its canonical form is a fixed point', () => {
  expect(benign.length).toBe(446);
  for (const { command } of benign) {
    const analysis = read(command);
    expect(analysis.kind, command).toBe('known');
    const canonical = reading(command);
    expect(reading(canonical)).toBe(canonical);
  }
});
