import { expect, test } from 'vitest';
import { Failure } from '../../../../src/errors.ts';
import { chargingOf } from '../../../../src/ssh/transfer/tree/charging.ts';
import { slotsOf } from '../../../../src/ssh/transfer/tree/slots.ts';
import { Taken } from '../../../../src/ssh/transfer/tree/taken.ts';
import { isZero } from '../../../../src/ssh/transfer/tree/zeros.ts';
import { leaveOf } from '../../../support/leave.ts';

/** Lets everything that can go on go on. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('room is given in the order in which it was asked for, and never more than there is', async () => {
  const slots = slotsOf(10);
  const got: string[] = [];
  const ask = (name: string, weight: number) =>
    slots.take(weight).then(release => {
      got.push(name);
      return release;
    });
  const first = await ask('six', 6);
  const [second] = [ask('five', 5), ask('one', 1)];
  await settled();
  expect([got, slots.tryTake()]).toEqual([['six'], undefined]);
  first();
  first();
  (await second)();
  await settled();
  expect(got).toEqual(['six', 'five', 'one']);
});

test('who asks for more than there is gets all of it', async () => {
  const slots = slotsOf(3);
  const release = await slots.take(100);
  expect(slots.tryTake()).toBe(undefined);
  release();
  expect(slots.tryTake()).toBeDefined();
});

test('what is charged in one moment, or while another charge is under way, is charged together, and after it was judged', async () => {
  const waiting: (() => void)[] = [];
  const leave = leaveOf(undefined, async () => {
    await new Promise<void>(resolve => waiting.push(resolve));
    return undefined;
  });
  const charge = chargingOf(leave);
  const first = Promise.all([charge(1), charge(2)]);
  await settled();
  const second = Promise.all([charge(4), charge(8), charge(0)]);
  await settled();
  expect(leave.asked).toEqual([{ bytes: 3 }]);
  waiting.shift()?.();
  await first;
  await settled();
  expect(leave.asked).toEqual([{ bytes: 3 }, { bytes: 12 }]);
  waiting.shift()?.();
  await second;
});

test('a charge that is refused is refused for all who share it, and later ones are asked for anew', async () => {
  const leave = leaveOf(undefined, async (_bytes, total) =>
    total > 5 ? new Failure('RATE_LIMITED', 'No.') : undefined,
  );
  const charge = chargingOf(leave);
  const both = await Promise.allSettled([charge(3), charge(3)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await charge(5);
  expect(leave.bytes).toBe(5);
});

test('names that some file system may not tell apart wait for each other, and other names do not', async () => {
  const taken = new Taken();
  const done: string[] = [];
  let go: () => void = () => undefined;
  const gate = new Promise<void>(resolve => {
    go = resolve;
  });
  const work = (name: string, wait: Promise<void>) =>
    taken.alone(name, async () => {
      await wait;
      done.push(name);
    });
  const all = [work('Readme', gate), work('README', Promise.resolve()), work('other', Promise.resolve())];
  await settled();
  expect(done).toEqual(['other']);
  go();
  await Promise.all(all);
  expect(done).toEqual(['other', 'Readme', 'README']);
});

test('a block of zeros is told from one with a single bit', () => {
  const sizes = [1, 4_095, 65_536, 65_537, 261_120];
  expect(sizes.map(size => isZero(Buffer.alloc(size)))).toEqual(sizes.map(() => true));
  const last = (size: number): Buffer => Buffer.concat([Buffer.alloc(size - 1), Buffer.of(1)]);
  expect(sizes.map(size => isZero(last(size)))).toEqual(sizes.map(() => false));
});
