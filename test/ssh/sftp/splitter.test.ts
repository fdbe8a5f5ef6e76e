import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokenMessage, frame } from '../../../src/ssh/packet.ts';
import { Splitter } from '../../../src/ssh/sftp/splitter.ts';
import { FXP } from '../../../src/ssh/sftp/wire.ts';
import { writeMessage } from '../../../src/ssh/sftp/write-message.ts';

type Heard = { readonly type: number; readonly id: number; readonly bytes: string };

/** What is heard of a stream that comes in these chunks. */
const hear = (chunks: readonly Buffer[], asked = 2 ** 20) => {
  const heard: Heard[] = [];
  let pieces = 0;
  const splitter = new Splitter({
    asked: () => asked,
    data: (id, parts) => {
      pieces += parts.length;
      expect(parts.every(part => part.length > 0)).toBe(true);
      heard.push({ type: FXP.DATA, id, bytes: Buffer.concat(parts).toString('hex') });
    },
    message: (type, id, rest) => heard.push({ type, id, bytes: rest.toString('hex') }),
  });
  for (const chunk of chunks) splitter.hear(chunk);
  return { heard, pieces };
};

const message = fc.record({
  type: fc.constantFrom<number>(FXP.DATA, FXP.STATUS, FXP.NAME),
  id: fc.nat(2 ** 32 - 1),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 10_000 }),
});

test('messages are the same however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(6_000)), (messages, cuts) => {
      const stream = Buffer.concat(
        messages.map(({ type, id, bytes }) => {
          const data = Buffer.from(bytes);
          if (type === FXP.DATA) return frame(Buffer.of(type), [id, data]);
          const plain = frame(Buffer.of(type), [id]);
          plain.writeUInt32BE(5 + data.length);
          return Buffer.concat([plain, data]);
        }),
      );
      const chunks: Buffer[] = [];
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        chunks.push(stream.subarray(at, at + cut));
        at += cut;
      }
      const expected = messages.map(({ type, id, bytes }) => ({ type, id, bytes: Buffer.from(bytes).toString('hex') }));
      expect(hear(chunks).heard).toEqual(expected);
    }),
  );
});

test('data that comes byte by byte takes little more memory than its bytes', () => {
  const stream = frame(Buffer.of(FXP.DATA), [7, Buffer.alloc(100_000, 1)]);
  const { heard, pieces } = hear(Array.from(stream, byte => Buffer.of(byte)));
  expect([heard.length, pieces]).toEqual([1, 25]);
});

test.each([
  ['shorter than its head', Buffer.from([0, 0, 0, 4, 101, 0, 0, 0, 1]), 0],
  ['longer than 1 MiB', Buffer.from([0, 16, 0, 1, 101, 0, 0, 0, 1]), 0],
  ['with data that is longer than it', frame(Buffer.of(FXP.DATA), [1, 50, 'x']), 100],
  ['with more data than was asked for', frame(Buffer.of(FXP.DATA), [1, 'xx']), 1],
])('a message that is %s is refused when its head has come', (_what, bytes, asked) => {
  expect(() => hear([bytes.subarray(0, 13)], asked)).toThrow(BrokenMessage);
});

test.each([0, 1, 32_738, 32_739, 32_740, 261_120])(
  'a write of %d bytes says its length, and holds them all',
  length => {
    const bytes = Buffer.alloc(length, 'x');
    const parts = writeMessage(9, Buffer.from('handle'), 2 ** 33 + 5, bytes);
    const whole = Buffer.concat(parts);
    const head = frame(Buffer.of(FXP.WRITE), [9, 'handle', 2, 5, bytes]);
    expect(whole.equals(head)).toBe(true);
    expect(parts.length).toBe(length <= 32_737 ? 1 : 2);
  },
);
