import { openSync, writeSync } from 'node:fs';
import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';

const [file = '', journal = '', max = '', windowMs = ''] = process.argv.slice(2);
const fd = openSync(journal, 'a');
const store = await openSqlite({ file, clock: realClock, log: () => undefined });
const one = {
  rule: '/limits/hammered',
  key: 'hammered',
  amount: 1,
  max: Number(max),
  span: { kind: 'window', windowMs: Number(windowMs) },
  reason: 'too many',
} as const;
const wide = { ...one, key: 'wide', max: 1_000_000, span: { kind: 'window', windowMs: 3_600_000 } } as const;

for (;;) {
  const from = realClock.monoMs();
  const word = await store.charge([wide, one]).then(
    ({ ok }) => (ok ? 'admitted' : 'refused'),
    (error: unknown) => String(error).replaceAll(/\s/g, '_'),
  );
  writeSync(fd, `${word} ${from} ${realClock.monoMs()}\n`);
  await new Promise(resolve => setTimeout(resolve, Math.random() * 4));
}
