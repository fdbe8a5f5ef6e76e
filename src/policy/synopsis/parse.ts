import { isOption, readOption } from './option.ts';
import { scan, type Token } from './scan.ts';
import type { Mistake, Node, Option, Synopsis, Term, Times } from './syntax.ts';

/** A synopsis, or every mistake in it. */
export type Parsed = { readonly synopsis: Synopsis } | { readonly mistakes: readonly Mistake[] };

type Reader = { readonly tokens: readonly Token[]; at: number; readonly mistakes: Mistake[] };

/** What a synopsis says: a program and what may follow it. */
export const parseSynopsis = (source: string): Parsed => {
  const { tokens, mistakes } = scan(source);
  const reader: Reader = { tokens, at: 0, mistakes: [...mistakes] };
  const program = readProgram(reader);
  const nodes = readSequence(reader, undefined);
  if (reader.mistakes.length > 0 || program === undefined)
    return { mistakes: [...reader.mistakes].sort((a, b) => a.column - b.column) };
  return { synopsis: { source, program, nodes } };
};

const say = (reader: Reader, column: number, message: string): void => {
  reader.mistakes.push({ column, message });
};

const readProgram = (reader: Reader): Term | undefined => {
  const token = reader.tokens[0];
  if (token?.kind !== 'word') {
    say(reader, token?.column ?? 1, 'Begin with the name of the program.');
    return undefined;
  }
  reader.at = 1;
  const term = token.terms[0];
  if (token.terms.length > 1 || isOption(term)) say(reader, token.column, 'Begin with the name of the program.');
  return term;
};

const readSequence = (reader: Reader, closer: string | undefined): Node[] => {
  const nodes: Node[] = [];
  for (;;) {
    const token = reader.tokens[reader.at];
    if (token === undefined || token.kind === 'close') {
      if (token?.kind === 'close' && closer === undefined) {
        say(reader, token.column, `There is no bracket that "${token.bracket}" closes.`);
        reader.at += 1;
        continue;
      }
      return nodes;
    }
    reader.at += 1;
    const node = readNode(reader, token, closer !== undefined);
    if (node !== undefined) nodes.push(node);
  }
};

const readNode = (reader: Reader, token: Token, grouped: boolean): Node | undefined => {
  if (token.kind === 'open') return readGroup(reader, token.bracket, token.column);
  if (token.kind === 'with') return token;
  if (token.kind === 'rest') {
    if (reader.at < reader.tokens.length) say(reader, token.column, 'Only the end may be "...": any further words.');
    return { kind: 'rest', column: token.column };
  }
  if (token.kind !== 'word') return undefined;
  if (isOption(token.terms[0])) return readOptionNode(reader, token, grouped);
  if (token.terms.length > 1) say(reader, token.column, 'Alternatives of a word are written {a,b}.');
  return { kind: 'operand', term: token.terms[0], times: takeRepeat(reader) };
};

const readGroup = (reader: Reader, bracket: string, column: number): Node => {
  const closer = bracket === '[' ? ']' : ')';
  const start = reader.at;
  const nodes = readSequence(reader, closer);
  const end = reader.tokens[reader.at];
  if (reader.at === start) say(reader, column, 'There is nothing in these brackets.');
  if (end?.kind === 'close' && end.bracket === closer) reader.at += 1;
  else say(reader, column, `Close this bracket with "${closer}".`);
  return { kind: 'group', optional: bracket === '[', times: takeRepeat(reader), nodes, column };
};

const takeRepeat = (reader: Reader): Times => {
  const token = reader.tokens[reader.at];
  if (token?.kind !== 'repeat') return 1;
  reader.at += 1;
  return token.times;
};

/** Options repeat as often as one likes, or not at all. */
const takeOptionRepeat = (reader: Reader): boolean => {
  const column = reader.tokens[reader.at]?.column ?? 1;
  const times = takeRepeat(reader);
  if (times > 1 && Number.isFinite(times)) say(reader, column, 'An option repeats without a number: write "...".');
  return times > 1;
};

type WordToken = Extract<Token, { kind: 'word' }>;

const readOptionNode = (reader: Reader, token: WordToken, grouped: boolean): Node | undefined => {
  const source = token.terms.map(term => term.source).join('|');
  const option = readOption(token.terms, source, token.column);
  if (typeof option === 'string') {
    say(reader, token.column, option);
    return undefined;
  }
  if (option.glued.length > 0 || option.names.some(name => name.includes('=')) || isRepeatAhead(reader))
    return { kind: 'option', option, many: takeOptionRepeat(reader) };
  return grouped ? withValue(reader, option) : withNext(reader, option);
};

const isRepeatAhead = (reader: Reader): boolean => reader.tokens[reader.at]?.kind === 'repeat';

/** The word at `at` when it can be an option's value. */
const valueAt = (reader: Reader, at: number): Term | undefined => {
  const token = reader.tokens[at];
  if (token?.kind !== 'word' || token.terms.length > 1) return undefined;
  const [term] = token.terms;
  return isOption(term) || term.source === '--' ? undefined : term;
};

const withValue = (reader: Reader, option: Option): Node => {
  const term = valueAt(reader, reader.at);
  if (term !== undefined) {
    reader.at += 1;
    refuseRepeat(reader, `(${option.source} ${term.source})...`);
    return { kind: 'option', option: { ...option, value: { term, optional: false } }, many: false };
  }
  const [open, close] = [reader.tokens[reader.at], reader.tokens[reader.at + 2]];
  const optional = valueAt(reader, reader.at + 1);
  if (optional === undefined || open?.kind !== 'open' || open.bracket !== '[' || close?.kind !== 'close')
    return { kind: 'option', option, many: false };
  reader.at += 3;
  return { kind: 'option', option: { ...option, value: { term: optional, optional: true } }, many: false };
};

const withNext = (reader: Reader, option: Option): Node => {
  const term = valueAt(reader, reader.at);
  if (term === undefined) return { kind: 'option', option, many: false };
  reader.at += 1;
  refuseRepeat(reader, `(${option.source} ${term.source})...`);
  return { kind: 'pair', option, term };
};

const refuseRepeat = (reader: Reader, instead: string): void => {
  const token = reader.tokens[reader.at];
  if (token?.kind !== 'repeat') return;
  reader.at += 1;
  say(reader, token.column, `It is not clear what repeats here: write ${instead}.`);
};
