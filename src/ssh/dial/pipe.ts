import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What carries the bytes of one SSH connection: a TCP socket, or a stream that a hop forwards. */
export type Pipe = {
  readonly stream: Duplex;
  /** The IP address that was dialled; undefined when a hop dialled it. */
  readonly address: string | undefined;
  /** Bytes that came from the host so far. */
  readonly received: () => number;
  /** Lets go of it once what was written is on its way. */
  readonly end: () => void;
};

/** A connected socket; what is written to it in one go goes to the kernel at once. */
export const socketPipe = (socket: Socket): Pipe => ({
  stream: gathering(socket),
  address: socket.remoteAddress,
  received: () => socket.bytesRead,
  end: () => socket.destroySoon(),
});

/** A stream of `Link.forward` for a connection of SSH, which has no half: it closes with its last byte when the far side has ended. */
export const forwardedPipe = (stream: Duplex): Pipe => {
  let received = 0;
  // Paused, it gives nothing to this listener before the one who is to read it.
  stream.pause().on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  stream.on('end', () => stream.destroy());
  return { stream, address: undefined, received: () => received, end: () => void stream.destroy() };
};

/** ssh2 writes each packet in three pieces: to hand each to the kernel by itself costs more than to encrypt it. */
const gathering = (socket: Socket): Socket => {
  const write = socket.write;
  let due = false;
  const gather = (...args: readonly unknown[]): boolean => {
    if (!due) {
      due = true;
      socket.cork();
      queueMicrotask(() => {
        due = false;
        socket.uncork();
      });
    }
    return Reflect.apply(write, socket, args);
  };
  return Object.assign(socket, { write: gather });
};
