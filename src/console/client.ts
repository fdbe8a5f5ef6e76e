import type { Socket } from 'node:net';
import type { ControlAnswer } from './answers.ts';
import { MAX_REQUEST_BYTES } from './protocol.ts';

/** A process at the other end of a control socket, as those who answer it see it. */
export type Client = {
  /** Sends one answer; resolves when there is room for more, or when nobody is there any more. */
  readonly send: (answer: ControlAnswer) => Promise<void>;
  /** Aborted when it has gone, or was dropped. */
  readonly gone: AbortSignal;
};

const LF = 0x0a;
/** Requests that may wait behind one that is being answered, in bytes. */
const MOST_WAITING_BYTES = 4 * MAX_REQUEST_BYTES;
/** Answers that may wait for somebody who does not read. */
const MOST_UNREAD_BYTES = 1_048_576;
/** Whoever asks nothing for so long is dropped. */
const SILENT_MS = 5_000;
/** And so is whoever takes nothing for so long of what was asked for. */
const UNREAD_MS = 30_000;

/** Answers the lines of one client one after another; whoever sends too much, or reads too little, is dropped. */
export const attend = (socket: Socket, answer: (line: string, client: Client) => Promise<void>): void => {
  const gone = new AbortController();
  let rest: Buffer = Buffer.alloc(0);
  let busy = false;
  const client: Client = { send: one => send(socket, one), gone: gone.signal };
  const next = (): void => {
    const end = rest.subarray(0, MAX_REQUEST_BYTES + 1).indexOf(LF);
    if (end === -1 && rest.length > MAX_REQUEST_BYTES) socket.destroy();
    if (busy || end === -1 || socket.destroyed) return;
    const line = rest.subarray(0, end).toString('utf8');
    rest = rest.subarray(end + 1);
    busy = true;
    socket.setTimeout(0);
    const done = (): void => {
      busy = false;
      socket.setTimeout(SILENT_MS);
      next();
    };
    answer(line, client).then(done, () => socket.destroy());
  };
  socket.setTimeout(SILENT_MS, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    if (rest.length > MOST_WAITING_BYTES) socket.destroy();
    else next();
  });
  // Why it went is nobody's business here.
  socket.on('error', () => undefined);
  socket.once('close', () => gone.abort());
};

const send = async (socket: Socket, answer: ControlAnswer): Promise<void> => {
  if (socket.destroyed) return;
  if (socket.writableLength > MOST_UNREAD_BYTES) {
    socket.destroy();
    return;
  }
  if (socket.write(`${JSON.stringify(answer)}\n`)) return;
  await roomIn(socket);
};

const roomIn = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    const late = setTimeout(() => socket.destroy(), UNREAD_MS);
    const done = (): void => {
      clearTimeout(late);
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
