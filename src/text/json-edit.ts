import { type Node, parseTree } from 'jsonc-parser';
import { type Piece, piecesOf } from './json-trivia.ts';

/** A stretch of a text, from its first to before its last character. */
type Range = readonly [start: number, end: number];

/**
 * The text with one more member at the end of the object at a path of member names; its indentation, line ends and line
 * breaks are those of its neighbours, and everything else stays as it is. Undefined when there is no object at the path.
 */
export const withMember = (text: string, path: readonly string[], name: string, value: unknown): string | undefined => {
  const object = objectAt(text, path);
  if (object === undefined) return undefined;
  const last = object.children?.at(-1);
  return last === undefined ? first(text, object, name, value) : after(text, object, last, name, value);
};

/**
 * The text without a member of the object at a path. With it go the comments on its own lines and directly above, where no
 * line is blank and nothing else stands beside it; everything else stays. Undefined when there is no such member.
 */
export const withoutMember = (text: string, path: readonly string[], name: string): string | undefined => {
  const object = objectAt(text, path);
  const members = object?.children ?? [];
  const index = members.findIndex(member => member.children?.[0]?.value === name);
  const member = members[index];
  if (object === undefined || member === undefined) return undefined;
  const [previous, next] = [members[index - 1], members[index + 1]];
  const before = piecesOf(text, previous === undefined ? object.offset + 1 : endOf(previous), member.offset);
  const behind = piecesOf(text, endOf(member), next?.offset ?? endOf(object) - 1);
  const lines = linesOf(before, behind, next === undefined);
  const around = lines ?? beside(member, before, behind);
  // Of the two commas one goes: the one in front on its line, else the one behind, or, of the last member, the one before.
  const front = before.find(({ kind }) => kind === 'comma');
  const isInFront = front !== undefined && front.start >= around[0];
  const comma = next === undefined || isInFront ? front : behind.find(({ kind }) => kind === 'comma');
  return without(text, [around, ...(comma === undefined ? [] : [rangeOf(comma)])]);
};

const endOf = ({ offset, length }: Node): number => offset + length;
const rangeOf = ({ start, end }: Piece): Range => [start, end];

const objectAt = (text: string, path: readonly string[]): Node | undefined => {
  let node = parseTree(text);
  for (const name of path)
    node = node?.children?.find(member => member.type === 'property' && member.children?.[0]?.value === name)
      ?.children?.[1];
  return node?.type === 'object' ? node : undefined;
};

/** The lines of a member that has them for itself, with the comments that belong to it. */
const linesOf = (before: readonly Piece[], behind: readonly Piece[], isLast: boolean): Range | undefined => {
  const close = behind.find(({ kind }) => kind === 'break');
  const tail = behind.slice(0, close === undefined ? 0 : behind.indexOf(close));
  const lead = before.findLastIndex(({ kind }) => kind === 'break');
  const nearest = before[lead];
  if (nearest === undefined || close === undefined) return undefined;
  if (before.slice(lead + 1).some(({ kind }) => kind === 'comma') && tail.some(({ kind }) => kind === 'comma'))
    return undefined;
  let open = nearest;
  let comments = 0;
  for (const piece of before.slice(0, lead).reverse()) {
    if (piece.kind === 'comma' || (piece.kind === 'break' && comments === 0)) break;
    if (piece.kind === 'break') [open, comments] = [piece, 0];
    else if (piece.kind !== 'blank') comments += 1;
  }
  return isLast ? [open.start, close.start] : [open.end, close.end];
};

/** A member that shares its line: with the blanks before the next, or, of the last, those before it and the break that it stands behind. */
const beside = (member: Node, before: readonly Piece[], behind: readonly Piece[]): Range => {
  const comma = behind.findIndex(({ kind }) => kind === 'comma');
  if (comma >= 0) {
    const blank = behind[comma + 1];
    const end = (blank?.kind === 'blank' ? blank : behind[comma])?.end ?? endOf(member);
    return [member.offset, end];
  }
  const kept = before.findLastIndex(({ kind }) => kind !== 'blank' && kind !== 'break');
  const isFree = before[kept]?.kind === 'comma' || before[kept]?.kind === 'block';
  return [isFree ? (before[kept]?.end ?? member.offset) : member.offset, endOf(member)];
};

const without = (text: string, ranges: readonly Range[]): string => {
  const gone = (at: number): boolean => ranges.some(([start, end]) => at >= start && at < end);
  const cuts = [...new Set([0, ...ranges.flat(), text.length])].sort((a, b) => a - b);
  return cuts.map((from, index) => (gone(from) ? '' : text.slice(from, cuts[index + 1] ?? from))).join('');
};

const after = (text: string, object: Node, last: Node, name: string, value: unknown): string => {
  const style = styleAt(text, last.offset);
  const pieces = piecesOf(text, endOf(last), endOf(object) - 1);
  const line = pieces.slice(0, breakIn(pieces));
  const comment = line.findLast(({ kind }) => kind === 'line' || kind === 'block');
  const at = comment?.end ?? endOf(last);
  const isAlone =
    text.slice(style.lineStart, last.offset).trim() === '' && text.slice(0, last.offset).includes(style.eol);
  const isOpen = last.children?.[1] !== undefined && /[\r\n]/.test(text.slice(last.offset, endOf(last)));
  const member = memberOf(name, value, { ...style, unit: unitIn(text, last) ?? style.unit }, isOpen);
  const gap = isAlone || comment?.kind === 'line' ? `${style.eol}${style.indent}` : ' ';
  return `${text.slice(0, endOf(last))},${text.slice(endOf(last), at)}${gap}${member}${text.slice(at)}`;
};

const first = (text: string, object: Node, name: string, value: unknown): string => {
  const style = styleAt(text, object.offset);
  const inner = `${style.indent}${style.unit}`;
  const [open, close] = [object.offset + 1, endOf(object) - 1];
  const pieces = piecesOf(text, open, close);
  const comment = pieces.findLast(({ kind }) => kind === 'line' || kind === 'block');
  const hasBreak = breakIn(pieces) < pieces.length;
  const member = memberOf(name, value, { ...style, indent: inner }, false);
  if (comment !== undefined) {
    const its = styleAt(text, comment.start);
    const isAlone = text.slice(its.lineStart, comment.start).trim() === '';
    const gap = hasBreak ? `${style.eol}${isAlone ? its.indent : inner}` : ' ';
    return `${text.slice(0, comment.end)}${gap}${member}${text.slice(comment.end)}`;
  }
  if (hasBreak) return `${text.slice(0, open)}${style.eol}${inner}${member}${text.slice(open)}`;
  const isLong = /[\r\n]/.test(text.trim());
  const [lead, tail] = isLong ? [`${style.eol}${inner}`, `${style.eol}${style.indent}`] : [' ', ' '];
  return `${text.slice(0, open)}${lead}${member}${tail}${text.slice(close)}`;
};

const breakIn = (pieces: readonly Piece[]): number => {
  const at = pieces.findIndex(({ kind }) => kind === 'break');
  return at < 0 ? pieces.length : at;
};

type Style = { readonly lineStart: number; readonly indent: string; readonly eol: string; readonly unit: string };

/** How the text is written around a place. */
const styleAt = (text: string, offset: number): Style => {
  const breaks = [...text.matchAll(/\r\n|\n|\r/g)];
  const last = breaks.findLast(({ index }) => index < offset);
  const lineStart = last === undefined ? 0 : last.index + last[0].length;
  const [indent = ''] = /^[ \t]*/.exec(text.slice(lineStart, offset)) ?? [];
  const root = parseTree(text);
  const unit = root === undefined ? undefined : unitIn(text, root);
  return { lineStart, indent, eol: last?.[0] ?? breaks[0]?.[0] ?? '\n', unit: unit ?? '  ' };
};

/** By how much the first thing inside an object is indented more than the line on which that begins. */
const unitIn = (text: string, node: Node): string | undefined => {
  const object = node.type === 'property' ? node.children?.[1] : node;
  const child = object?.children?.[0];
  if (object === undefined || child === undefined) return undefined;
  const indentOf = (offset: number): string => /[^\r\n]*$/.exec(text.slice(0, offset))?.[0] ?? '';
  const [outer, inner] = [/^[ \t]*/.exec(indentOf(object.offset))?.[0] ?? '', indentOf(child.offset)];
  return inner.trim() === '' && inner.startsWith(outer) && inner !== outer ? inner.slice(outer.length) : undefined;
};

const memberOf = (name: string, value: unknown, { indent, eol, unit }: Style, isOpen: boolean): string => {
  const written = isOpen ? JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${indent}`) : spaced(value);
  return `${JSON.stringify(name)}: ${written}`;
};

/** JSON on one line, with the spaces that people write. */
const spaced = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
};
