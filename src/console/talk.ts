import { connect } from 'node:net';
import { isCode } from '../state/private.ts';
import { answerSchema, type ControlAnswer, type Listing, MAX_ANSWER_BYTES } from './answers.ts';
import { removeSocket, withShortPath } from './folder.ts';
import { type ControlRequest, parsedLine, VERSION } from './protocol.ts';

/** A request without its version. */
export type Asked = ControlRequest extends infer One ? (One extends ControlRequest ? Omit<One, 'v'> : never) : never;

/** How a talk with a server ended: all was said, its process is gone, it closed before it answered, or it does not answer as it should. */
export type Talk = 'answered' | 'dead' | 'turned_away' | 'silent';

/** Which socket, what is asked, and who takes the answers; `take` says whether more is wanted. */
export type Question = {
  readonly folder: string;
  readonly name: string;
  readonly request: Asked;
  readonly take: (answer: ControlAnswer) => boolean;
  /** How long it may stay silent until its first answer; for ever unless given. */
  readonly patienceMs?: number;
};

/** Asks the server of one socket. The name of one whose process is gone is removed. */
export const talk = async (question: Question): Promise<Talk> => {
  const { folder, name } = question;
  const ended = await withShortPath(folder, name, path => converse(path, question));
  if (ended === 'dead') removeSocket(folder, name);
  return ended;
};

/** What a server has open; undefined when it is gone, and `silent` when it does not answer as it should. */
export const listingOf = async (folder: string, name: string, patienceMs: number): Promise<Listing | Talk> => {
  let listing: Listing | undefined;
  const take = (answer: ControlAnswer): boolean => {
    if (answer.answer === 'list') listing = answer;
    return false;
  };
  const ended = await talk({ folder, name, request: { op: 'list' }, take, patienceMs });
  return listing ?? (ended === 'answered' ? 'silent' : ended);
};

const converse = (path: string, { request, take, patienceMs }: Question): Promise<Talk> =>
  new Promise(resolve => {
    const socket = connect(path);
    let parts: Buffer[] = [];
    let bytes = 0;
    let heard = false;
    const over = (how: Talk): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(how);
    };
    const late = patienceMs === undefined ? undefined : setTimeout(() => over('silent'), patienceMs);
    const hear = (line: string): void => {
      const answer = answerSchema.safeParse(parsedLine(line));
      if (answer.success) heard = true;
      if (!answer.success) over('silent');
      else if (!take(answer.data)) over('answered');
      clearTimeout(late);
    };
    socket.once('connect', () => void socket.write(`${JSON.stringify({ v: VERSION, ...request })}\n`));
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) over('silent');
      if (!chunk.includes(LF)) return;
      const all = Buffer.concat(parts);
      const end = all.lastIndexOf(LF);
      [parts, bytes] = [[all.subarray(end + 1)], all.length - end - 1];
      for (const line of all.subarray(0, end).toString('utf8').split('\n')) if (!socket.destroyed) hear(line);
    });
    // A name appears only once its process listens, so that nobody who lives refuses.
    socket.once('error', error => over(isGone(error) ? 'dead' : heard ? 'answered' : 'turned_away'));
    socket.once('close', () => over(heard ? 'answered' : 'turned_away'));
  });

const LF = 0x0a;

const isGone = (error: Error): boolean => isCode(error, 'ECONNREFUSED') || isCode(error, 'ENOENT');
