import { describe, expect, test } from 'vitest';
import { SESSION_SHELLS, sessionTrial } from './session-trial.ts';

const SEED = Number(process.env.SALLYPORT_TEST_SEED ?? 20_261_121);
const LINES = 150;

describe('random lines', () => {
  test.concurrent.each(SESSION_SHELLS)(
    'do in a managed session what they do in one %s',
    { timeout: 120_000 },
    async shell => {
      const { changes, differences } = await sessionTrial(shell, SEED, LINES);
      expect(differences).toEqual([]);
      expect(changes).toBeGreaterThan(LINES / 5);
    },
  );
});
