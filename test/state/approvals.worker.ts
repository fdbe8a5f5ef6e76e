import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';

const [file = '', id = '', digest = '', startAt = ''] = process.argv.slice(2);
const store = await openSqlite({ file, clock: realClock, log: () => undefined });
await store.approvals.look(id);
while (Date.now() < Number(startAt)) await new Promise(resolve => setImmediate(resolve));
const tries = await Promise.allSettled(Array.from({ length: 5 }, () => store.approvals.use(id, digest, [])));
const words = tries.map(one => (one.status === 'fulfilled' ? one.value.kind : String(one.reason)));
process.stdout.write(`${words.join('\n')}\n`);
store.close();
