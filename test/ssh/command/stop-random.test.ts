import { expect, test } from 'vitest';
import { chance } from '../../campaign/chance.ts';
import { layGround } from '../../campaign/ground.ts';
import { randomStops } from '../../campaign/random-stops.ts';

test('sixty random trees, stopped at random moments in random ways, are gone when that is said, and none hangs [G10]', {
  timeout: 120_000,
}, async () => {
  await using ground = await layGround();
  const { outcomes, problems } = await randomStops(ground, chance(20_261_121), { count: 60 });
  expect(problems).toEqual([]);
  const confirmed = [...outcomes].filter(
    ([outcome]) => outcome.includes('confirmed') && !outcome.includes('unconfirmed'),
  );
  expect(confirmed.reduce((sum, [, times]) => sum + times, 0)).toBeGreaterThan(20);
});
