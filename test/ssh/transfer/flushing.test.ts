import { expect, test } from 'vitest';
import { flushing } from '../../../src/ssh/transfer/flushing.ts';

const MIB = 2 ** 20;

/** A file whose syncs end when they are told to. */
const held = () => {
  const ends: ((error?: Error) => void)[] = [];
  const datasync = () =>
    new Promise<void>((resolve, reject) => {
      ends.push(error => (error === undefined ? resolve() : reject(error)));
    });
  return { ends, flush: flushing({ datasync }) };
};

test('syncs every eight mebibytes, one at a time', async () => {
  const { ends, flush } = held();
  for (let at = 0; at < 7; at++) flush.wrote(MIB);
  expect(ends.length).toBe(0);
  for (let at = 0; at < 20; at++) flush.wrote(MIB);
  expect(ends.length).toBe(1);
  ends[0]?.();
  await flush.settled();
  flush.wrote(1);
  expect(ends.length).toBe(2);
  ends[1]?.();
  await flush.settled();
});

test('tells at the end what a sync on the way has said, though the last one says nothing', async () => {
  const { ends, flush } = held();
  flush.wrote(8 * MIB);
  ends[0]?.(new Error('EIO'));
  await expect(flush.settled()).rejects.toThrow('EIO');
  flush.wrote(8 * MIB);
  ends[1]?.();
  await expect(flush.settled()).rejects.toThrow('EIO');
});
