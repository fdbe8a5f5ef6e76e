import { expect, test } from 'vitest';
import { COLUMNS, linesOf } from '../../src/text/question.ts';

const shown = (text: string, name = 'word'): readonly string[] | undefined => linesOf([{ name, text }]);

test.each<{ title: string; text: string; lines: readonly string[] }>([
  { title: 'a plain word', text: 'uptime', lines: ['word: uptime'] },
  { title: 'nothing', text: '', lines: ['word: ‹nothing›'] },
  { title: 'an escape sequence', text: 'ls\x1b[2K\x1b[1Arm', lines: ['word: ls‹escape›[2K‹escape›[1Arm'] },
  { title: 'a C1 control', text: 'ls\x9b2Krm', lines: ['word: ls‹U+009B›2Krm'] },
  { title: 'a carriage return', text: 'rm -rf /\rls', lines: ['word: rm -rf /‹carriage return›ls'] },
  { title: 'a backspace', text: 'rm\b\bls', lines: ['word: rm‹U+0008›‹U+0008›ls'] },
  { title: 'a bidi override', text: 'a\u202egpj.exe', lines: ['word: a‹U+202E›gpj.exe'] },
  { title: 'letters that are drawn from right to left', text: 'a\u05d0b', lines: ['word: a‹U+05D0›b'] },
  { title: 'a zero-width space', text: 'sy\u200bstemctl', lines: ['word: sy‹U+200B›stemctl'] },
  { title: 'a letter that looks like another', text: 'p\u0430sswd', lines: ['word: p‹U+0430›sswd'] },
  { title: 'a combining mark', text: 'e\u0301', lines: ['word: e‹U+0301›'] },
  { title: 'a space that is none', text: 'a\u00a0b', lines: ['word: a‹U+00A0›b'] },
  { title: 'a letter of Latin-1', text: 'café', lines: ['word: café'] },
  { title: 'a wide character', text: '日', lines: ['word: ‹U+65E5›'] },
  { title: 'one beyond the first plane', text: '\u{e0041}', lines: ['word: ‹U+E0041›'] },
  { title: 'a lone surrogate, which a byte of a name is', text: '\udcff', lines: ['word: ‹U+DCFF›'] },
  { title: 'a tab', text: 'a\tb', lines: ['word: a‹tab›b'] },
  {
    title: 'spaces that push something away',
    text: `ls${' '.repeat(60_000)}; rm`,
    lines: ['word: ls‹60000 spaces›; rm'],
  },
  { title: 'spaces at the end', text: 'ls  ', lines: ['word: ls‹2 spaces›'] },
  { title: 'two lines', text: 'a\nb', lines: ['word:', '  | a', '  | b'] },
  {
    title: 'empty lines that push something away',
    text: `a${'\n'.repeat(500)}b`,
    lines: ['word:', '  | a', '  | ‹499 empty lines›', '  | b'],
  },
  { title: 'a line that is like ours', text: 'x\nhost: safe-1', lines: ['word:', '  | x', '  | host: safe-1'] },
  { title: 'text that is like what we write', text: '‹60000 spaces›', lines: ['word: ‹U+2039›60000 spaces‹U+203A›'] },
])('$title is shown so that nobody is deceived', ({ text, lines }) => {
  expect(shown(text)).toEqual(lines);
});

test('different texts are never shown as the same lines', () => {
  const texts = [
    'a',
    'a ',
    'a\n',
    '\na',
    'a\t',
    'a\r',
    '‹tab›',
    'a\u200b',
    'аa',
    'a‹›',
    '',
    '‹nothing›',
    'a'.repeat(100),
    `${'a'.repeat(72)}\n${'a'.repeat(28)}`,
  ];
  const all = texts.map(text => JSON.stringify(shown(text)));
  expect(new Set(all).size).toBe(texts.length);
});

test('no line is longer than a terminal client shows, and what is written out is not torn', () => {
  const lines = shown(`${'x'.repeat(70)}\u202e${'y'.repeat(300)}`) ?? [];
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(COLUMNS);
  expect(lines[1]).toBe(`  | ${'x'.repeat(70)}`);
  expect(lines[2]).toMatch(/^ {2}… ‹U\+202E›y+$/);
  expect(
    lines
      .slice(1)
      .map(line => line.slice(4))
      .join(''),
  ).toBe(`${'x'.repeat(70)}‹U+202E›${'y'.repeat(300)}`);
});

test.each([
  { title: 'a NUL', text: 'a\0b' },
  { title: 'binary data', text: '\x01\x02\x03\x04\x05\x06\x07\x0e'.repeat(40) },
  { title: 'more than a person reads', text: 'abcdefgh '.repeat(1_000) },
  { title: 'a text that is mostly escapes', text: '\u202e'.repeat(2_000) },
  { title: 'more lines than a person reads', text: 'a\n'.repeat(3_000) },
  { title: 'a text that nobody looks through', text: ' '.repeat(1_048_577) },
])('$title is not shown at all', ({ text }) => {
  expect(shown(text)).toBeUndefined();
});

test('a megabyte of anything is decided at once', () => {
  const begun = performance.now();
  for (const text of ['\u202e'.repeat(300_000), '\n'.repeat(1_000_000), ' a'.repeat(500_000), '‹'.repeat(1_000_000)])
    shown(text);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
