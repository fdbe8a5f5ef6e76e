/** One word of a line: what it says when nothing in it needs a shell, else only how it is written. */
export type Word = { readonly raw: string; readonly literal?: string };

/** A line that a session does by itself, or `run`: everything else. */
export type Reading =
  | { readonly kind: 'cd'; readonly to: Word | 'home' | 'previous' }
  | { readonly kind: 'export'; readonly variables: ReadonlyMap<string, string | undefined> }
  | { readonly kind: 'evaluate'; readonly names: readonly string[]; readonly words: readonly string[] }
  | { readonly kind: 'unset'; readonly names: readonly string[] }
  | { readonly kind: 'pwd' }
  | { readonly kind: 'run' };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OURS = /^[ \t]*(?:cd|export|unset|pwd)(?:[ \t]|$)/;
const RUN: Reading = { kind: 'run' };

/** Reads a line; whatever is not plainly one of the session's own commands is `run`, and the far shell says what is wrong with it. */
export const readLine = (text: string): Reading => {
  if (!OURS.test(text)) return RUN;
  const [first, ...rest] = splitWords(text) ?? [];
  const args = rest[0]?.raw === '--' ? rest.slice(1) : rest;
  switch (first?.raw) {
    case 'cd':
      return readCd(args);
    case 'export':
      return readExport(args);
    case 'unset':
      return args.length > 0 && args.every(isName) ? { kind: 'unset', names: args.map(({ raw }) => raw) } : RUN;
    case 'pwd':
      return args.length === 0 ? { kind: 'pwd' } : RUN;
    default:
      return RUN;
  }
};

const isName = ({ raw }: Word): boolean => NAME.test(raw);

const readCd = ([to, ...more]: readonly Word[]): Reading => {
  if (to === undefined) return { kind: 'cd', to: 'home' };
  if (more.length > 0) return RUN;
  if (to.raw === '~') return { kind: 'cd', to: 'home' };
  if (to.raw === '-') return { kind: 'cd', to: 'previous' };
  return to.raw.startsWith('-') || to.literal === '' ? RUN : { kind: 'cd', to };
};

const readExport = (words: readonly Word[]): Reading => {
  const assigned = words.map(assignment);
  if (assigned.length === 0 || assigned.includes(undefined)) return RUN;
  const known = assigned.filter(one => one !== undefined);
  if (known.some(({ needsShell }) => needsShell))
    return { kind: 'evaluate', names: known.map(({ name }) => name), words: words.map(({ raw }) => raw) };
  return { kind: 'export', variables: new Map(known.map(({ name, value }) => [name, value])) };
};

type Assignment = { readonly name: string; readonly value: string | undefined; readonly needsShell: boolean };

/** `NAME` or `NAME=value`, the name written plainly. */
const assignment = ({ raw, literal }: Word): Assignment | undefined => {
  const [, name = '', rest] = /^([A-Za-z_][A-Za-z0-9_]*)(=.*)?$/s.exec(raw) ?? [];
  if (name === '') return undefined;
  if (rest === undefined) return { name, value: undefined, needsShell: false };
  return { name, value: literal?.slice(name.length + 1), needsShell: literal === undefined };
};

/** What ends a word or means something to a shell outside of quotes, so that the line is no simple command. */
const OPERATOR = /[;&|<>()\n\r]/;
/** What makes a shell put something else in a word's place. */
const EXPANSION = /[$`*?[\]{}~]/;

/** Characters that mean themselves wherever they stand in a word. */
const PLAIN = /^[A-Za-z0-9_./:,@%+=-]+/;

/** The words of one simple command without redirections, a comment at its end left out; undefined for any other line. */
export const splitWords = (text: string): readonly Word[] | undefined => {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at += 1;
    if (at >= text.length || text[at] === '#') return words;
    const word = readWord(text, at);
    if (word === undefined) return undefined;
    words.push(word);
    at += word.raw.length;
  }
};

/** One word, which ends at a blank. */
const readWord = (text: string, start: number): Word | undefined => {
  let literal = '';
  let expands = false;
  let at = start;
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') {
    const part = readPart(text, at);
    if (part === undefined) return undefined;
    literal += part.literal ?? '';
    expands ||= part.literal === undefined;
    at += part.raw.length;
  }
  const raw = text.slice(start, at);
  return expands ? { raw } : { raw, literal };
};

/** One quoted run, one substitution or one character; undefined for an operator or an unfinished quote. */
const readPart = (text: string, at: number): Word | undefined => {
  const rest = text.slice(at);
  const character = text[at] ?? '';
  const plain = PLAIN.exec(rest);
  if (plain !== null) return { raw: plain[0], literal: plain[0] };
  if (character === "'") return part(/^'([^']*)'/.exec(rest));
  if (character === '"') return part(/^"((?:[^"\\]|\\.)*)"/s.exec(rest), inDoubleQuotes);
  if (character === '\\') return part(/^\\([^\n])/s.exec(rest));
  if (rest.startsWith('$(')) return substitution(rest);
  if (character === '`') return part(/^`(?:[^`\\]|\\.)*`/s.exec(rest), () => undefined);
  if (OPERATOR.test(character)) return undefined;
  return EXPANSION.test(character) ? { raw: character } : { raw: character, literal: character };
};

const part = (match: RegExpExecArray | null, read = (inner: string): string | undefined => inner): Word | undefined => {
  if (match === null) return undefined;
  const literal = read(match[1] ?? '');
  return literal === undefined ? { raw: match[0] } : { raw: match[0], literal };
};

/** Only `$ \` " \\` and a line's end may be escaped between double quotes; a `$` or a backquote without it expands. */
const inDoubleQuotes = (inner: string): string | undefined => {
  if (/[$`]/.test(inner.replaceAll(/\\./gs, ''))) return undefined;
  return inner.replaceAll(/\\([$`"\\\n])/g, (_whole, escaped: string) => (escaped === '\n' ? '' : escaped));
};

/** `$( … )` up to its matching parenthesis, quotes inside not looked at: when in doubt the line is run as it is. */
const substitution = (rest: string): Word | undefined => {
  let depth = 0;
  for (let at = 1; at < rest.length; at += 1) {
    if (rest[at] === '(') depth += 1;
    if (rest[at] === ')') depth -= 1;
    if (depth === 0) return { raw: rest.slice(0, at + 1) };
  }
  return undefined;
};
