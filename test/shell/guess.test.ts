import { expect, test } from 'vitest';
import { guess } from '../../src/shell/guess.ts';

/** Each command on its own; a word that is cut short ends with `…`. */
const seen = (text: string): readonly string[] =>
  guess(text).map(words => words.map(({ text: word, whole }) => (whole ? word : `${word}…`)).join(' '));

test.each<[string, readonly string[]]>([
  ['rm -rf $DIR', ['rm -rf …']],
  ['rm -rf "a${DIR}b" c', ['rm -rf a… c']],
  ['echo $(rm x) y', ['echo …', 'rm x', 'y']],
  ['echo "now `rm x` y"', ['echo now …', 'rm x', 'y']],
  ['diff <(rm a) >(rm b)', ['diff', 'rm a', 'rm b']],
  ['if a; then sudo rm b; else rm c; fi', ['a', 'sudo rm b', 'rm c']],
  ['while ! rm a; do time rm b; done', ['rm a', 'time rm b']],
  ['for x in a b; do rm "$x"; done', ['x in a b', 'rm …']],
  ['{ rm a; }; (rm b)', ['rm a', 'rm b']],
  ['f() { rm a; }; f', ['f', 'rm a', 'f']],
  ['A=1 B=$(x) rm a', ['x', 'rm a']],
  ['rm a & rm b &', ['rm a', 'rm b']],
  ['cat <<E | rm a\nrm b\nE', ['cat', 'rm a', 'rm b', 'E']],
  ['rm a >"$f" 2>&1 <in b', ['rm a b']],
  ['r\'\'m a; \\rm b; "r"m c $x', ['rm a', 'rm b', 'rm c …']],
  ['r\\\nm a $x', ['rm a …']],
  ['/bin/r? a', ['/bin/r… a']],
  ['~/bin/x a', ['… a']],
  ['$x a', ['… a']],
  ['a # rm b\nrm c $x', ['a', 'rm c …']],
  ['a \'rm b\' "rm $c"', ['a rm b rm …']],
  ["a 'unclosed rm b", ['a unclosed rm b']],
  ['a "unclosed rm b', ['a unclosed rm b']],
  ['a "x\\"y\\z" \\', ['a x"y\\z ']],
  ['', []],
])('%j shows %j', (text, commands) => {
  expect(seen(text)).toEqual(commands);
});
