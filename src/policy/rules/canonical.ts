import type { Script, Simple, Word } from '../../shell/script.ts';
import { write } from '../../shell/write.ts';
import type { Written } from '../synopsis/match.ts';

/** The script as it is run: with the words that the server writes into each of its commands, in their order. */
export const canonicalOf = (script: Script, written: readonly (readonly Written[])[]): string => {
  if (written.every(each => each.length === 0)) return write(script);
  let next = 0;
  const command = (simple: Simple): Simple => {
    const words = written[next] ?? [];
    next += 1;
    return words.length === 0 ? simple : { ...simple, words: writtenInto(simple.words, words) };
  };
  const [first, ...rest] = script.pipelines;
  const pipeline = ({ join, commands: [head, ...tail] }: typeof first): typeof first => ({
    join,
    commands: [command(head), ...tail.map(command)],
  });
  return write({ pipelines: [pipeline(first), ...rest.map(pipeline)] });
};

const writtenInto = ([name, ...operands]: Simple['words'], written: readonly Written[]): Simple['words'] => {
  const added = (before: number): readonly Word[] =>
    written
      .filter(each => each.before === before)
      .flatMap(({ words }) => words.map(text => ({ whole: true, text, at: 0 }) as const));
  return [name, ...operands.flatMap((word, index) => [...added(index + 1), word]), ...added(operands.length + 1)];
};
