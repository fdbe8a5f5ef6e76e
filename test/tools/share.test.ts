import { expect, test } from 'vitest';
import { shares } from '../../src/tools/share.ts';
import { dice } from '../shell/random.ts';

test.each([
  { title: 'all is given where it is enough', needs: [3, 0, 5], total: 10, given: [3, 0, 5] },
  { title: 'what the small leave goes to the large', needs: [100, 2, 100], total: 30, given: [14, 2, 14] },
  { title: 'equals get alike, whole units', needs: [9, 9, 9], total: 10, given: [3, 3, 4] },
  { title: 'of nothing everybody gets nothing', needs: [1, 2], total: 0, given: [0, 0] },
  { title: 'a debt gives nothing', needs: [1, 2], total: -5, given: [0, 0] },
  { title: 'nobody asks', needs: [], total: 10, given: [] },
])('$title', ({ needs, total, given }) => {
  expect(shares(needs, total)).toEqual(given);
});

test('never more than there is, nobody more than it needs, and nobody less than an equal share unless it needs less', () => {
  const { below } = dice(20261121);
  for (let round = 0; round < 2_000; round += 1) {
    const total = below(40_000);
    const needs = Array.from({ length: 1 + below(100) }, () => below(10 ** (1 + below(5))));
    const given = shares(needs, total);
    const equal = Math.floor(total / needs.length);
    const sum = given.reduce((all, one) => all + one, 0);
    const wanted = needs.reduce((all, one) => all + one, 0);
    expect(sum).toBeLessThanOrEqual(total);
    expect(sum).toBeGreaterThan(Math.min(total, wanted) - 1);
    for (const [index, need] of needs.entries()) {
      expect(given[index]).toBeLessThanOrEqual(need);
      expect(given[index]).toBeGreaterThanOrEqual(Math.min(need, equal));
    }
  }
});
