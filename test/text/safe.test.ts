import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Safe, safeLine, safeText } from '../../src/text/safe.ts';

const whole = (bytes: Uint8Array): string => {
  const safe = new Safe();
  return safe.push(bytes) + safe.end();
};

/** The same bytes in pieces that end at the given places. */
const inPieces = (bytes: Uint8Array, cuts: readonly number[]): string => {
  const safe = new Safe();
  const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  return ends.map((end, index) => safe.push(bytes.subarray(ends[index - 1] ?? 0, end))).join('') + safe.end();
};

const ROWS: readonly (readonly [what: string, from: string | readonly number[], to: string])[] = [
  ['plain text', 'a b\tc\n', 'a b\tc\n'],
  ['text of other scripts', 'Привет, 世界 🌍 e\u0301', 'Привет, 世界 🌍 e\u0301'],
  ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
  ['colours by colon and private parameters', '\x1b[38:2::1:2:3mred\x1b[?25l\x1b[>4;2m', 'red'],
  ['a CSI with intermediates', '\x1b[2 qa\x1b[!pb', 'ab'],
  ['cursor movement and erasing', 'safe\x1b[4D\x1b[Krm -rf /', 'saferm -rf /'],
  ['an 8-bit CSI', '\u009b31mred\u009b0m', 'red'],
  ['an 8-bit CSI as one raw byte', [0x9b, 0x33, 0x31, 0x6d], '\ufffd31m'],
  ['a window title (OSC 0) ended by BEL', '\x1b]0;title\x07text', 'text'],
  ['a window title (OSC 2) ended by ST', '\x1b]2;title\x1b\\text', 'text'],
  ['a clipboard write (OSC 52)', '\x1b]52;c;cm0gLXJmIC8=\x07text', 'text'],
  ['a hyperlink (OSC 8)', '\x1b]8;;http://x/\x1b\\here\x1b]8;;\x1b\\', 'here'],
  ['a file transfer (OSC 1337)', '\x1b]1337;File=name=eA==:AAAA\x07text', 'text'],
  ['an 8-bit OSC ended by an 8-bit ST', '\u009d0;title\u009ctext', 'text'],
  ['a DCS with its body', '\x1bP1$r0m\x1b\\text', 'text'],
  ['an 8-bit DCS', '\u0090q#0\u009ctext', 'text'],
  ['an APC with its body', '\x1b_Gf=24;AAAA\x1b\\text', 'text'],
  ['an 8-bit APC', '\u009fbody\u009ctext', 'text'],
  ['a PM with its body', '\x1b^body\x1b\\text', 'text'],
  ['an SOS with its body', '\x1bXbody\x1b\\text', 'text'],
  ['a reset, a charset and a two-character escape', '\x1bca\x1b(Bb\x1b#8c\x1b7d', 'abcd'],
  ['an OSC that never ends', '\x1b]0;all of this', '\\u{1b}]0;all of this'],
  ['an OSC that the line ends', '\x1b]0;line\nnext', '\\u{1b}]0;line\nnext'],
  ['an OSC that another sequence breaks', '\x1b]0;x\x1b[31mred', '\\u{1b}]0;xred'],
  ['an OSC that a C1 control breaks', '\x1b]0;x\u009b31mred', '\\u{1b}]0;xred'],
  ['an OSC that CAN breaks', '\x1b]0;x\x18y', '\\u{1b}]0;x\\u{18}y'],
  ['an 8-bit OSC that never ends', '\u009dx', '\\u{9d}x'],
  ['a CSI that never ends', '\x1b[12;', '\\u{1b}[12;'],
  ['a CSI that a line feed breaks', '\x1b[12\nx', '\\u{1b}[12\nx'],
  ['a CSI that a letter of another script breaks', '\x1b[1я', '\\u{1b}[1я'],
  ['an escape at the end', 'x\x1b', 'x\\u{1b}'],
  ['an escape before ST at the end', '\x1b]x\x1b', '\\u{1b}]x\\u{1b}'],
  ['an escape before a control', '\x1b\x01x', '\\u{1b}\\u{1}x'],
  ['BEL', 'a\x07b', 'a\\u{7}b'],
  ['overwriting by BS', 'rm -rf /\b\b\b\bls', 'rm -rf /\\u{8}\\u{8}\\u{8}\\u{8}ls'],
  ['overwriting by CR', 'rm -rf /\rls      ', 'rm -rf /\nls      '],
  ['a line end with CR', 'a\r\nb\r\n', 'a\nb\n'],
  ['a line end with two CR', 'a\r\r\nb', 'a\nb'],
  ['a CR at the end', 'a\r', 'a\n'],
  ['a sequence after a CR', '10%\r\x1b[K20%', '10%\n20%'],
  ['NUL, VT, FF and DEL', 'a\0b\vc\fd\x7f', 'a\\u{0}b\\u{b}c\\u{c}d\\u{7f}'],
  ['shift out and in', '\x0elqk\x0f', '\\u{e}lqk\\u{f}'],
  ['NEL and other C1', 'a\u0085b\u008ec', 'a\\u{85}b\\u{8e}c'],
  ['an ST without its string', 'a\u009cb', 'a\\u{9c}b'],
  ['bidi overrides', 'a\u202edcb\u202c', 'a\\u{202e}dcb\\u{202c}'],
  ['bidi isolates', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
  ['bidi marks', '\u200ea\u200f\u061c', '\\u{200e}a\\u{200f}\\u{61c}'],
  [
    'zero-width space, joiners and word joiner',
    'a\u200bb\u200cc\u200dd\u2060e',
    'a\\u{200b}b\\u{200c}c\\u{200d}d\\u{2060}e',
  ],
  ['a byte order mark', '\ufefftext', '\\u{feff}text'],
  ['tag characters', 'a\u{e0041}\u{e007f}', 'a\\u{e0041}\\u{e007f}'],
  ['variation selectors', 'a\ufe00\ufe0d', 'a\\u{fe00}\\u{fe0d}'],
  ['the selectors of plain and coloured glyphs', '✔\ufe0f ⚠\ufe0e x\ufe0f', '✔ ⚠ x'],
  ['variation selectors supplement', 'a\u{e0100}\u{e01ef}', 'a\\u{e0100}\\u{e01ef}'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
  ['a soft hyphen', 'a\u00adb', 'a\\u{ad}b'],
  ['Hangul fillers', 'a\u115f\u1160\u3164\uffa0', 'a\\u{115f}\\u{1160}\\u{3164}\\u{ffa0}'],
  ['a combining grapheme joiner', 'a\u034fb', 'a\\u{34f}b'],
  ['Khmer and Mongolian invisibles', '\u17b4\u17b5\u180b\u180e', '\\u{17b4}\\u{17b5}\\u{180b}\\u{180e}'],
  ['deprecated format characters', '\u206a\u206f', '\\u{206a}\\u{206f}'],
  ['interlinear annotation', '\ufff9a\ufffab\ufffb', '\\u{fff9}a\\u{fffa}b\\u{fffb}'],
  ['musical and shorthand format characters', '\u{1d173}\u{1bca0}', '\\u{1d173}\\u{1bca0}'],
  ['a noncharacter', 'a\uffffb', 'a\\u{ffff}b'],
  ['a lone surrogate in UTF-8', [0x61, 0xed, 0xa0, 0x80, 0x62], 'a\ufffd\ufffd\ufffdb'],
  ['an overlong slash', [0xc0, 0xaf], '\ufffd\ufffd'],
  ['an overlong escape', [0xe0, 0x80, 0x9b, 0x33], '\ufffd\ufffd\ufffd3'],
  ['bytes above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
  ['a character that is cut short', [0x61, 0xf0, 0x9f, 0x98], 'a\ufffd'],
  ['a cut character before a letter', [0xe2, 0x82, 0x61], '\ufffda'],
  ['UTF-16 text', [0x61, 0x00, 0x3d, 0xd8, 0x00, 0xde], 'a\\u{0}=\ufffd\\u{0}\ufffd'],
  ['a lone low surrogate in UTF-8', [0xed, 0xb8, 0x80], '\ufffd\ufffd\ufffd'],
  ['an overlong NUL', [0xc0, 0x80], '\ufffd\ufffd'],
  ['a CSI of the greatest length', `\x1b[${'1'.repeat(254)}mx`, 'x'],
  ['a CSI that is one too long', `\x1b[${'1'.repeat(255)}mx`, `\\u{1b}[${'1'.repeat(255)}mx`],
  ['Latin-1 text', [0x63, 0x61, 0x66, 0xe9, 0x20], 'caf\ufffd '],
];

describe('a text made safe', () => {
  test.each(ROWS)('%s', (_what, from, to) => {
    const bytes = typeof from === 'string' ? Buffer.from(from) : Uint8Array.from(from);
    expect(whole(bytes)).toBe(to);
    for (let cut = 0; cut <= bytes.length; cut++) expect(inPieces(bytes, [cut])).toBe(to);
    expect(inPieces(bytes, Array.from(bytes.keys()))).toBe(to);
  });

  test('a sequence that is too long to be one is shown, and what follows goes on', () => {
    const parameters = '1'.repeat(300);
    expect(safeText(`\x1b[${parameters}m end`)).toBe(`\\u{1b}[${parameters}m end`);
    expect(safeText(`\x1b${' '.repeat(300)}F end`)).toBe(`\\u{1b}${' '.repeat(300)}F end`);
  });

  test('a string of control swallows nothing once it is too long', () => {
    const body = 'x'.repeat(70_000);
    expect(safeText(`\x1b]0;${body}\x07 end`)).toBe(`\\u{1b}]0;${body}\\u{7} end`);
  });

  test('a string of control within the limit is left out whole', () => {
    expect(safeText(`\x1b]52;c;${'A'.repeat(65_000)}\x07end`)).toBe('end');
  });

  test('it can be used again after the end of a stream', () => {
    const safe = new Safe();
    safe.push(Buffer.from('\x1b]0;x'));
    safe.end();
    expect(safe.push(Buffer.from('plain'))).toBe('plain');
  });

  test('the bytes given are not kept: the caller may reuse them', () => {
    const safe = new Safe();
    const chunk = Buffer.from('\u20ac').subarray(0, 2);
    const first = safe.push(chunk);
    chunk.fill(0x41);
    expect(first + safe.push(Uint8Array.of(0xac)) + safe.end()).toBe('\u20ac');
  });

  test('a million openings of sequences take no more than linear time', () => {
    const began = performance.now();
    for (const opening of ['\x1b', '\x1b[', '\x1b]', '\u009d', '\x1b]\x1b', '\r', '\x1b]\n'])
      safeText(opening.repeat(200_000));
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

/** Bytes that lean towards trouble: pieces of sequences, controls, cut and whole characters. */
const troublesome = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .constantFrom(
          ...['\x1b', '\x1b[', '\x1b]', '\x1bP', '\x1b\\', '\x07', '\r', '\n', '\r\n', '\u009b', '\u009d', '\u009c'],
          ...['[31m', ';1', '\u202e', '\u{e0041}', '\ufe0f', 'я', '世', '🌍', 'text', '\x18', '\b'],
        )
        .map(text => Uint8Array.from(Buffer.from(text))),
    ),
    { maxLength: 20 },
  )
  .map(parts => Uint8Array.from(Buffer.concat(parts)));

describe('whatever the bytes', () => {
  test('where the chunks are cut does not matter', () => {
    fc.assert(
      fc.property(troublesome, fc.array(fc.nat(200), { maxLength: 8 }), (bytes, cuts) => {
        expect(inPieces(bytes, cuts)).toBe(whole(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('the output has only visible characters, tabs and line feeds, and is well formed [G11]', () => {
    const unsafe =
      /[^\P{Cc}\t\n]|\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|\p{Cs}|\p{Zl}|\p{Zp}|[\ufff9-\ufffb]/u;
    fc.assert(
      fc.property(troublesome, bytes => {
        expect(whole(bytes)).not.toMatch(unsafe);
      }),
      { numRuns: 3000 },
    );
  });

  test('making a safe text safe again changes nothing', () => {
    fc.assert(
      fc.property(troublesome, bytes => {
        const once = whole(bytes);
        expect(safeText(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  test('text without anything hidden is decoded as the Encoding Standard does', () => {
    const bytes = fc.array(
      fc.oneof(
        fc.integer({ min: 0x20, max: 0x7e }).map(byte => [byte]),
        fc.uint8Array({ minLength: 1, maxLength: 4 }).map(some => Array.from(some, byte => byte | 0x80)),
      ),
    );
    fc.assert(
      fc.property(bytes, parts => {
        const input = Uint8Array.from(parts.flat());
        const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(input);
        fc.pre(safeText(decoded) === decoded);
        expect(whole(input)).toBe(decoded);
      }),
      { numRuns: 3000 },
    );
  });
});

test('every default-ignorable and bidi control character of Unicode is caught', () => {
  const passed: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    if (
      /\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|\p{Cc}|\p{Zl}|\p{Zp}/u.test(character) &&
      safeText(character) === character
    )
      passed.push(code.toString(16));
  }
  expect(passed).toEqual(['9', 'a']);
});

test('a line is safe, on one line, and cut at whole characters', () => {
  expect(safeLine('a\n\x1b[31mb\t c ')).toBe('a b c');
  expect(safeLine('🌍🌍🌍', 2)).toBe('🌍🌍…');
  expect(safeLine('x'.repeat(1_000_000))).toBe(`${'x'.repeat(200)}…`);
});
