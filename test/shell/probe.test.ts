import { expect, test } from 'vitest';
import { PROBE, provesShell } from '../../src/shell/probe.ts';
import { wrap } from '../../src/shell/write.ts';
import { runShell, shells } from '../support/shells.ts';

const ANSWER =
  "<sallyport><it's><!x y!><a\\y><\\><'\\!'><>< two  blanks\t><$HOME ${x} $(x) `x`><* ? [a-z] {a,b} ~ # ^ =x><\"&|;<>()\"><%s\\n><done>";

test.each(shells)('$name proves itself', async shell => {
  const { stdout } = await runShell(shell, wrap(PROBE), { LC_ALL: 'C' });
  expect(stdout).toBe(ANSWER);
  expect(provesShell(stdout)).toBe(true);
});

test('the probe holds every escape at both levels, and no byte that a locale could change', () => {
  expect(wrap(PROBE)).toMatch(/^exec \/bin\/sh -c [\t -~]+$/);
  for (const spelled of ["\\'", '\\\\', '\\!', "\\\\\\'", '\\\\\\\\', '\\\\\\!'])
    expect(wrap(PROBE)).toContain(spelled);
});

test.each([
  ['', false],
  [ANSWER.replace('!x', 'x'), false],
  [ANSWER.replace('a\\y', 'ay'), false],
  [ANSWER.replace('two  blanks', 'two blanks'), false],
  [`${ANSWER}\n`, false],
  [wrap(PROBE), false],
  [`Welcome!\n${ANSWER}`, true],
])('an answer is right to the byte, whatever stands before it (%#)', (output, proves) => {
  expect(provesShell(output)).toBe(proves);
});
