import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMarks } from '../../../src/ssh/command/mark.ts';
import { terminalText } from '../../../src/ssh/terminal/terminal-launch.ts';
import { TerminalLine } from '../../../src/ssh/terminal/terminal-line.ts';

const NONCE = '\u00020123456789abcdef';
const SIZE = { cols: 80, rows: 24 };
const line = () => new TerminalLine(NONCE, SIZE);
const fed = (...chunks: readonly string[]) => {
  const one = line();
  const output = Buffer.concat(chunks.map(chunk => Buffer.from(one.receive(Buffer.from(chunk))))).toString();
  return { output, tty: one.tty };
};
const TTY = { device: '/dev/pts/7', leader: 4242 };

test.each([
  [`${NONCE} /dev/pts/7 4242\r\nprompt $ `, 'prompt $ ', TTY],
  [`noise of a startup file${NONCE} /dev/pts/7 4242\r\nrest`, 'noise of a startup filerest', TTY],
  [`${NONCE} - 4242\r\nrest`, 'rest', undefined],
  ['sh: not found\r\n', 'sh: not found\r\n', undefined],
  [`+ exec sh ${NONCE}\r\n${NONCE} /dev/pts/7 4242\r\nx`, `+ exec sh ${NONCE}\r\nx`, TTY],
  [`${NONCE} /dev/../etc/passwd; 4242\r\nx`, `${NONCE} /dev/../etc/passwd; 4242\r\nx`, undefined],
  [`${NONCE} /dev/pts/7 0\r\nx`, `${NONCE} /dev/pts/7 0\r\nx`, undefined],
  [`${NONCE} ${'x'.repeat(5000)}`, `${NONCE} ${'x'.repeat(5000)}`, undefined],
])('%j announces a terminal, or is output', (text, output, tty) => {
  expect(fed(text)).toEqual({ output, tty });
});

test('the announcement is found wherever its chunks are cut', () => {
  const text = `first ${NONCE.slice(0, 5)} then ${NONCE} /dev/pts/7 4242\r\nprompt`;
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), cuts => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = at.slice(1).map((end, index) => text.slice(at[index], end));
      expect(fed(...chunks)).toEqual({ output: `first ${NONCE.slice(0, 5)} then prompt`, tty: TTY });
    }),
  );
});

test('a host that repeats the nonce is not listened to for long', () => {
  const noise = `${NONCE}\r\n`.repeat(50_000);
  expect(fed(noise, `${NONCE} /dev/pts/7 4242\r\n`)).toEqual({
    output: `${noise}${NONCE} /dev/pts/7 4242\r\n`,
    tty: undefined,
  });
});

test('a second announcement is output of the program', () => {
  const { output, tty } = fed(`${NONCE} /dev/pts/7 4242\r\n`, `${NONCE} /dev/pts/9 1\r\n`);
  expect({ output, tty }).toEqual({ output: `${NONCE} /dev/pts/9 1\r\n`, tty: TTY });
});

const mark = createMarks(bytes => Buffer.alloc(bytes, 7))();

test.each([
  [{ argv: ['--help'] }, 'begins with -'],
  [{ argv: ['a', 'b\0c'] }, 'NUL'],
  [{ text: 'x'.repeat(130_000) }, 'longer than'],
] as const)('%j is refused before anything is sent', (program, message) => {
  expect(() => terminalText(program, mark, 'n')).toThrow(message);
});
