import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { edited } from '../../src/config/edit.ts';
import { rewrite } from '../../src/config/rewrite.ts';
import { realClock } from '../support/clock.ts';

const [path = '', history = '', name = '', count = ''] = process.argv.slice(2);
const file = {
  ...{ path, history, uid: process.getuid?.(), clock: realClock },
  unique: () => randomBytes(8).toString('hex'),
  pause: (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms)),
};

for (let number = 0; number < Number(count); number += 1) {
  const host = `${name}-${number}`;
  const entry = { address: '192.0.2.1', user: host };
  await rewrite(file, `added ${host}`, text => edited(text, path, { change: 'add', name: host, entry }));
  writeSync(1, `${host}\n`);
}
