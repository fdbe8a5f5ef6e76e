import type { Io } from './io.ts';

/** Whether a person sits there: asked on stderr, answered on stdin. */
export const isAttended = (io: Io): boolean => io.streams.stdin.isTTY === true && io.stderr.isTTY;

/** Asks a question and resolves with the line that is typed, without its blanks; with nothing when the input ends. */
export const ask = async (io: Io, question: string): Promise<string> => {
  io.stderr.write(question);
  let line = '';
  for await (const chunk of io.streams.stdin) {
    line += String(chunk);
    if (line.includes('\n')) break;
  }
  return line.split('\n')[0]?.trim() ?? '';
};
