import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandsOf, type Granted, grant, mayGrant, type NotGranted } from '../../../src/policy/synopsis/commands.ts';
import type { Literal } from '../../../src/shell/script.ts';
import { patternOf, ruleOf } from './support.ts';

const literal = (text: string): Literal => ({ whole: true, text, at: 0 });
const judge = (rule: ReturnType<typeof ruleOf>, [name = 'x', ...words]: readonly string[]): Granted | NotGranted =>
  grant(rule, { words: [literal(name), ...words.map(literal)], shaped: false });

/** A program's options: letters and long names, with a value or without. */
type Table = { readonly flags: readonly string[]; readonly valued: readonly string[] };

const LETTERS = ['a', 'b', 'n', 'o', 'x'] as const;
const table: fc.Arbitrary<Table> = fc
  .record({ flags: fc.subarray([...LETTERS]), valued: fc.subarray([...LETTERS]) })
  .map(({ flags, valued }) => ({ flags: flags.filter(letter => !valued.includes(letter)), valued }));

const synopsisOf = ({ flags, valued }: Table): string =>
  [
    'x',
    ...flags.map(letter => `[-${letter}|--${letter.repeat(3)}]...`),
    ...valued.map(letter => `[-${letter}|--${letter.repeat(3)} <re:[-a-z0-9=]+>]...`),
    '[<re:[a-z0-9=]*>]...3',
  ].join(' ');

const word = fc.oneof(
  fc.constantFrom('--', '-', '-5', '', 'a', 'n=1', '--aaa', '--nnn=a', '--n', '--bb=x', '--ooo', '-a-', '--=', '---a'),
  fc.string({ unit: fc.constantFrom(...LETTERS, 'z', '1', '-', '='), maxLength: 5 }).map(text => `-${text}`),
  fc.string({ unit: fc.constantFrom(...LETTERS, '1', '='), maxLength: 3 }),
);

/** What GNU getopt_long makes of words: options with their values, and operands; undefined when it complains. */
const getopt = (
  { flags, valued }: Table,
  words: readonly string[],
): { options: string[]; operands: string[] } | undefined => {
  const [options, operands]: [string[], string[]] = [[], []];
  for (let at = 0; at < words.length; at += 1) {
    const text = words[at] ?? '';
    if (text === '--') return { options, operands: [...operands, ...words.slice(at + 1)] };
    if (!text.startsWith('-') || text === '-') operands.push(text);
    else if (text.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
      const letter = [...flags, ...valued].find(each => each.repeat(3) === name);
      if (letter === undefined || (flags.includes(letter) && value !== undefined)) return undefined;
      if (valued.includes(letter) && value === undefined) at += 1;
      if (at >= words.length) return undefined;
      options.push(flags.includes(letter) ? letter : `${letter} ${value ?? words[at]}`);
    } else
      for (let place = 1; place < text.length; place += 1) {
        const letter = text.charAt(place);
        const rest = text.slice(place + 1);
        if (flags.includes(letter)) options.push(letter);
        else if (!valued.includes(letter)) return undefined;
        else {
          if (rest === '') at += 1;
          if (at >= words.length) return undefined;
          options.push(`${letter} ${rest || words[at]}`);
          break;
        }
      }
  }
  return { options, operands };
};

describe('laws', () => {
  test('what is granted is what getopt reads, and nothing of it is unlisted', () => {
    let granted = 0;
    fc.assert(
      fc.property(table, fc.array(word, { maxLength: 6 }), (table, words) => {
        if (!judge(ruleOf(synopsisOf(table)), ['x', ...words]).hit) return;
        granted += 1;
        const read = getopt(table, words);
        expect(read).toBeDefined();
        for (const option of read?.options ?? []) expect(option).toMatch(/^[a-z]( [-a-z0-9=]+)?$/);
        expect(read?.operands.length).toBeLessThanOrEqual(3);
        for (const operand of read?.operands ?? []) expect(operand).toMatch(/^[a-z0-9=]*$/);
      }),
      { numRuns: 1500 },
    );
    expect(granted).toBeGreaterThan(100);
  });

  test('an option that is not written is refused wherever it stands before --', () => {
    const rules = [
      'ls [-l -a] [<name>]...',
      'systemctl [--no-pager] {status,show} <name>...',
      'tail [-n|--lines <int>] [-F] <path:/var/**>...',
      'journalctl -u <name> [-n <int>]',
      'git [-C <path:/srv/**>] log [--oneline] [<name>]...',
      'find <path:/srv/**>... [-name <name>]... [-print]',
      "'[' -f <path:/srv/**> ']'",
    ].map(synopsis => ruleOf(synopsis));
    const samples = [
      'ls -l a b',
      'systemctl status a',
      'tail -n 5 /var/a',
      'journalctl -u a',
      'git -C /srv/a log a',
      'find /srv/a -name b',
      '[ -f /srv/a ]',
    ].map(text => text.split(' '));
    const foreign = fc.constantFrom(
      '-z',
      '--zzz',
      '-zl',
      '--zzz=1',
      '-exec',
      '-o/tmp/x',
      '--output=/tmp/x',
      '-',
      '-z5',
    );
    fc.assert(
      fc.property(fc.nat(samples.length - 1), fc.nat(10), foreign, (which, place, option) => {
        const words = samples[which] ?? [];
        const at = 1 + (place % words.length);
        const rule = rules[which] ?? ruleOf('x');
        expect(judge(rule, words).hit).toBe(true);
        expect(judge(rule, [...words.slice(0, at), option, ...words.slice(at)]).hit).toBe(false);
      }),
    );
  });

  test('what a synopsis grants, it also restrains', () => {
    fc.assert(
      fc.property(table, fc.array(word, { maxLength: 5 }), (table, words) => {
        const rule = ruleOf(synopsisOf(table));
        if (judge(rule, ['x', ...words]).hit) expect(mayGrant(rule, ['x', ...words].map(literal))).toBe(true);
      }),
      { numRuns: 800 },
    );
  });

  test('a thousand synopses decide as each of them alone', () => {
    const pieces = ['a', 'b', '{a,b}', '[c]', '<name>', '[-v]', '...'] as const;
    const synopsis = fc
      .tuple(fc.constantFrom('x', 'y', '{x,y}', 'x*', '/bin/x'), fc.subarray([...pieces], { minLength: 0 }))
      .map(([program, rest]) => [program, ...rest].join(' '));
    const command = fc.tuple(
      fc.constantFrom('x', 'y', 'xx', '/bin/x', '/usr/bin/y'),
      fc.array(fc.constantFrom('a', 'b', 'c', '-v', '--', 'd'), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(synopsis, { maxLength: 12 }), command, (synopses, [program, rest]) => {
        const words = [program, ...rest];
        const together = commandsOf(synopses.map(text => ({ pattern: patternOf(text), stdin: false })));
        const alone = synopses.map(text => ruleOf(text));
        expect(judge(together, words).hit).toBe(alone.some(rule => judge(rule, words).hit));
        expect(mayGrant(together, words.map(literal))).toBe(alone.some(rule => mayGrant(rule, words.map(literal))));
      }),
      { numRuns: 400 },
    );
  });
});
