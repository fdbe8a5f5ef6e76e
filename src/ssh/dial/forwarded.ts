import { Duplex } from 'node:stream';

/**
 * The stream of a forwarded connection (RFC 4254 section 7.2) that closes as a socket does: at once when it is destroyed,
 * whether the host answers or not, and with its last byte when the far side has ended.
 */
export const forwarded = (channel: Duplex): Duplex => {
  const stream = new Duplex({
    read: () => void channel.resume(),
    write: (chunk, _encoding, done) => void channel.write(chunk, done),
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
  channel.on('end', ended).on('close', ended);
  stream.on('end', () => stream.destroy());
  return stream;
};
