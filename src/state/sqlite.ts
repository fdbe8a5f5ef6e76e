import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { setTimeout as pauseFor } from 'node:timers/promises';
import type { Clock, Log, Random } from '../call.ts';
import { Failure } from '../errors.ts';
import { type Connection, openConnection, Unusable } from './connection.ts';
import { closed, type Every, type Keeping, storeOver } from './counting.ts';
import { type Driver, findDriver, resultCode, SQLITE } from './driver.ts';
import { makeLine, type Pause } from './line.ts';
import { NotPrivate, type Uid } from './private.ts';
import type { Store } from './store.ts';

/** Where the counters lie, and what a test may put in the place of the real thing. */
export type SqliteOptions = {
  /** `state.db`, in a folder of its own (made 0700 when absent). */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own user, for judging who else may write to the file. */
  readonly uid?: Uid;
  readonly driver?: Driver;
  readonly random?: Random;
  readonly pause?: Pause;
  readonly every?: Every;
};

/** Holders renew five times in this span; what a killed process held is free after it. */
const LEASE_MS = 15_000;
const PURGE_EACH = 1_000;

/** Real time, which never keeps the process alive. */
const everyReal: Every = (ms, work) => {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
};

/**
 * The counters of this machine in one SQLite file, shared by every process that opens it. Rejects with
 * POLICY_UNAVAILABLE when it cannot be opened now; once open, it recovers by itself from whatever passes.
 * In WAL mode a killed process loses nothing; charges of an hour's window or longer also outlive a power cut.
 */
export const openSqlite = async (options: SqliteOptions): Promise<Store> => {
  const { clock, log, random = randomBytes, every = everyReal } = options;
  const driver = options.driver ?? (await findDriver());
  const keeping = keep(driver, options, random);
  await keeping.transact(() => undefined, true);
  return storeOver(keeping, { clock, random, log, leaseMs: LEASE_MS, every });
};

type Holder = {
  /** The open connection; opens it again when the one there was has lost its file. */
  readonly get: () => Connection;
  readonly drop: () => void;
  readonly close: () => void;
};

const hold = (driver: Driver, { file, uid }: SqliteOptions, random: Random): Holder => {
  let connection: Connection | undefined;
  let refused: { readonly stamp: string; readonly error: Error } | undefined;
  let unused: string | undefined = random(6).toString('hex');
  let open = true;
  const drop = (): void => {
    connection?.close();
    connection = undefined;
  };
  const reopen = (): Connection => {
    const stamp = stampOf(file);
    if (refused?.stamp === stamp) throw refused.error;
    try {
      return openConnection(driver, file, uid, unused);
    } catch (error) {
      if (error instanceof Unusable) refused = { stamp, error };
      throw error;
    }
  };
  const get = (): Connection => {
    if (!open) throw closed();
    if (connection !== undefined && !connection.inPlace()) drop();
    connection ??= reopen();
    unused = undefined;
    return connection;
  };
  const close = (): void => {
    open = false;
    drop();
  };
  return { get, drop, close };
};

const keep = (driver: Driver, options: SqliteOptions, random: Random): Keeping => {
  const { file, clock, pause = pauseFor } = options;
  const holder = hold(driver, options, random);
  let count = 0;
  const attempt = <Out>(work: (connection: Connection) => Out): { readonly out: Out } | undefined => {
    try {
      return { out: work(holder.get()) };
    } catch (error) {
      const code = resultCode(error);
      if (code === SQLITE.BUSY || code === SQLITE.LOCKED) return undefined;
      if (code !== undefined && !PASSING.has(code)) holder.drop();
      throw unavailable(error, file);
    }
  };
  const line = makeLine(clock.monoMs, pause, () => unavailable(new Error('another process holds it'), file));
  const run = <Out>(work: (connection: Connection) => Out): Promise<Out> => line(() => attempt(work));
  return {
    transact: (work, durable) =>
      run(connection => {
        if (count++ % PURGE_EACH === 0) connection.purge(clock.bootId, clock.monoMs(), clock.wallMs());
        return connection.transact(work, durable);
      }),
    setHead: head => run(connection => connection.setHead(head)),
    heads: () => run(connection => connection.heads()),
    close: holder.close,
  };
};

/** Faults of the disk that pass without opening the file anew. */
const PASSING: ReadonlySet<number> = new Set([SQLITE.NOMEM, SQLITE.READONLY, SQLITE.IOERR, SQLITE.FULL]);

const stampOf = (file: string): string => {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 'absent' : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.mode} ${stats.uid}`;
};

const unavailable = (error: unknown, file: string): Failure => {
  if (error instanceof Failure) return error;
  const what = error instanceof Error ? error.message : String(error);
  const message = error instanceof Unusable || error instanceof NotPrivate ? what : `${file} cannot be used: ${what}`;
  return new Failure('POLICY_UNAVAILABLE', message.endsWith('.') ? message : `${message}.`, { cause: error });
};
