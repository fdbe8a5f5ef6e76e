import { isHidden } from './hidden.ts';

/** Keys that have no character of their own, and what they are called. */
export const NAMED_KEYS = [
  ...['enter', 'tab', 'shift-tab', 'escape', 'backspace', 'delete', 'insert', 'space'],
  ...['up', 'down', 'left', 'right', 'home', 'end', 'page-up', 'page-down'],
  ...['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'f10', 'f11', 'f12'],
] as const;

/** The name of one of them. */
export type NamedKey = (typeof NAMED_KEYS)[number];

const NAMED: ReadonlySet<string> = new Set(NAMED_KEYS);
/** What a control key sends that has a name of its own, as on any terminal. */
const OTHERWISE: Readonly<Record<string, NamedKey>> = { 'ctrl-i': 'tab', 'ctrl-m': 'enter', 'ctrl-[': 'escape' };
const CONTROL = /^ctrl-[a-z@[\\\]^_]$/;
const ALT = /^alt-(.)$/u;
const FIRST_CONTROL = 0x40;

/** Whether the name is one of `NAMED_KEYS`. */
export const isNamedKey = (name: string): name is NamedKey => NAMED.has(name);

/**
 * The one name of a key: a printable character is its own, `ctrl-a` to `ctrl-_`, `alt-` before a character, or one of
 * `NAMED_KEYS`; undefined for anything else. Two spellings of the same key (`ctrl-m`, `enter`) have the same name.
 */
export const keyName = (text: string): string | undefined => {
  if (text === ' ') return 'space';
  if (isNamedKey(text)) return text;
  if (CONTROL.test(text)) return OTHERWISE[text] ?? text;
  const character = ALT.exec(text)?.[1] ?? text;
  return Array.from(character).length === 1 && isVisible(character) ? text : undefined;
};

/** Whether it is the name of a key. */
export const isKey = (text: string): boolean => keyName(text) !== undefined;

const isVisible = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x20 && code !== 0x7f && !isHidden(code);
};

/** The names of the keys that a text is typed with, one for each of its characters; what cannot be seen is named by its code. */
export const keysOf = (text: string): readonly string[] => Array.from(text, keyOf);

const keyOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x7f) return 'backspace';
  const name = keyName(code < 0x20 ? `ctrl-${String.fromCharCode(code + FIRST_CONTROL).toLowerCase()}` : character);
  return name ?? `u+${code.toString(16)}`;
};
