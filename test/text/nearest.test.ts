import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/text/nearest.ts';

const WORDS = ['default', 'hide', 'tools', 'ssh_exec', 'ssh_session_end', 'ssh_session_send'];

test.each([
  ['defualt', 'default'],
  ['defaults', 'default'],
  ['HIDE', 'hide'],
  ['tool', 'tools'],
  ['toolz', 'tools'],
  ['ssh-exec', 'ssh_exec'],
  ['ssh_sesion_end', 'ssh_session_end'],
  ['hd', undefined],
  ['rules', undefined],
  ['', undefined],
  ['x', undefined],
  ['constructor', undefined],
])('%j most likely means %j', (word, meant) => {
  expect(nearest(word, WORDS)).toBe(meant);
});

test('of two that are as near, the first is named', () => {
  expect(nearest('ab', ['ac', 'ad'])).toBe('ac');
});

test('a very long word is compared quickly, and means nothing', () => {
  expect(nearest('x'.repeat(1_000_000), WORDS)).toBeUndefined();
});

test('the question is asked only when there is an answer', () => {
  expect(didYouMean('defualt', WORDS)).toBe('; did you mean "default"?');
  expect(didYouMean('zzz', WORDS)).toBe('');
});
