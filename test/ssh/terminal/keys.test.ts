import { describe, expect, test } from 'vitest';
import { bytesOfKey, bytesOfText } from '../../../src/ssh/terminal/keys.ts';
import { NAMED_KEYS } from '../../../src/text/key.ts';

const PLAIN = { applicationCursor: false, bracketedPaste: false };
const APPLICATION = { applicationCursor: true, bracketedPaste: false };
const PASTING = { applicationCursor: false, bracketedPaste: true };

describe('a key', () => {
  test.each([
    ['a', 'a'],
    ['é', 'é'],
    ['enter', '\r'],
    ['tab', '\t'],
    ['shift-tab', '\u001b[Z'],
    ['escape', '\u001b'],
    ['backspace', '\u007f'],
    ['space', ' '],
    ['delete', '\u001b[3~'],
    ['insert', '\u001b[2~'],
    ['up', '\u001b[A'],
    ['down', '\u001b[B'],
    ['right', '\u001b[C'],
    ['left', '\u001b[D'],
    ['home', '\u001b[H'],
    ['end', '\u001b[F'],
    ['page-up', '\u001b[5~'],
    ['page-down', '\u001b[6~'],
    ['f1', '\u001bOP'],
    ['f5', '\u001b[15~'],
    ['f10', '\u001b[21~'],
    ['f12', '\u001b[24~'],
    ['ctrl-a', '\u0001'],
    ['ctrl-c', '\u0003'],
    ['ctrl-z', '\u001a'],
    ['ctrl-@', '\u0000'],
    ['ctrl-\\', '\u001c'],
    ['ctrl-_', '\u001f'],
    ['ctrl-m', '\r'],
    ['alt-x', '\u001bx'],
  ])('%s is sent as %j', (key, bytes) => {
    expect(bytesOfKey(key, PLAIN)).toBe(bytes);
  });

  test('of the cursor is another one for a program in application mode, and all others are the same', () => {
    const changed = NAMED_KEYS.filter(key => bytesOfKey(key, APPLICATION) !== bytesOfKey(key, PLAIN));
    expect(changed).toEqual(['up', 'down', 'left', 'right', 'home', 'end']);
    expect(bytesOfKey('up', APPLICATION)).toBe('\u001bOA');
  });
});

describe('a text', () => {
  test.each([
    ['one line', PLAIN, 'one line'],
    ['two\nlines', PLAIN, 'two\nlines'],
    ['one line', PASTING, 'one line'],
    ['one line\n', PASTING, 'one line\n'],
    ['two\nlines', PASTING, '\u001b[200~two\nlines\u001b[201~'],
    ['two\nlines\n', PASTING, '\u001b[200~two\nlines\u001b[201~\n'],
    ['two\rlines\r\n', PASTING, '\u001b[200~two\rlines\u001b[201~\r\n'],
    ['a\nb\u001b[201~c', PASTING, '\u001b[200~a\nbc\u001b[201~'],
    ['a\nb\u001b[20\u001b[201~1~c', PASTING, '\u001b[200~a\nbc\u001b[201~'],
  ])('%j is typed as it is, or pasted where lines would be taken apart', (text, keyboard, bytes) => {
    expect(bytesOfText(text, keyboard)).toBe(bytes);
  });
});
