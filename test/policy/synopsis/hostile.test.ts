import { expect, test } from 'vitest';
import { grant, mayGrant } from '../../../src/policy/synopsis/commands.ts';
import type { Literal } from '../../../src/shell/script.ts';
import { ruleOf } from './support.ts';

const literal = (text: string): Literal => ({ whole: true, text, at: 0 });

/** Words that would cost a matcher which goes back on its steps more than anybody waits for: 64 KiB each. */
const HOSTILE: readonly (readonly [synopsis: string, words: (size: number) => readonly string[]])[] = [
  ['x [-l]...', size => [`-${'l'.repeat(size)}`]],
  ['x [-l]... [-a] ...', size => Array.from({ length: size / 64 }, () => '-l')],
  ['x [<path:/a/**>]... [<path:/a/**>]... [<any>]... b', size => Array.from({ length: size / 64 }, () => '/a/b')],
  ['x [[<name>] [<name>]]... b', size => Array.from({ length: size / 64 }, () => 'a')],
  ['x <path:/**/a/**/a/**/b>', size => ['/a'.repeat(size / 2)]],
  ['x <path:/*a*a*a*b>', size => [`/${'a'.repeat(size)}`]],
  ['x a*a*a*a*b', size => ['a'.repeat(size)]],
  ['x <re:(a*)*(a|aa)+b>', size => ['a'.repeat(size)]],
  ['x <duration>', size => ['1'.repeat(size)]],
  ['x <name>', size => [`${'a.'.repeat(size / 2)}/`]],
  ['x [--lines <int>]...', size => [`--lines=${'9'.repeat(size)}`]],
  ['x <duration> <command>', size => Array.from({ length: size / 64 }, (_, at) => (at % 2 === 0 ? '5' : 'x'))],
];

/** The least of three, so that another process does not count. */
const costOf = (work: () => void): number =>
  Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );

test.each(HOSTILE)('%s decides hostile words in time that grows with them', (synopsis, words) => {
  const rule = ruleOf(synopsis);
  const cost = (size: number): number => {
    const [name, ...rest] = ['x', ...words(size)].map(literal);
    return costOf(() => {
      if (name === undefined) return;
      grant(rule, { words: [name, ...rest], shaped: false });
      mayGrant(rule, [name, ...rest]);
    });
  };
  cost(4096);
  expect(cost(65_536)).toBeLessThan(150);
});
