import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';
import { charge } from './charges.ts';

const [file = ''] = process.argv.slice(2);
const store = await openSqlite({ file, clock: { ...realClock }, log: () => undefined });
const span = { kind: 'window', windowMs: 86_400_000 } as const;
let [ok, refused] = [0, 0];
const codes = new Set<string>();
for (let i = 0; i < 3_000; i++)
  await store
    .charge([charge(1_000_000, { key: 'all', span }), charge(9, { key: `one ${i} ${'x'.repeat(500)}`, span })])
    .then(
      result => {
        if (result.ok) ok += 1;
      },
      (error: unknown) => {
        refused += 1;
        codes.add(typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error));
      },
    );
console.log(JSON.stringify({ ok, refused, codes: [...codes] }));
process.exit(0);
