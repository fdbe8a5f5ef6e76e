import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findDriver, loadDriver } from '../../src/state/driver.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import type { Store } from '../../src/state/store.ts';
import { tempFolder } from '../support/temp.ts';
import { storeSuite } from './store.suite.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const HAS_OWN = major > 22 || (major === 22 && minor >= 13);
const NAMES = HAS_OWN ? (['libsql', 'node:sqlite'] as const) : (['libsql'] as const);

const folder = await tempFolder();
const stores: Store[] = [];
afterAll(async () => {
  for (const store of stores) store.close();
  await folder.remove();
});

let count = 0;
for (const name of NAMES) {
  const driver = await loadDriver(name);
  storeSuite(name, async clock => {
    const file = join(folder.path, `${++count}`, 'state.db');
    const store = await openSqlite({ file, clock, log: () => undefined, driver });
    stores.push(store);
    return store;
  });
}

test(`on Node ${process.versions.node} the driver is ${HAS_OWN ? 'node:sqlite' : 'libsql, for node:sqlite does not exist'}`, async () => {
  expect((await findDriver()).name).toBe(HAS_OWN ? 'node:sqlite' : 'libsql');
  const own = await loadDriver('node:sqlite').then(
    driver => driver.name,
    () => 'absent',
  );
  expect(own).toBe(HAS_OWN ? 'node:sqlite' : 'absent');
});

test('without any driver the failure names both ways to get one', async () => {
  const nothing = findDriver(name => Promise.reject(new Error(`no ${name}`)));
  await expect(nothing).rejects.toMatchObject({
    code: 'POLICY_UNAVAILABLE',
    message: 'No SQLite is there to count limits with (node:sqlite: Error: no node:sqlite; libsql: Error: no libsql).',
    next: 'Use Node 22.13 or later, which brings node:sqlite, or run: npm install libsql',
  });
});
