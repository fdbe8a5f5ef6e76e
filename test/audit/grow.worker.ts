import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAudit } from '../../src/audit/log.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { realClock } from '../support/clock.ts';
import { admitted } from './records.ts';

const [place = ''] = process.argv.slice(2);
const audit = await openAudit({
  folder: join(place, 'audit'),
  keyFile: join(place, 'audit.key'),
  clock: realClock,
  store: memoryStore(realClock),
  log: () => undefined,
  random: randomBytes,
});
const outcomes: string[] = [];
for (let call = 0; call < 60; call++)
  await audit.admit(admitted(call, 'x'.repeat(1_000))).then(
    () => outcomes.push('on disk'),
    (error: unknown) => outcomes.push(error instanceof Error ? error.message : String(error)),
  );
audit.close();
console.log(JSON.stringify(outcomes));
