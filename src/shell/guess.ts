import { isReserved } from './name.ts';
import type { Glimpse } from './script.ts';
import { WRAPPERS } from './wrapper.ts';

const MAX_WORDS = 4096;

/** What is being looked at: `whole` turns false where a word stops being readable. */
type Sight = {
  readonly text: string;
  at: number;
  readonly commands: Glimpse[][];
  words: Glimpse[];
  word: string;
  whole: boolean;
  started: boolean;
  /** The next word names the file of a redirection. */
  target: boolean;
  wordCount: number;
};

/**
 * Every simple command that can be seen in a text that cannot be analysed, those inside substitutions, groups and
 * compound commands included: it may show more than runs, and its words may be cut short.
 */
export const guess = (text: string): readonly (readonly Glimpse[])[] => {
  const sight: Sight = {
    text,
    at: 0,
    commands: [],
    words: [],
    word: '',
    whole: true,
    started: false,
    target: false,
    wordCount: 0,
  };
  while (sight.at < text.length && sight.wordCount < MAX_WORDS) step(sight);
  endCommand(sight);
  return sight.commands;
};

const PLAIN = /[\w./:,+@%^=-]+/y;

const step = (sight: Sight): void => {
  PLAIN.lastIndex = sight.at;
  const plain = PLAIN.exec(sight.text)?.[0];
  if (plain === undefined) stepOver(sight);
  else {
    sight.at += plain.length;
    see(sight, plain);
  }
};

const stepOver = (sight: Sight): void => {
  const character = sight.text.charAt(sight.at);
  sight.at += 1;
  if (character === '#' && !sight.started) skipComment(sight);
  else if (/[ \t\r\v\f]/.test(character)) endWord(sight);
  else if (/[\n;|&()`]/.test(character)) endCommand(sight);
  else if (/[<>]/.test(character)) redirect(sight);
  else if (character === "'") single(sight);
  else if (character === '"') double(sight);
  else if (character === '\\') escaped(sight);
  else if (/[{}]/.test(character) && !sight.started && /[\s;]|^$/.test(sight.text.charAt(sight.at))) endCommand(sight);
  else if (/[$*?[{~]/.test(character)) blur(sight);
  else see(sight, character);
};

const skipComment = (sight: Sight): void => {
  const end = sight.text.indexOf('\n', sight.at);
  sight.at = end === -1 ? sight.text.length : end;
};

const see = (sight: Sight, text: string): void => {
  sight.started = true;
  if (sight.whole) sight.word += text;
};

const blur = (sight: Sight): void => {
  sight.started = true;
  sight.whole = false;
};

const endWord = (sight: Sight): void => {
  if (!sight.started) return;
  if (!sight.target) sight.words.push({ text: sight.word, whole: sight.whole });
  sight.wordCount += 1;
  sight.word = '';
  sight.whole = true;
  sight.started = false;
  sight.target = false;
};

const endCommand = (sight: Sight): void => {
  endWord(sight);
  sight.target = false;
  const front = sight.words.findIndex(({ text, whole }) => !isFiller(text, whole));
  if (front !== -1) sight.commands.push(sight.words.slice(front));
  sight.words = [];
};

/** What may stand before a command: the words of compound commands, `!` and assignments. */
const isFiller = (text: string, whole: boolean): boolean =>
  (whole && (isReserved(text) || text === '!') && !WRAPPERS.has(text)) || /^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(text);

const redirect = (sight: Sight): void => {
  if (/^[0-9]$/.test(sight.word) && sight.whole) {
    sight.word = '';
    sight.started = false;
  }
  endWord(sight);
  while (/[<>&|!-]/.test(sight.text.charAt(sight.at))) sight.at += 1;
  sight.target = true;
};

const single = (sight: Sight): void => {
  const close = sight.text.indexOf("'", sight.at);
  const end = close === -1 ? sight.text.length : close;
  see(sight, sight.text.slice(sight.at, end));
  sight.at = end + 1;
};

const double = (sight: Sight): void => {
  see(sight, '');
  while (sight.at < sight.text.length) {
    const character = sight.text.charAt(sight.at);
    sight.at += 1;
    if (character === '"') return;
    if (character === '\\' && /["$`\\\n]/.test(sight.text.charAt(sight.at))) escaped(sight);
    else if (character === '`' || (character === '$' && sight.text.charAt(sight.at) === '(')) {
      blur(sight);
      endCommand(sight);
      return;
    } else if (character === '$') blur(sight);
    else see(sight, character);
  }
};

const escaped = (sight: Sight): void => {
  const next = sight.text.charAt(sight.at);
  sight.at += 1;
  if (next !== '\n') see(sight, next);
};
