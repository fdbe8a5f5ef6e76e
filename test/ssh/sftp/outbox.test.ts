import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Outbox } from '../../../src/ssh/sftp/outbox.ts';
import { settled } from './in-memory.ts';

/** A stream that keeps what is written to it, write by write. */
const kept = () => {
  const writes: Buffer[] = [];
  let taken = 0;
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk);
      done();
    },
  });
  const outbox = new Outbox(stream, () => {
    taken += 1;
  });
  return { outbox, writes, taken: () => taken };
};

const bytes = (length: number, fill = length): Buffer => Buffer.alloc(length, fill);

test('what is sent in one turn is written as one, at the end of the turn', async () => {
  const { outbox, writes, taken } = kept();
  outbox.send([Buffer.from('a'), Buffer.from('b')]);
  await Promise.resolve();
  outbox.send([Buffer.from('c')]);
  expect(writes).toEqual([]);
  await settled();
  expect([writes, taken()]).toEqual([[Buffer.from('abc')], 1]);
  outbox.send([Buffer.from('d')]);
  await settled();
  expect(writes).toEqual([Buffer.from('abc'), Buffer.from('d')]);
});

test('a long piece goes at once behind what was sent before, and is not copied', async () => {
  const { outbox, writes } = kept();
  const long = bytes(16_385);
  outbox.send([Buffer.from('a'), long, Buffer.from('b')]);
  expect([writes.length, writes[0], writes[1] === long]).toEqual([2, Buffer.from('a'), true]);
  await settled();
  expect(writes[2]).toEqual(Buffer.from('b'));
});

test('what does not fit in one packet is not kept for the end of the turn', async () => {
  const { outbox, writes } = kept();
  for (let index = 0; index < 9; index += 1) outbox.send([bytes(4_096)]);
  expect(writes.map(({ length }) => length)).toEqual([32_768]);
  await settled();
  expect(writes.map(({ length }) => length)).toEqual([32_768, 4_096]);
});

test('whatever is sent, in however many turns, arrives once and in order', async () => {
  const sizes = fc.array(fc.array(fc.oneof(fc.nat(300), fc.nat(40_000)), { maxLength: 12 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sizes, async turns => {
      const { outbox, writes } = kept();
      let fill = 0;
      const sent: Buffer[] = [];
      for (const turn of turns) {
        for (const size of turn) {
          fill += 1;
          const piece = bytes(size, fill);
          sent.push(piece);
          outbox.send([piece]);
        }
        await settled();
      }
      expect(Buffer.concat(writes).equals(Buffer.concat(sent))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('when it is over, what was flushed before has gone, and nothing more goes', async () => {
  const { outbox, writes } = kept();
  outbox.send([Buffer.from('last')]);
  outbox.flush();
  outbox.send([Buffer.from('too late')]);
  outbox.stop();
  await settled();
  outbox.send([bytes(20_000)]);
  expect(writes).toEqual([Buffer.from('last')]);
});
