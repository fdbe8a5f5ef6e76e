// Every tree by every way under every setting: node scripts/run.mjs test/campaign/stop-table.ts [--subset] [--tree TEXT] [--width 3]
import { parseArgs } from 'node:util';
import { layGround } from './ground.ts';
import { stopBatch } from './stops.ts';
import { batchesOf, covering, everything, inParallel } from './table.ts';

const { values } = parseArgs({
  options: {
    subset: { type: 'boolean', default: false },
    tree: { type: 'string', default: '' },
    width: { type: 'string', default: '3' },
  },
});
const began = performance.now();
await using ground = await layGround();
const cases = (values.subset ? covering : everything)(ground.logins).filter(({ tree }) =>
  tree.what.includes(values.tree),
);
let wrong = 0;
await inParallel(batchesOf(cases), Number(values.width), async batch => {
  const problems = await stopBatch(ground, batch).catch((error: unknown) => [
    `${batch.cases.map(({ tree }) => tree.what).join(', ')} by ${batch.way}, ${batch.login}: ${String(error)}`,
  ]);
  wrong += problems.length;
  for (const problem of problems) process.stdout.write(`${problem}\n`);
});
process.stdout.write(`${cases.length} stops, ${wrong} problems, ${Math.round((performance.now() - began) / 1000)} s\n`);
process.exitCode = wrong === 0 ? 0 : 1;
