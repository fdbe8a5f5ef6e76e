import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Life, Pages } from './book.ts';
import { type Database, type Driver, resultCode, SQLITE, type Statement } from './driver.ts';
import { checkPrivateFile, createPrivateFile, ensurePrivateFolder, type Uid } from './private.ts';
import type { Head } from './store.ts';

/** One open state file. */
export type Connection = {
  /** Runs `work` in one immediate transaction; throws what SQLite throws, after rolling back. */
  readonly transact: <Out>(work: (pages: Pages) => Out, durable: boolean) => Out;
  readonly setHead: (head: Head) => void;
  readonly heads: () => readonly Head[];
  /** Throws away what means nothing any more. */
  readonly purge: (bootId: string, monoMs: number, wallMs: number) => void;
  /** Whether the files behind it still have their names: otherwise other processes count in other files. */
  readonly inPlace: () => boolean;
  /** Closes it; what is only in a log of changes that lost its name is first put where the next one will find it. */
  readonly close: () => void;
};

/** A state file that must not be used as it is; opening it again changes nothing until somebody mends it. */
export class Unusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unusable';
  }
}

/** `Slly`: tells our file from any other database. */
const APPLICATION_ID = 0x536c6c79;
const VERSION = 1;
const BUSY_MS = 10;
/** NFS, SMB, CIFS, AFS, Ceph: WAL needs memory that all processes share, and machines have none (sqlite.org/wal.html). */
const NETWORK = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x00c36400]);

const SCHEMA = `
  PRAGMA journal_mode=WAL;
  CREATE TABLE page (name TEXT PRIMARY KEY, text TEXT NOT NULL, boot TEXT NOT NULL, until INTEGER NOT NULL,
    wall_until INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE head (file TEXT PRIMARY KEY, seq INTEGER NOT NULL, mac TEXT NOT NULL) WITHOUT ROWID, STRICT;
  PRAGMA application_id=${APPLICATION_ID};
  PRAGMA user_version=${VERSION};`;

/** Makes the file when `create` is set and it is absent, whole or not at all: an empty one is therefore damage, and refused. */
export const openConnection = (driver: Driver, file: string, uid: Uid, create: string | undefined): Connection => {
  const folder = dirname(file);
  ensurePrivateFolder(folder, uid);
  if (NETWORK.has(statfsSync(folder).type))
    throw new Unusable(
      `${folder} is on a network file system, where a count cannot be shared safely: name a local folder with --state.`,
    );
  if (create !== undefined && !existsSync(file)) createPrivateFile(file, create, path => makeEmpty(driver, path));
  if (!existsSync(file)) throw new Error('it has gone; put it back, or start the server again');
  checkPrivateFile(file, uid);
  const database = driver.open(file);
  try {
    database.exec(`PRAGMA busy_timeout=${BUSY_MS}; PRAGMA trusted_schema=OFF;`);
    database.exec('BEGIN IMMEDIATE; ROLLBACK;');
    mustBeSound(database, file);
    return connect(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
};

const makeEmpty = (driver: Driver, path: string): void => {
  const database = driver.open(path);
  try {
    database.exec(SCHEMA);
  } finally {
    database.close();
  }
};

const mustBeSound = (database: Database, file: string): void => {
  const number = (pragma: string): unknown => fieldsOf(database.prepare(`PRAGMA ${pragma}`).all()[0])[0];
  const [id, version] = [number('application_id'), number('user_version')];
  if (id !== APPLICATION_ID) throw new Unusable(`${file} is not a state file of Sallyport, or it is damaged.`);
  if (version !== VERSION) throw new Unusable(`${file} has format ${String(version)}; this version reads ${VERSION}.`);
  const verdict = fieldsOf(database.prepare('PRAGMA integrity_check(1)').all()[0])[0];
  if (verdict !== 'ok') throw new Unusable(`${file} is damaged (${String(verdict)}).`);
};

const fieldsOf = (row: unknown): unknown[] => (typeof row === 'object' && row !== null ? Object.values(row) : []);

const connect = (database: Database, file: string): Connection => {
  const statements = prepare(database);
  const identity = identityOf(file);
  let durable = true;
  const inTransaction = <Out>(work: () => Out, wanted: boolean): Out => {
    if (wanted !== durable) {
      database.exec(`PRAGMA synchronous=${wanted ? 'FULL' : 'NORMAL'}`);
      durable = wanted;
    }
    begin(database);
    try {
      const out = work();
      database.exec('COMMIT');
      return out;
    } catch (error) {
      rollBack(database);
      throw error;
    }
  };
  return {
    transact: (work, wanted) => inTransaction(() => work(pagesOver(statements)), wanted),
    setHead: ({ file: name, seq, mac }) => inTransaction(() => void statements.setHead.run(name, seq, mac), false),
    heads: () => statements.heads.all().map(toHead),
    purge: (bootId, monoMs, wallMs) =>
      inTransaction(() => void statements.purge.run(Math.floor(wallMs), bootId, Math.floor(monoMs)), false),
    inPlace: () => identityOf(file) === identity,
    close: () => {
      // A driver may keep the file open until its statements are collected, and a transaction with it.
      rollBack(database);
      if (identityOf(file) !== identity) checkpoint(database);
      database.close();
    },
  };
};

const prepare = (database: Database): Record<'get' | 'put' | 'purge' | 'setHead' | 'heads', Statement> => ({
  get: database.prepare('SELECT text FROM page WHERE name = ?'),
  put: database.prepare(
    `INSERT INTO page (name, text, boot, until, wall_until) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
     text = excluded.text, boot = excluded.boot, until = excluded.until, wall_until = excluded.wall_until`,
  ),
  purge: database.prepare('DELETE FROM page WHERE wall_until <= ? AND (boot <> ? OR until <= ?)'),
  setHead: database.prepare(
    `INSERT INTO head (file, seq, mac) VALUES (?, ?, ?) ON CONFLICT (file) DO UPDATE SET
     seq = excluded.seq, mac = excluded.mac WHERE excluded.seq >= head.seq`,
  ),
  heads: database.prepare('SELECT file, seq, mac FROM head ORDER BY file'),
});

const pagesOver = ({ get, put }: { get: Statement; put: Statement }): Pages => ({
  get: name => {
    const [row] = get.all(name);
    if (row === undefined) return undefined;
    const [text] = fieldsOf(row);
    if (typeof text !== 'string') throw new Error(`the count of ${JSON.stringify(name)} is damaged`);
    return text;
  },
  put: (name: string, text: string, { bootId, untilAt, wallUntilAt }: Life) =>
    void put.run(name, text, bootId, untilAt, wallUntilAt),
});

const toHead = (row: unknown): Head => {
  const [file, seq, mac] = fieldsOf(row);
  if (typeof file !== 'string' || typeof seq !== 'number' || typeof mac !== 'string')
    throw new Error('a head is damaged');
  return { file, seq, mac };
};

/** A transaction that an earlier fault left open is ended first: it was never answered. */
const begin = (database: Database): void => {
  try {
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    if (resultCode(error) === SQLITE.BUSY) throw error;
    rollBack(database);
    database.exec('BEGIN IMMEDIATE');
  }
};

/** SQLite itself rolls back after some errors, and then has nothing left to roll back. */
const rollBack = (database: Database): void => {
  try {
    database.exec('ROLLBACK');
  } catch {
    return;
  }
};

/** Best effort: without it, whoever opens the file next would find the counts of some moments ago. */
const checkpoint = (database: Database): void => {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    return;
  }
};

const identityOf = (file: string): string =>
  ['', '-wal', '-shm']
    .map(suffix => {
      const stats = statSync(`${file}${suffix}`, { throwIfNoEntry: false });
      return stats === undefined ? '-' : `${stats.dev}:${stats.ino}`;
    })
    .join(' ');
