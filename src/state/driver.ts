import { Failure } from '../errors.ts';

/** What SQLite takes and gives here. */
export type Value = string | number | null;

/** A prepared statement. */
export type Statement = {
  readonly all: (...values: Value[]) => readonly unknown[];
  readonly run: (...values: Value[]) => unknown;
};

/** One connection; every call is synchronous. */
export type Database = {
  readonly exec: (sql: string) => unknown;
  readonly prepare: (sql: string) => Statement;
  readonly close: () => unknown;
};

/** One way to open a SQLite file. */
export type Driver = { readonly name: 'node:sqlite' | 'libsql'; readonly open: (file: string) => Database };

/** Imports a module by its name. */
export type Load = (name: string) => Promise<unknown>;

const importIt: Load = name => import(name);

const hasMethods = (value: unknown, names: readonly string[]): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && names.every(name => typeof Reflect.get(value, name) === 'function');

const isDatabase = (value: unknown): value is Database => hasMethods(value, ['exec', 'prepare', 'close']);

const DRIVERS = [
  { name: 'node:sqlite', constructorName: 'DatabaseSync' },
  { name: 'libsql', constructorName: 'default' },
] as const;

/** The first driver that this Node has: its own `node:sqlite` (22.13 or later), else the optional package `libsql`. */
export const findDriver = async (load: Load = importIt): Promise<Driver> => {
  const reasons: string[] = [];
  for (const { name } of DRIVERS) {
    const driver = await loadDriver(name, load).catch((error: unknown) => String(error));
    if (typeof driver !== 'string') return driver;
    reasons.push(`${name}: ${driver}`);
  }
  throw new Failure('POLICY_UNAVAILABLE', `No SQLite is there to count limits with (${reasons.join('; ')}).`, {
    next: 'Use Node 22.13 or later, which brings node:sqlite, or run: npm install libsql',
  });
};

/** One driver by its name; rejects when this Node does not have it. */
export const loadDriver = async (name: Driver['name'], load: Load = importIt): Promise<Driver> => {
  const loaded: unknown = await load(name);
  const wanted = DRIVERS.find(driver => driver.name === name)?.constructorName ?? 'default';
  const make: unknown = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, wanted) : undefined;
  if (typeof make !== 'function') throw new Error(`${name} exports no ${wanted}`);
  const open = (file: string): Database => {
    const database: unknown = Reflect.construct(make, [file]);
    if (!isDatabase(database)) throw new Error(`${name} opened something that is not a database`);
    return database;
  };
  return { name, open };
};

/** SQLite's primary result code, as either driver reports it, or undefined when the error is not SQLite's. */
export const resultCode = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null) return undefined;
  const code: unknown = Reflect.get(error, 'errcode') ?? Reflect.get(error, 'rawCode');
  return typeof code === 'number' ? code & 0xff : undefined;
};

/** The primary result codes that need an answer of their own (sqlite.org/rescode.html). */
export const SQLITE = { BUSY: 5, LOCKED: 6, NOMEM: 7, READONLY: 8, IOERR: 10, FULL: 13 } as const;
