import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { onEach } from '../../src/tools/each.ts';
import type { Caller } from '../../src/tools/tool.ts';

const callerWith = (progress: (message: string) => void): Caller => ({
  id: 'call_1',
  grant: 'local',
  signal: new AbortController().signal,
  progress,
  failureOf: error => (error instanceof Failure ? error : new Failure('DEFECT', String(error))),
});

test('everybody is begun at once, under ids of their own, and what breaks hides no other', async () => {
  const told: string[] = [];
  const ids: string[] = [];
  let release = (): void => undefined;
  const begun = new Promise<void>(resolve => {
    release = resolve;
  });
  const one = async (host: string, caller: Caller): Promise<string> => {
    ids.push(caller.id);
    if (ids.length === 3) release();
    await begun;
    caller.progress('nobody hears this');
    if (host === 'b') throw new Failure('UNREACHABLE', 'Nobody answers.');
    if (host === 'c') throw new TypeError('broken');
    return `${host} is done`;
  };
  const parts = await onEach(
    ['a', 'b', 'c'],
    callerWith(message => told.push(message)),
    one,
    text => text.toUpperCase(),
  );
  expect(ids).toEqual(['call_1.1', 'call_1.2', 'call_1.3']);
  expect(parts).toEqual([
    { host: 'a', value: 'a is done' },
    { host: 'b', failure: new Failure('UNREACHABLE', 'Nobody answers.') },
    { host: 'c', failure: new Failure('DEFECT', 'TypeError: broken') },
  ]);
  expect(told).toEqual([
    '1 of 3 hosts ended; a A IS DONE',
    '2 of 3 hosts ended; b UNREACHABLE',
    '3 of 3 hosts ended; c DEFECT',
  ]);
});
