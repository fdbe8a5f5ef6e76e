import { FXP, halves } from './wire.ts';

/** An SSH packet takes so many bytes (RFC 4253 section 6.1), sshd's too: the head shares one with the first of the data. */
const PACKET = 32_768;
const HEAD = 25;

/** A WRITE (section 6.4) in one part or two, the second of which is the caller's own memory. */
export const writeMessage = (id: number, handle: Buffer, offset: number, bytes: Buffer): readonly Buffer[] => {
  const headed = HEAD + handle.length;
  const first = Buffer.allocUnsafe(Math.min(PACKET, headed + bytes.length));
  const [high, low] = halves(offset);
  first.writeUInt32BE(headed - 4 + bytes.length, 0);
  first.writeUInt8(FXP.WRITE, 4);
  first.writeUInt32BE(id, 5);
  first.writeUInt32BE(handle.length, 9);
  handle.copy(first, 13);
  first.writeUInt32BE(high, headed - 12);
  first.writeUInt32BE(low, headed - 8);
  first.writeUInt32BE(bytes.length, headed - 4);
  const copied = bytes.copy(first, headed);
  return copied === bytes.length ? [first] : [first, bytes.subarray(copied)];
};
