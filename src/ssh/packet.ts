/** What a message is made of: a number is a uint32, a text or bytes a string, a flag a byte (RFC 4251 section 5). */
export type Part = number | string | boolean | Buffer;

/** Bytes that keep to no protocol of ours: whoever sent them is not listened to any more. */
export class BrokenMessage extends Error {}

const bytesOf = (part: Part): readonly Buffer[] => {
  if (typeof part === 'number') return [uint32(part)];
  if (typeof part === 'boolean') return [Buffer.of(part ? 1 : 0)];
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  return [uint32(bytes.length), bytes];
};

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A message behind its length, as both the multiplexing protocol and the proxied connection have it. */
export const frame = (head: Buffer, parts: readonly Part[]): Buffer => {
  const pieces = [head, ...parts.flatMap(bytesOf)];
  return Buffer.concat([uint32(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces]);
};

/** The fields of one message, read in order; each throws `BrokenMessage` when it is not whole. */
export type Fields = {
  readonly byte: () => number;
  readonly number: () => number;
  readonly bytes: () => Buffer;
  readonly text: () => string;
};

/** Reads a message. */
export const fieldsOf = (message: Buffer): Fields => {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new BrokenMessage('a message is too short for its fields');
    at += length;
    return message.subarray(at - length, at);
  };
  const number = (): number => take(4).readUInt32BE();
  const bytes = (): Buffer => take(number());
  return { byte: () => take(1).readUInt8(), number, bytes, text: () => bytes().toString('latin1') };
};

/** A packet of OpenSSH is never longer (PACKET_MAX_SIZE), and what we ask for is an eighth of it. */
const LONGEST = 262_144;

/**
 * Cuts a stream into messages by the length before each, and hands each over without it. A message that arrived in one
 * piece is not copied. What is returned takes the chunks of the stream, and throws `BrokenMessage`.
 */
export const splitter = (deliver: (message: Buffer) => void): ((chunk: Buffer) => void) => {
  const header = Buffer.alloc(4);
  let headed = 0;
  let message: Buffer | undefined;
  let filled = 0;
  return chunk => {
    let at = 0;
    while (at < chunk.length) {
      if (message === undefined) {
        const taken = chunk.copy(header, headed, at, at + 4 - headed);
        headed += taken;
        at += taken;
        if (headed < 4) return;
        const length = header.readUInt32BE();
        if (length > LONGEST) throw new BrokenMessage('a message is too long');
        headed = 0;
        if (at + length <= chunk.length) {
          deliver(chunk.subarray(at, at + length));
          at += length;
        } else {
          message = Buffer.allocUnsafeSlow(length);
          filled = 0;
        }
      } else {
        const taken = chunk.copy(message, filled, at);
        filled += taken;
        at += taken;
        if (filled < message.length) return;
        const whole = message;
        message = undefined;
        deliver(whole);
      }
    }
  };
};
