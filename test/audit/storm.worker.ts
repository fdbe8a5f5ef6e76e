import { randomBytes } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openAudit } from '../../src/audit/log.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';
import { admitted, ended } from './records.ts';

const [place = '', effects = ''] = process.argv.slice(2);
const fd = openSync(effects, 'a');
const log = () => undefined;
const store = await openSqlite({ file: join(place, 'state.db'), clock: realClock, log });
const audit = await openAudit({
  folder: join(place, 'audit'),
  keyFile: join(place, 'audit.key'),
  clock: realClock,
  store,
  log,
  random: randomBytes,
});
const me = randomBytes(4).toString('hex');

const caller = async (number: number): Promise<void> => {
  for (let call = 0; ; call++) {
    const id = `${me}-${number}-${call}`;
    await audit.admit(admitted(id, 'x'.repeat(Math.floor(Math.random() * 3_000))));
    writeSync(fd, `call-${id}\n`);
    audit.note(ended(id));
  }
};
await Promise.all([0, 1, 2, 3].map(caller));
