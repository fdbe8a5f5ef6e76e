import type { Problem } from '../../errors.ts';
import type { JsonSource, Path } from '../../text/json-source.ts';
import type { Mistake } from '../synopsis/syntax.ts';

/** A problem inside a text of the document, at the very column where it is. */
export type Column = (path: Path, mistake: Mistake) => Problem;

/** Finds columns inside the texts of a document; `text` is what the source was read from. */
export const columns = (source: JsonSource, text: string): Column => {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  return (path, { column, message }) => {
    const problem = source.problem(path, message);
    return { ...problem, column: problem.column + widthOf(lines[problem.line - 1] ?? '', problem.column, column) };
  };
};

/** How far behind its opening quote a character of a JSON text stands: an escape is longer than what it means. */
const widthOf = (line: string, quote: number, column: number): number => {
  let width = 1;
  for (let character = 1; character < column; character += 1) {
    const spelled = /^\\(?:u[0-9a-fA-F]{4}|.)/.exec(line.slice(quote - 1 + width, quote + 5 + width));
    width += spelled?.[0].length ?? 1;
  }
  return line.charAt(quote - 1) === '"' ? width : 0;
};
