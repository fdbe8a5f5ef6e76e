import { Duplex } from 'node:stream';

/** Calls back once what carries the channel has room again. */
export type Pace = (go: () => void) => void;

/** Written ahead of a line: a host may grant a channel more than this machine has memory for. */
const MOST_AHEAD = 1_048_576;

/** The pace of a line that many channels share. */
export const paceOf = (line: Duplex): Pace => {
  const waiting = new Set<() => void>();
  line.on('drain', () => {
    const ready = [...waiting];
    waiting.clear();
    for (const go of ready) go();
  });
  return go => {
    if (line.writableLength > MOST_AHEAD) waiting.add(go);
    else go();
  };
};

/**
 * The stream of a forwarded connection (RFC 4254 section 7.2) that closes as a socket does: at once when it is destroyed,
 * whether the host answers or not, when both sides have ended, and with its last byte when the host has closed it.
 */
export const forwarded = (channel: Duplex, pace: Pace = go => go()): Duplex => {
  const stream = new Duplex({
    read: () => void channel.resume(),
    write: (chunk, _encoding, done) => void channel.write(chunk, () => pace(done)),
    final: done => {
      channel.end();
      done();
    },
    destroy: (error, done) => {
      channel.destroy();
      // What still comes is read and dropped, as the channel closes no earlier.
      channel.resume();
      done(error);
    },
  });
  const ended = (): void => {
    if (!stream.destroyed) stream.push(null);
  };
  channel.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) channel.pause();
  });
  channel.on('end', ended).on('close', () => {
    ended();
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
};
