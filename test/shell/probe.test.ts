import { expect, test } from 'vitest';
import { PROBE, provesShell } from '../../src/shell/probe.ts';
import { runShell, shells } from '../support/shells.ts';
import { sent } from './sent.ts';

const ANSWER =
  "<sallyport><it's><!x y!><a\\y><\\><'\\!'><>< two  blanks\t><$HOME ${x} $(x) `x`><* ? [a-z] {a,b} ~ # ^ =x><\"&|;<>()\"><%s\\n><done>";

test.each(shells)('$name proves itself', async shell => {
  const { stdout } = await runShell(shell, sent(PROBE), { LC_ALL: 'C' });
  expect(stdout).toBe(ANSWER);
  expect(provesShell(stdout)).toBe(true);
});

test('the probe holds every escape at both levels, and no byte that a locale could change', () => {
  expect(sent(PROBE)).toMatch(/^exec \/usr\/bin\/env SALLYPORT_ID=[0-9a-f.]+ \/bin\/sh -c [\t -~]+$/);
  for (const spelled of ["\\'", '\\\\', '\\!', "\\\\\\'", '\\\\\\\\', '\\\\\\!'])
    expect(sent(PROBE)).toContain(spelled);
});

test.each([
  ['', false],
  [ANSWER.replace('!x', 'x'), false],
  [ANSWER.replace('a\\y', 'ay'), false],
  [ANSWER.replace('two  blanks', 'two blanks'), false],
  [`${ANSWER}\n`, false],
  [sent(PROBE), false],
  [`Welcome!\n${ANSWER}`, true],
])('an answer is right to the byte, whatever stands before it (%#)', (output, proves) => {
  expect(provesShell(output)).toBe(proves);
});
