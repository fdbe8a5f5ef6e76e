// Managed sessions against one shell, at length: node scripts/run.mjs test/ssh/session/sessions-campaign.ts --lines 10000 --seed 1
import { parseArgs } from 'node:util';
import { SESSION_SHELLS, sessionTrial } from './session-trial.ts';

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const LINES = 250;
const began = Date.now();
const sum = { lines: 0, changes: 0, differences: 0 };
for (let batch = 0; sum.lines < Number(values.lines); batch += 1) {
  const shell = SESSION_SHELLS[batch % SESSION_SHELLS.length] ?? '/bin/sh';
  const trial = await sessionTrial(shell, Number(values.seed) + batch * 7919, LINES);
  sum.lines += trial.lines;
  sum.changes += trial.changes;
  sum.differences += trial.differences.length;
  for (const difference of trial.differences) process.stdout.write(`${shell}: ${difference}\n`);
  process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s ${shell} ${JSON.stringify(sum)}\n`);
}
process.exitCode = sum.differences === 0 ? 0 : 1;
