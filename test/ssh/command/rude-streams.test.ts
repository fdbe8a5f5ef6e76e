import { expect, test } from 'vitest';
import { chance } from '../../campaign/chance.ts';
import { spoilAnswers } from '../../campaign/mutations.ts';

const LANES = 10;

test('five hundred spoiled answers of a trusted host end no process, hang nothing, and are no success that it did not tell [G9]', {
  timeout: 120_000,
}, async () => {
  const found = await Promise.all(
    Array.from({ length: LANES }, (_, lane) => spoilAnswers(chance(20_261_121 + lane), 500 / LANES)),
  );
  expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  const names = new Set(found.flatMap(({ outcomes }) => [...outcomes.keys()]));
  expect([...names]).toEqual(expect.arrayContaining(['exited', 'signalled', 'lost', 'timed_out', 'CONNECTION_LOST']));
});
