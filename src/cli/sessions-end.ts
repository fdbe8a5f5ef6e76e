import type { ControlAnswer, StoppedAnswer } from '../console/answers.ts';
import { talk } from '../console/talk.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, writeJson } from './io.ts';
import { liveServers, serverOf } from './servers.ts';

/** Every rung of the longest ladder that can be configured, and the ways there and back. */
const PATIENCE_MS = 240_000;

/** `sessions end`: ends one thing and says what that proved; 1 when something of it may be left, or it is unknown. */
export const sessionsEnd = async (io: Io, { options, operands: [id = ''] }: Request): Promise<number> => {
  const { answering } = await liveServers(io, options);
  const server = serverOf(io, answering, id);
  if (server === undefined) return EXIT.no;
  const { folder, name, pid } = server;
  let answer: ControlAnswer | undefined;
  const take = (one: ControlAnswer): boolean => {
    answer = one;
    return false;
  };
  await talk({ folder, name, request: { op: 'end', id }, take, patienceMs: PATIENCE_MS });
  return answerOf(io, answer, { json: options.json, pid });
};

const answerOf = (io: Io, answer: ControlAnswer | undefined, { json, pid }: { json: boolean; pid: number }): number => {
  if (answer?.answer !== 'stopped') {
    say(
      io,
      answer?.answer === 'failed' ? answer.message : `The server with process ${pid} did not say what became of it.`,
    );
    return EXIT.no;
  }
  if (json) {
    const { v, answer: _, ...stopped } = answer;
    writeJson(io, stopped);
  } else print(io, textOf(answer));
  return answer.outcome === 'unconfirmed' ? EXIT.no : EXIT.ok;
};

const WORDS = {
  confirmed: 'ended, and nothing of it is left',
  already_ended: 'had ended already',
  unconfirmed: 'a stop was sent, and it is not proved that nothing of it is left',
} as const;

const textOf = ({ id, outcome, signals, remaining, unlisted = 0 }: StoppedAnswer): string =>
  [
    `${id}: ${WORDS[outcome]}${signals.length === 0 ? '' : ` (${signals.join(', ')})`}`,
    ...remaining.map(({ pid, command }) => `  ${pid} ${command}`),
    ...(unlisted === 0 ? [] : [`  and ${unlisted} more`]),
  ].join('\n');
