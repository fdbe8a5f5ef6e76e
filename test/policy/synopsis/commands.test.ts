import { expect, test } from 'vitest';
import { commandsOf, grant } from '../../../src/policy/synopsis/commands.ts';
import { patternOf, ruleOf, wordsOf } from './support.ts';

const filters = commandsOf([
  { pattern: patternOf('timeout <duration> <command>'), stdin: true },
  { pattern: patternOf('nice <command>'), stdin: false },
  { pattern: patternOf('wc [-l]'), stdin: true },
  { pattern: patternOf('uptime'), stdin: false },
]);

test.each([
  ['wc -l', true],
  ['timeout 5 wc', true],
  ['uptime', 'it may not read this input'],
  ['timeout 5 uptime', 'it may not read this input'],
  ['nice wc', 'it may not read this input'],
])('%s, with input that the agent shapes', (text, expected) => {
  const outcome = grant(filters, { words: wordsOf(text), shaped: true });
  expect(outcome.hit || outcome.why).toBe(expected);
});

test('a grant names every synopsis on the way', () => {
  const outcome = grant(filters, { words: wordsOf('timeout 5 nice uptime'), shaped: false });
  expect(outcome.hit && outcome.by.map(({ source }) => source)).toEqual([
    'timeout <duration> <command>',
    'nice <command>',
    'uptime',
  ]);
});

test('what is not granted names the synopsis that came closest, and the word', () => {
  const rule = ruleOf('systemctl status <name>', 'systemctl restart {nginx,app}', 'systemctl list-units');
  expect(grant(rule, { words: wordsOf('systemctl restart sshd'), shaped: false })).toEqual({
    hit: false,
    word: 2,
    why: '"sshd" is not {nginx,app}',
    synopsis: 'systemctl restart {nginx,app}',
  });
  expect(grant(rule, { words: wordsOf('service restart'), shaped: false })).toEqual({
    hit: false,
    word: 0,
    why: 'no synopsis names this program',
  });
});

test('words that the server writes in stand where the synopsis has them, and a synopsis that has some is preferred', () => {
  const rule = ruleOf(
    'sudo [-n] <command>',
    'git log [-<int>]',
    'git <with -c core.fsmonitor=false --no-pager> [-C <path:/srv/**>] log <with --no-ext-diff> [--oneline] [-<int>]',
  );
  const written = (text: string) => {
    const outcome = grant(rule, { words: wordsOf(text), shaped: false });
    return outcome.hit && outcome.written;
  };
  const first = ['-c', 'core.fsmonitor=false', '--no-pager'];
  expect(written('git -C /srv/app log -5')).toEqual([
    { before: 1, words: first },
    { before: 4, words: ['--no-ext-diff'] },
  ]);
  expect(written('git log -5')).toEqual([
    { before: 1, words: first },
    { before: 2, words: ['--no-ext-diff'] },
  ]);
  expect(written('sudo -n git log')).toEqual([
    { before: 3, words: first },
    { before: 4, words: ['--no-ext-diff'] },
  ]);
});

test('a word that is too long for a refusal is cut there', () => {
  const outcome = grant(ruleOf('x a'), { words: wordsOf(`x ${'y'.repeat(100)}`), shaped: false });
  expect(outcome.hit || outcome.why).toBe(`"${'y'.repeat(57)}…" is not a`);
});
