import { describe, expect, test } from 'vitest';
import { isKey, keyName, keysOf } from '../../src/text/key.ts';

describe('the name of a key', () => {
  test.each([
    ['q', 'q'],
    ['Q', 'Q'],
    ['é', 'é'],
    ['🙂', '🙂'],
    [' ', 'space'],
    ['space', 'space'],
    ['enter', 'enter'],
    ['ctrl-c', 'ctrl-c'],
    ['ctrl-m', 'enter'],
    ['ctrl-i', 'tab'],
    ['ctrl-[', 'escape'],
    ['ctrl-\\', 'ctrl-\\'],
    ['alt-x', 'alt-x'],
    ['alt-X', 'alt-X'],
    ['shift-tab', 'shift-tab'],
    ['page-up', 'page-up'],
    ['f12', 'f12'],
  ])('%j is %j', (text, name) => {
    expect(keyName(text)).toBe(name);
  });

  test.each([
    '',
    'qq',
    'f13',
    'f0',
    'ctrl-C',
    'ctrl-1',
    'ctrl-cc',
    'alt-',
    'alt-ab',
    'Enter',
    'pageup',
    '\u0003',
    '\u001b',
    '\u007f',
    '\u202e',
    'alt-\u200b',
    'constructor',
    '__proto__',
  ])('%j is none', text => {
    expect(isKey(text)).toBe(false);
  });
});

test('a text is typed with one key for each of its characters, whatever they are', () => {
  expect(keysOf('a B\r\n\t\u001b[A\u0003\u007f\u0000é\u202e')).toEqual([
    ...['a', 'space', 'B', 'enter', 'ctrl-j', 'tab', 'escape', '[', 'A'],
    ...['ctrl-c', 'backspace', 'ctrl-@', 'é', 'u+202e'],
  ]);
});
