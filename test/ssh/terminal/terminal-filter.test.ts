import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TerminalFilter } from '../../../src/ssh/terminal/terminal-filter.ts';
import { TerminalLine } from '../../../src/ssh/terminal/terminal-line.ts';
import { TerminalScreen } from '../../../src/ssh/terminal/terminal-screen.ts';
import { Redaction } from '../../../src/text/redact.ts';

const SIZE = { cols: 120, rows: 40 };
const filtered = (...chunks: readonly string[]): string => {
  const filter = new TerminalFilter();
  return chunks.map(chunk => filter.push(Buffer.from(chunk, 'latin1'), SIZE).toString('latin1')).join('');
};

test.each([
  ['plain é text\r\n', 'plain é text\r\n'],
  ['\u001b[31;1mred\u001b[0m', '\u001b[31;1mred\u001b[0m'],
  ['\u001b[38;2;255;128;0m', '\u001b[38;2;255;128;0m'],
  ['\u001b[?1049h\u001b[?2004l', '\u001b[?1049h\u001b[?2004l'],
  ['\u001b[2147483647S', '\u001b[40S'],
  ['\u001b[999L\u001b[999M\u001b[999T', '\u001b[40L\u001b[40M\u001b[40T'],
  ['a\u001b[2147483647b', 'a\u001b[255b'],
  ['\u001b[99999;99999H', '\u001b[255;255H'],
  ['\u001b]0;title 99999\u0007', '\u001b]0;title 99999\u0007'],
  ['\u001b(B\u001b=\u001b7', '\u001b(B\u001b=\u001b7'],
  ['\u001b[12\u001b[2147483647S', '\u001b[12\u001b[40S'],
  ['\u001b\u001b[5S', '\u001b\u001b[5S'],
  ['\u001b[12', ''],
])('%j goes to the emulator as %j', (text, passed) => {
  expect(filtered(text)).toBe(passed);
});

test('the result does not depend on where chunks are cut', () => {
  const piece = fc.constantFrom('\u001b', '[', '?', '1', '99999', ';', 'S', 'm', 'x', ']', '\u0007', '\n', '!');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
      expect(filtered(...pieces)).toBe(filtered(pieces.join('')));
    }),
  );
});

describe('a hostile screen', () => {
  const drawn = async (bytes: string, size = SIZE) => {
    const line = new TerminalLine('\u0002nonce', size);
    line.receive(Buffer.from(`\u0002nonce /dev/pts/1 2\n${bytes}`));
    const screen = new TerminalScreen(line, { after: () => () => undefined, redaction: redaction() });
    const shown = await screen.read();
    screen.free();
    return shown;
  };
  const redaction = (): Redaction => {
    const held = new Redaction();
    held.add('correct horse battery');
    return held;
  };

  test.each(['S', 'T', 'L', 'M', 'b', '@', 'P', 'X', 'A', 'I', 'Z', 'E', 'd'])(
    'full of the greatest number before %s is drawn in a moment',
    async letter => {
      const started = performance.now();
      await drawn(`a\u001b[2147483647${letter}`.repeat(3_000));
      expect(performance.now() - started).toBeLessThan(5_000);
    },
  );

  test('shows nothing that cannot be seen, and no secret that is held', async () => {
    const { lines, title } = await drawn('\u001b]0;correct horse battery\u0007a\u202eb\r\ncorrect horse battery!');
    expect(lines).toEqual([expect.not.stringContaining('\u202e'), '[redacted]!']);
    expect(title).toBe('[redacted]');
  });

  test('whose beginning is gone in the middle of a sequence is drawn from the next one on', async () => {
    const { lines } = await drawn(`${'x'.repeat(300_000)}\u001b[2J\u001b[Hclean`);
    expect(lines).toEqual(['clean']);
  });

  test('asks its questions in vain', async () => {
    const line = new TerminalLine('\u0002nonce', SIZE);
    const sent: string[] = [];
    line.write = bytes => void sent.push(bytes);
    line.receive(
      Buffer.from('\u0002nonce /dev/pts/1 2\n\u001b[c\u001b[6n\u001b[>c\u001bP$qm\u001b\\\u001b]10;?\u0007'),
    );
    await new TerminalScreen(line, { after: () => () => undefined, redaction: new Redaction() }).read();
    expect(sent).toEqual([]);
  });
});
