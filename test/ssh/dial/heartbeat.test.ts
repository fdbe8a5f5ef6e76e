import { expect, test } from 'vitest';
import { HEARTBEAT, heartbeatEvery } from '../../../src/ssh/dial/heartbeat.ts';

test('a dead peer is found within ten seconds', () => {
  const { lookMs, silentLooks } = HEARTBEAT;
  expect((silentLooks + 1) * lookMs).toBe(10_000);
});

test.each([
  ['that says nothing', undefined, 3_000, 1_000],
  ['that wants none', 0, 3_000, 1_000],
  ['with a senseless one', -5, 3_000, 1_000],
  ['that wants a rarer one', 60_000, 3_000, 1_000],
  ['that wants a more frequent one', 1_500, 1_500, 500],
  ['that wants one all the time', 1, 100, 34],
])('a host %s is asked, and found dead, never later than usual', (_what, aliveMs, pingMs, lookMs) => {
  expect(heartbeatEvery(aliveMs, HEARTBEAT)).toEqual({ pingMs, lookMs, silentLooks: 9 });
});
