import { expect, test } from 'vitest';
import { spoilFiles } from '../../campaign/answers.ts';
import { chance } from '../../campaign/chance.ts';

test('a server that spoils its answers is believed nothing that cannot be, and keeps nobody waiting', async () => {
  const found = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(seed => spoilFiles(chance(seed), 40)));
  expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  expect(found.some(({ ends }) => ends.has('CONNECTION_LOST') && (ends.get('well') ?? 0) > 100)).toBe(true);
});
