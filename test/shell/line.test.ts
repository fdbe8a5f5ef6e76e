import { describe, expect, test } from 'vitest';
import { readLine, splitWords } from '../../src/shell/line.ts';
import { runShell, shells } from '../support/shells.ts';

describe("a line that is the session's own", () => {
  test.each([
    ['cd', { kind: 'cd', to: 'home' }],
    ['  cd\t', { kind: 'cd', to: 'home' }],
    ['cd -', { kind: 'cd', to: 'previous' }],
    ['cd /srv/app', { kind: 'cd', to: { raw: '/srv/app', literal: '/srv/app' } }],
    ['cd -- /srv/app # back', { kind: 'cd', to: { raw: '/srv/app', literal: '/srv/app' } }],
    ["cd 'two words'", { kind: 'cd', to: { raw: "'two words'", literal: 'two words' } }],
    ['cd "a\\"b"\\ c', { kind: 'cd', to: { raw: '"a\\"b"\\ c', literal: 'a"b c' } }],
    ['cd "a\\nb"', { kind: 'cd', to: { raw: '"a\\nb"', literal: 'a\\nb' } }],
    ["cd 'it'\\''s'", { kind: 'cd', to: { raw: "'it'\\''s'", literal: "it's" } }],
    ['cd ~', { kind: 'cd', to: 'home' }],
    ['cd ~/x', { kind: 'cd', to: { raw: '~/x' } }],
    ['cd "$HOME/x y"', { kind: 'cd', to: { raw: '"$HOME/x y"' } }],
    ['cd /srv/*/app', { kind: 'cd', to: { raw: '/srv/*/app' } }],
    ['cd $(git rev-parse --show-toplevel)', { kind: 'cd', to: { raw: '$(git rev-parse --show-toplevel)' } }],
    ['cd "$(dirname "$x")"', { kind: 'cd', to: { raw: '"$(dirname "$x")"' } }],
    ['pwd', { kind: 'pwd' }],
    ['export A=1', { kind: 'export', variables: new Map([['A', '1']]) }],
    [
      "export A=1 B='x y' C=",
      {
        kind: 'export',
        variables: new Map([
          ['A', '1'],
          ['B', 'x y'],
          ['C', ''],
        ]),
      },
    ],
    ['export A="x=\\$1"', { kind: 'export', variables: new Map([['A', 'x=$1']]) }],
    ['export A', { kind: 'export', variables: new Map([['A', undefined]]) }],
    ['export PATH=$PATH:/opt/bin', { kind: 'evaluate', names: ['PATH'], words: ['PATH=$PATH:/opt/bin'] }],
    ['export A=1 B=`date`', { kind: 'evaluate', names: ['A', 'B'], words: ['A=1', 'B=`date`'] }],
    ['unset A B', { kind: 'unset', names: ['A', 'B'] }],
  ])('%j', (text, line) => {
    expect(readLine(text)).toEqual(line);
  });
});

test.each([
  '',
  'ls',
  'cdx /',
  'cd /a /b',
  'cd -P /a',
  "cd ''",
  'cd /a && ls',
  'cd /a; ls',
  'cd /a | cat',
  'cd /a &',
  'cd /a > x',
  '(cd /a)',
  'cd /a\nls',
  'cd /a\r',
  "cd 'unfinished",
  'cd "unfinished',
  'cd $(unfinished',
  'cd `unfinished',
  'cd x\\',
  'cd \\\nx',
  'A=1 cd /a',
  "'cd' /a",
  'export',
  'export -p',
  'export -n A',
  'export 1A=2',
  'export A-B=2',
  "export 'A'=2",
  'export A=(1 2)',
  'unset',
  'unset -f f',
  'unset A[1]',
  'pwd -P',
])('%j is run as it is', text => {
  expect(readLine(text)).toEqual({ kind: 'run' });
});

describe.each(shells.filter(({ name }) => name !== 'fish'))('$name', shell => {
  test.each([
    'a b  c',
    '\'a b\' "c d" e\\ f',
    '"a\\$b\\`c\\"d\\\\e\\f"',
    "'it'\\''s'",
    '\'\'x""',
    'a#b #c d',
    'A=1 /x/y.z,@%+:-',
  ])('takes %j for the same words', async text => {
    const words = splitWords(text)?.map(({ literal }) => literal);
    const ran = await runShell(shell, `printf '<%s>\\n' ${text}`);
    expect(ran.stdout).toBe(words?.map(word => `<${word}>\n`).join(''));
  });
});
