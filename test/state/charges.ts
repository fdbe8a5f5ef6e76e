import type { Charge } from '../../src/policy/decision.ts';
import type { Store } from '../../src/state/store.ts';

/** A charge of `amount` on a window of one minute. */
export const charge = (max: number, more: Partial<Charge> = {}): Charge => ({
  rule: '/tools/ssh_exec/limits/runs',
  key: 'runs grant local',
  amount: 1,
  max,
  span: { kind: 'window', windowMs: 60_000 },
  reason: 'too many',
  ...more,
});

/** A charge on how many run at one time. */
export const slot = (max: number, more: Partial<Charge> = {}): Charge =>
  charge(max, { key: 'running', span: { kind: 'concurrent' }, ...more });

/** How many of `times` charges are admitted. */
export const admitted = async (store: Store, one: Charge, times: number): Promise<number> => {
  let count = 0;
  for (let i = 0; i < times; i++) if ((await store.charge([one])).ok) count++;
  return count;
};
