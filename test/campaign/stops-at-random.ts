// Random trees, stopped at random moments in random ways: node scripts/run.mjs test/campaign/stops-at-random.ts --count 1000 --seed 1
import { parseArgs } from 'node:util';
import { chance } from './chance.ts';
import { layGround } from './ground.ts';
import { randomStops } from './random-stops.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const began = performance.now();
await using ground = await layGround();
const { outcomes, problems } = await randomStops(ground, chance(Number(values.seed)), { count: Number(values.count) });
for (const problem of problems) process.stdout.write(`${problem}\n`);
for (const [outcome, times] of [...outcomes].sort(([, a], [, b]) => b - a))
  process.stdout.write(`${times} ${outcome}\n`);
process.stdout.write(
  `${values.count} stops, ${problems.length} problems, ${Math.round((performance.now() - began) / 1000)} s\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
