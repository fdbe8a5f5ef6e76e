// SFTP servers that spoil their answers: node scripts/run.mjs test/campaign/mutated-answers.ts --count 100000 --seed 1
import { parseArgs } from 'node:util';
import { spoilFiles } from './answers.ts';
import { chance } from './chance.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const BATCH = 500;
const LANES = 32;
const began = performance.now();
const ends = new Map<string, number>();
let [done, wrong, batch] = [0, 0, Number(values.seed) * 1_000];
const lane = async (): Promise<void> => {
  while (done < Number(values.count)) {
    const count = Math.min(BATCH, Number(values.count) - done);
    done += count;
    batch += 1;
    const seed = batch;
    const found = await spoilFiles(chance(seed), count);
    wrong += found.problems.length;
    for (const problem of found.problems) process.stdout.write(`seed ${seed}, ${problem}\n`);
    for (const [name, times] of found.ends) ends.set(name, (ends.get(name) ?? 0) + times);
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stdout.write(`${seconds} s ${JSON.stringify(Object.fromEntries(ends))}, ${wrong} problems\n`);
  }
};
await Promise.all(Array.from({ length: LANES }, lane));
process.exitCode = wrong === 0 ? 0 : 1;
