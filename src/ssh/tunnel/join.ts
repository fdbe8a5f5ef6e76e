import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bytes that went from the side that listens (`out`) or came back to it. */
export type Moved = (way: 'out' | 'in', bytes: number) => void;

/** Ends a stream so that its peer does not take what it has for the whole: a socket is reset. */
export const breakOff = (stream: Duplex): void => {
  if (stream instanceof Socket && !stream.destroyed) stream.resetAndDestroy();
  else stream.destroy();
};

/**
 * Leads each of two streams to the other, no faster than it is read, until both are closed. A side that has ended is still
 * answered; one that breaks off takes the other with it, and one that is gone keeps what it had sent.
 */
export const join = async (near: Duplex, far: Duplex, moved: Moved): Promise<void> => {
  await Promise.all([lead(near, far, bytes => moved('out', bytes)), lead(far, near, bytes => moved('in', bytes))]);
};

const lead = (from: Duplex, to: Duplex, moved: (bytes: number) => void): Promise<void> =>
  new Promise(resolve => {
    const closed = (): void => {
      to.unpipe(from);
      if (!from.readableEnded) breakOff(to);
      else if (!from.writableFinished) letGo(to);
      resolve();
    };
    from.on('error', () => undefined);
    if (from.destroyed) return closed();
    from.once('close', closed);
    from.on('data', (chunk: Buffer) => moved(chunk.length));
    from.pipe(to);
  });

/** Nobody hears it any more: it closes with the last byte for it. */
const letGo = (stream: Duplex): void => {
  stream.resume();
  if (stream.writableFinished) stream.destroy();
  else stream.once('finish', () => stream.destroy()).end();
};
