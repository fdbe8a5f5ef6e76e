import { parseArgs } from 'node:util';
import { chance } from './chance.ts';
import { visitAtRandom } from './trust-visits.ts';

// Random known_hosts files against a real host, ssh and ssh-keygen: node scripts/run.mjs test/campaign/trust-at-random.ts
const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
const visits = await visitAtRandom(chance(Number(values.seed ?? 20_261_121)), { count: Number(values.count ?? 1_000) });
for (const problem of visits.problems) process.stdout.write(`${problem}\n`);
const verdicts = [...visits.verdicts].map(([verdict, times]) => `${verdict} ${times}`).join(', ');
process.stdout.write(`${verdicts}; ${visits.lookups} lookups; ${visits.problems.length} problems\n`);
process.exitCode = visits.problems.length === 0 ? 0 : 1;
