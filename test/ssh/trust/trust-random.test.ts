import { expect, test } from 'vitest';
import { chance } from '../../campaign/chance.ts';
import { visitAtRandom } from '../../campaign/trust-visits.ts';

test('forty random known_hosts files are decided as ssh decides them, and read as ssh-keygen -F reads them', {
  timeout: 60_000,
}, async () => {
  const { verdicts, problems } = await visitAtRandom(chance(20_261_121), { count: 40 });
  expect(problems).toEqual([]);
  expect([...verdicts.keys()].toSorted()).toEqual([
    'HOST_KEY_CHANGED',
    'HOST_KEY_REVOKED',
    'HOST_KEY_UNKNOWN',
    'trusted',
  ]);
});
