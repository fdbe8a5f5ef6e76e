import { RE2JS } from 're2js';
import { compilePath } from './path.ts';
import type { Slot } from './syntax.ts';

/** A compiled placeholder. */
export type SlotTest = {
  /** Whether the word certainly is one. */
  readonly test: (text: string) => boolean;
  /** Whether it may be one, as far as a rule that only restrains is concerned. */
  readonly loose: (text: string) => boolean;
  /** Whether some word that begins so may be one. */
  readonly may: (prefix: string) => boolean;
  /** Whether every path below this folder is one. */
  readonly covers?: (folder: string) => boolean;
};

const INT = /^(?:0|-?[1-9][0-9]{0,15})$/;
const NAME = /^[A-Za-z0-9_.@:][A-Za-z0-9_.@:-]*$/;
const DURATION = /^(?=.)(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|us|[smhdw]))*(?:[0-9]{1,9}(?:\.[0-9]{1,9})?)?$/;

/** A placeholder as tests, or what is wrong with it. */
export const compileSlot = (slot: Slot): SlotTest | string => {
  if (slot.kind === 'int') return exact(text => isBetween(text, slot.min, slot.max), /^-?[0-9]*$/);
  if (slot.kind === 'name') return exact(isName, /^(?!-)[A-Za-z0-9_.@:-]*$/);
  if (slot.kind === 'duration') return exact(text => text.length <= 64 && DURATION.test(text), /^[0-9.a-z]*$/);
  if (slot.kind === 're') return compileRegular(slot.pattern);
  if (slot.kind === 'any') return { test: text => !text.startsWith('-'), loose: () => true, may: () => true };
  if (slot.kind === 'path' || slot.kind === 'relpath') return compileFile(slot.kind, slot.pattern);
  return '<command> is a whole word of its own.';
};

const exact = (test: (text: string) => boolean, beginning: RegExp): SlotTest => ({
  test,
  loose: test,
  may: prefix => beginning.test(prefix),
});

const isBetween = (text: string, min: number, max: number): boolean =>
  INT.test(text) && Number(text) >= min && Number(text) <= max;

const isName = (text: string): boolean => NAME.test(text) && text !== '.' && text !== '..';

const compileRegular = (pattern: string): SlotTest | string => {
  try {
    const regular = regularOf(pattern);
    const test = (text: string): boolean => regular.testExact(text);
    return { test, loose: test, may: () => true };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return `This regular expression cannot be used (RE2 syntax, no look-around): ${why}.`;
  }
};

/** Compiling costs milliseconds, and the synopses of one program share most of their expressions. */
const compiled = new Map<string, RE2JS>();
const MAX_COMPILED = 1000;

const regularOf = (pattern: string): RE2JS => {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const regular = RE2JS.compile(pattern);
  compiled.set(pattern, regular);
  return regular;
};

const compileFile = (kind: 'path' | 'relpath', text: string): SlotTest | string => {
  const pattern = compilePath(text);
  if (typeof pattern === 'string') return pattern;
  if (pattern.absolute !== (kind === 'path')) return kind === 'path' ? 'A <path> is absolute.' : 'A <relpath> is not.';
  const { test, may, covers } = pattern;
  const loose = (word: string): boolean => test(word.replace(/^\/+/, '/')) || word.split('/').includes('..');
  return kind === 'path' ? { test, loose, may, covers } : { test, loose, may };
};
