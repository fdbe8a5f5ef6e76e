import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TerminalModes } from '../../../src/ssh/terminal/terminal-modes.ts';
import { TAIL_BYTES, TerminalTail } from '../../../src/ssh/terminal/terminal-tail.ts';

const of = (modes: TerminalModes) => ({
  alternate: modes.alternate,
  applicationCursor: modes.applicationCursor,
  applicationKeypad: modes.applicationKeypad,
  bracketedPaste: modes.bracketedPaste,
  cursorVisible: modes.cursorVisible,
  title: modes.title,
  between: modes.between,
});
const NONE = of(new TerminalModes());
const modesAfter = (...chunks: readonly string[]) => {
  const modes = new TerminalModes();
  for (const chunk of chunks) modes.push(Buffer.from(chunk, 'utf8'));
  return of(modes);
};

describe('what a program asks of its terminal', () => {
  test.each([
    ['\u001b[?1049h', { alternate: true }],
    ['\u001b[?47h', { alternate: true }],
    ['\u001b[?1049h\u001b[?1049l', {}],
    ['\u001b[?1h\u001b=', { applicationCursor: true, applicationKeypad: true }],
    ['\u001b[?1h\u001b=\u001b[!p', {}],
    ['\u001b[?2004;25l', { cursorVisible: false }],
    ['\u001b[?1006;2004h', { bracketedPaste: true }],
    ['\u001b]0;a title\u0007', { title: 'a title' }],
    ['\u001b]2;tîtle\u001b\\', { title: 'tîtle' }],
    ['\u001b]2;x\u202ey\u0007', { title: 'x\\u{202e}y' }],
    ['\u001b]52;c;aGk=\u0007', {}],
    ['\u001b[?1049h\u001bc', {}],
    ['text \u001b[31mred\u001b[0m', {}],
    ['\u001b[1h\u001b[4h', {}],
    ['\u001bP1$r?1049h\u001b\\', {}],
    ['\u001b]0;[?1049h\u0007', { title: '[?1049h' }],
    ['\u001b[?10\u001849h', {}],
    ['\u001b[?1049', { between: false }],
    [`\u001b[${'9'.repeat(500)}`, { between: false }],
    [`\u001b]0;${'t'.repeat(5000)}\u0007`, { title: `${'t'.repeat(200)}…` }],
  ])('is read from %j', (text, changes) => {
    expect(modesAfter(text)).toEqual({ ...NONE, ...changes });
  });

  test('does not depend on where chunks are cut', () => {
    const piece = fc.constantFrom(
      ...[
        '\u001b',
        '[',
        '?',
        '1049',
        '2004',
        ';',
        'h',
        'l',
        ']',
        '0;',
        'title',
        '\u0007',
        '\\',
        '=',
        'c',
        '!p',
        'é',
        '\u0018',
        'P',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
        expect(modesAfter(...pieces)).toEqual(modesAfter(pieces.join('')));
      }),
    );
  });
});

describe('the tail of the output', () => {
  test('keeps the last bytes, whatever the sizes of the chunks, and what the others had set', () => {
    const tail = new TerminalTail();
    const whole: Buffer[] = [];
    const push = (text: string): void => {
      whole.push(Buffer.from(text));
      tail.push(Buffer.from(text));
    };
    push('\u001b[?1049h');
    expect(tail.before.alternate).toBe(false);
    for (let size = 1; size < 40_000; size = Math.ceil(size * 1.7)) push('x'.repeat(size));
    expect(tail.since(0)?.equals(Buffer.concat(whole))).toBe(true);
    for (let round = 0; round < 40; round += 1) push(`${round}${'y'.repeat(10_007)}`);
    const all = Buffer.concat(whole);
    expect(tail.length).toBe(all.length);
    expect(tail.oldest).toBe(all.length - TAIL_BYTES);
    expect(tail.since(tail.oldest)?.equals(all.subarray(-TAIL_BYTES))).toBe(true);
    expect(tail.since(all.length - 5)).toEqual(all.subarray(-5));
    expect(tail.since(all.length)).toEqual(Buffer.alloc(0));
    expect(tail.since(0)).toBeUndefined();
    expect(tail.before.alternate).toBe(true);
  });

  test('takes one chunk that is larger than itself', () => {
    const tail = new TerminalTail();
    tail.push(Buffer.concat([Buffer.alloc(TAIL_BYTES, 'a'), Buffer.alloc(TAIL_BYTES, 'b')]));
    expect(tail.since(tail.oldest)?.equals(Buffer.alloc(TAIL_BYTES, 'b'))).toBe(true);
  });
});
