import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { cutAndGoOn } from './cuts.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(async () => {
  await sshd.close();
});

const WINDOW = 4 * 2 ** 20;
/** Keys and questions of one login, and what is left of the window of the channel. */
const LOGIN = 65_536;

test.each(['up', 'down'] as const)(
  'a transfer that is cut fifty times on its way %s goes on each time and is whole at the end',
  async way => {
    const size = 12_000_003;
    let seed = 42;
    const next = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return 8_000 + (seed % 450_000);
    };
    const story = await cutAndGoOn(sshd, { way, cuts: 50, size, next });
    expect(story).toMatchObject({ cuts: 50, same: true, wrong: [] });
    expect(story.looks).toBeGreaterThan(100);
    expect(story.passed).toBeLessThan(size + 50 * (WINDOW + LOGIN));
    expect(story.resumed).toBeGreaterThan(10);
  },
  90_000,
);
