import { quoteAll } from '../shell/quote.ts';
import { COLUMNS, type Entry, folded, shownLines } from '../text/question.ts';
import type { Facts, Json } from './facts.ts';
import { DOES, fieldsOf, leavesOf } from './sheet.ts';

/** The lines that every client measured shows of a question before anybody asks it for more. */
const MOST_LINES = 3;
const TORN = '… ';
/** No text that is shown can hold it: it is no letter, and would be written out. */
const BETWEEN = ' · ';

/**
 * A request in so few lines that nothing of it can be out of sight: what is done where, what runs there, and every other detail
 * that an agent may choose. What the policy and the configuration add stands in the sheet. Undefined when it takes more.
 */
export const gistOf = (facts: Facts): readonly string[] | undefined => {
  const { kind, mode, target, program, asked, ...more } = fieldsOf(facts.action);
  const { timeoutMs: _time, size: _size, session: _session, home: _home, ...details } = more;
  const does = [DOES[String(kind)] ?? String(kind), ...(mode === undefined ? [] : [`(${String(mode)})`])].join(' ');
  const runs = program ?? asked;
  const lines = [
    ...blockOf(facts.host, seen(placeOf(target, does))),
    ...(runs === undefined ? [] : blockOf(program === undefined ? 'into' : 'command', seen(textOf(runs)))),
    ...detailsOf(leavesOf(Object.fromEntries(Object.entries(details).filter(([, value]) => value !== false)))),
  ];
  return lines.length <= MOST_LINES ? lines : undefined;
};

const placeOf = (target: Json | undefined, does: string): string => {
  if (target === undefined) return does;
  const { user, address, port } = fieldsOf(target);
  return `${does} as ${String(user)} at ${String(address)} port ${String(port)}`;
};

/** A program as one text; of words each stands in quotes. */
const textOf = (program: Json): string => {
  const { text, canonical, argv } = fieldsOf(program);
  return Array.isArray(argv) ? quoteAll(argv.map(String)) : String(text ?? canonical);
};

/** Those of one line side by side, then the others. */
const detailsOf = (entries: readonly Entry[]): readonly string[] => {
  const shown = entries.map(({ name, text }) => ({ name, lines: seen(text) }));
  const short = shown.filter(({ lines }) => lines.length === 1).map(({ name, lines: [line] }) => `${name}: ${line}`);
  return [
    ...(short.length === 0 ? [] : foldedFrom(short.join(BETWEEN))),
    ...shown.filter(({ lines }) => lines.length > 1).flatMap(({ name, lines }) => blockOf(name, lines)),
  ];
};

/** Most texts are one line with its end: that takes no line more. */
const seen = (text: string): readonly string[] => {
  const [first = '', second, ...more] = shownLines(text);
  return second === '' && more.length === 0 ? [`${first}‹line feed›`] : shownLines(text);
};

/** A text from its name on; each further line of it begins with a bar. */
const blockOf = (name: string, lines: readonly string[]): readonly string[] =>
  lines.flatMap((line, index) => foldedFrom(index === 0 ? `${name}: ${line}` : `| ${line}`));

const foldedFrom = (line: string): readonly string[] => {
  const [first = '', ...rest] = folded(line, COLUMNS);
  if (rest.length === 0) return [first];
  return [first, ...folded(rest.join(''), COLUMNS - TORN.length).map(part => TORN + part)];
};
