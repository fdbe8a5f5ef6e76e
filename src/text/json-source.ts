import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Problem } from '../errors.ts';
import { piecesOf } from './json-trivia.ts';

/** A way through a JSON value: names of members and indexes of elements. */
export type Path = readonly PropertyKey[];

/** A place in a text as editors count it: from 1, columns in UTF-16 units. */
export type Place = { readonly line: number; readonly column: number };

/** A text read as JSON with comments, that remembers where everything stands. */
export type JsonSource = {
  readonly file: string;
  /** The value, as far as the text gives one. */
  readonly value: unknown;
  /** Whether `value` is all that the author wrote, so that more can be said of it than `problems` does. */
  readonly readable: boolean;
  /** Syntax, duplicate names, and what JSON readers disagree on; in the order of the text. */
  readonly problems: readonly Problem[];
  /** Where the value at the path stands (or its name), or what is nearest around it when there is none. */
  readonly locate: (path: Path, part?: Part) => Place;
  /** A problem with the value (or with the name) at the path. */
  readonly problem: (path: Path, message: string, part?: Part) => Problem;
};

type Part = 'name' | 'value';

/** The largest text that is read. */
export const MAX_BYTES = 1024 * 1024;
/** How deep arrays and objects may lie in each other. */
export const MAX_DEPTH = 64;

const TOO_DEEP = `lies deeper than ${MAX_DEPTH} levels`;

/** Reads JSON; comments are allowed, trailing commas are not. Never throws: what is wrong is in `problems`. */
export const readJson = (text: string, file: string): JsonSource => {
  const tooLarge = Buffer.byteLength(text) > MAX_BYTES;
  const source = tooLarge ? '' : text.replace(/^\uFEFF/, '');
  const placeAt = placesOf(source);
  const problems: Problem[] = [];
  const report: Report = (offset, pointer, message) => problems.push({ file, ...placeAt(offset), pointer, message });
  const errors: ParseError[] = [];
  const root = treeOf(source, errors);
  if (tooLarge) report(0, '', `is larger than ${MAX_BYTES} bytes`);
  else if (root === 'too deep') report(0, '', TOO_DEEP);
  else reportSyntax(errors, placeAt, report);
  const sound = problems.length === 0;
  const offsets = new Map<string, Offsets>();
  const reading = { source, report, offsets };
  const value = typeof root === 'object' ? readNode(reading, root, '', 0) : undefined;
  const locate = (path: Path, part: Part = 'value'): Place => placeAt(nearestOffset(offsets, path, part));
  return {
    file,
    value,
    readable: sound && !problems.some(({ message }) => message === TOO_DEEP),
    problems: inOrder(problems),
    locate,
    problem: (path, message, part) => ({ file, ...locate(path, part), pointer: pointerOf(path), message }),
  };
};

/** A path as a JSON pointer (RFC 6901). */
export const pointerOf = (path: Path): string => path.map(step => `/${pointerToken(String(step))}`).join('');

/** One step of a JSON pointer, with `~` and `/` escaped. */
export const pointerToken = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1');

/** Problems in the order of the text. */
export const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column);

type Report = (offset: number, pointer: string, message: string) => void;
type Offsets = Readonly<Record<Part, number>>;
type Reading = { readonly source: string; readonly report: Report; readonly offsets: Map<string, Offsets> };

/** The parser recurses: a text of brackets alone exhausts the stack, and is nothing that anybody wrote by hand. */
const treeOf = (text: string, errors: ParseError[]): Node | 'too deep' | undefined => {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof RangeError) return 'too deep';
    throw error;
  }
};

/** The value of a node, built without touching a prototype, and everything about it that readers of JSON disagree on. */
const readNode = (reading: Reading, node: Node, pointer: string, depth: number, name = node): unknown => {
  const { report, offsets } = reading;
  offsets.set(pointer, { name: name.offset, value: node.offset });
  if (node.type === 'number' && !Number.isFinite(node.value)) {
    report(node.offset, pointer, 'is too large for a number');
    return 0;
  }
  if (node.children === undefined) return node.value;
  if (depth >= MAX_DEPTH) {
    report(node.offset, pointer, TOO_DEEP);
    return undefined;
  }
  reportTrailingComma(reading, node, pointer);
  return node.type === 'array'
    ? node.children.map((child, index) => readNode(reading, child, `${pointer}/${index}`, depth + 1))
    : readMembers(reading, node.children, pointer, depth);
};

const readMembers = (reading: Reading, members: readonly Node[], pointer: string, depth: number): unknown => {
  const object: Record<string, unknown> = {};
  for (const { children: [name, member] = [] } of members) {
    if (name === undefined || member === undefined) continue;
    const key = String(name.value);
    const here = `${pointer}/${pointerToken(key)}`;
    if (key === '__proto__') reading.report(name.offset, here, 'is a name that no file may use');
    else if (Object.hasOwn(object, key))
      reading.report(name.offset, here, `${JSON.stringify(key)} is written twice in one object`);
    const value = readNode(reading, member, here, depth + 1, name);
    if (key !== '__proto__') object[key] = value;
  }
  return object;
};

const reportTrailingComma = (
  { source, report }: Reading,
  { children, offset, length }: Node,
  pointer: string,
): void => {
  const last = children?.at(-1);
  if (last === undefined) return;
  const rest = piecesOf(source, last.offset + last.length, offset + length - 1);
  const comma = rest.find(({ kind }) => kind === 'comma');
  if (comma !== undefined) report(comma.start, pointer, 'has a comma after its last element');
};

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'is not JSON: texts and names stand in double quotes, only numbers, true, false and null stand bare',
  InvalidNumberFormat: 'is not a number that JSON knows',
  PropertyNameExpected: 'a name in double quotes is missing here',
  ValueExpected: 'a value is missing here',
  ColonExpected: 'a colon is missing here',
  CommaExpected: 'a comma is missing before this',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'something follows the end of the document',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a text is not closed on its line',
  UnexpectedEndOfNumber: 'a number is not complete',
  InvalidUnicode: 'a \\u escape needs four hexadecimal digits',
  InvalidEscapeCharacter: 'an unknown escape: JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000',
  InvalidCharacter: 'a control character must be written as an escape',
};

/** What makes an error of everything that follows it. */
const OPEN_ENDED: ReadonlySet<string> = new Set(['UnexpectedEndOfString', 'UnexpectedEndOfComment']);
const MOST_ERRORS = 20;

/** One error a line, and none after an open text or comment: what follows is most often only an echo. */
const reportSyntax = (errors: readonly ParseError[], placeAt: (offset: number) => Place, report: Report): void => {
  const lines = new Set<number>();
  for (const { error, offset } of errors) {
    const { line } = placeAt(offset);
    const name = printParseErrorCode(error);
    if (!lines.has(line)) report(offset, '', SYNTAX[name] ?? 'is not JSON');
    lines.add(line);
    if (OPEN_ENDED.has(name) || lines.size === MOST_ERRORS) return;
  }
};

/** Where a path leads, or the last thing on its way that exists. */
const nearestOffset = (offsets: ReadonlyMap<string, Offsets>, path: Path, part: Part): number => {
  const exact = offsets.get(pointerOf(path));
  if (exact !== undefined) return exact[part];
  return path.length === 0 ? 0 : nearestOffset(offsets, path.slice(0, -1), 'value');
};

const placesOf = (text: string): ((offset: number) => Place) => {
  const starts = [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), match => match.index + match[0].length)];
  return offset => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
};
