import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../call.ts';
import { findDriver } from '../state/driver.ts';
import { ensurePrivateFolder } from '../state/private.ts';
import { openSqlite } from '../state/sqlite.ts';
import { advice, type Finding, unavailable, well, wrong } from './finding.ts';
import { counted, type Io } from './io.ts';
import type { Options } from './options.ts';
import { lookAtRecord, placesIn } from './record.ts';

/** Looks at what a server writes; makes nothing that is not there yet. */
export const checkState = async (io: Io, { paths: { state } }: Options, log: Log): Promise<readonly Finding[]> => {
  if (!existsSync(state)) return [await checkDriver(), checkPlace(state), ...checkSpace(state)];
  const folder = checkFolder(io, state);
  return [folder, ...checkSpace(state), await checkStore(io, state, log), await checkAudit(io, state, log)];
};

const checkDriver = async (): Promise<Finding> => {
  try {
    return well('counters', `${(await findDriver()).name} is there`);
  } catch (error) {
    return unavailable('counters', reasonOf(error), 'use Node 22.13 or newer, or run: npm install libsql');
  }
};

const nearestOf = (folder: string): string => (existsSync(folder) ? folder : nearestOf(dirname(folder)));

const MIB = 1_048_576;
/** Without room for a record no call is admitted: so much is a day of a busy agent, and so little may be gone in a minute. */
const ENOUGH_BYTES = 256 * MIB;
const LAST_BYTES = 16 * MIB;

const checkSpace = (state: string): readonly Finding[] => {
  const { bavail, bsize } = statfsSync(nearestOf(state));
  return judgeSpace(state, bavail * bsize);
};

/** What is to be said of so many free bytes where counters and audit lie. */
export const judgeSpace = (state: string, free: number): readonly Finding[] => {
  if (free >= ENOUGH_BYTES) return [];
  const says = `${Math.floor(free / MIB)} MiB are free where ${state} lies`;
  return free < LAST_BYTES
    ? [unavailable('state', `${says}: without a record no call runs`, MAKE_ROOM)]
    : [advice('state', says, MAKE_ROOM)];
};

const MAKE_ROOM = 'make room there, or give another place by --state';

/** Whether the folder could be made, by the nearest one above it that exists. */
const checkPlace = (state: string): Finding => {
  const above = nearestOf(dirname(state));
  try {
    accessSync(above, constants.W_OK | constants.X_OK);
    return well('state', `${state} is not there yet; the first start makes it`);
  } catch {
    return unavailable(
      'state',
      `${state} cannot be made: ${above} is not writable`,
      `make ${above} writable, or give --state`,
    );
  }
};

const checkFolder = (io: Io, state: string): Finding => {
  try {
    ensurePrivateFolder(state, io.uid);
    return well('state', state);
  } catch (error) {
    return wrong('state', reasonOf(error), 'do as it says, then run sallyport doctor again');
  }
};

const checkStore = async (io: Io, state: string, log: Log): Promise<Finding> => {
  const { store: file } = placesIn(state);
  if (!existsSync(file)) return await checkDriver();
  try {
    const store = await openSqlite({ file, clock: io.clock, log, random: io.random, uid: io.uid });
    store.close();
    return well('counters', file);
  } catch (error) {
    return unavailable('counters', reasonOf(error), `mend ${file}, or move it away: its counts are then lost`);
  }
};

const checkAudit = async (io: Io, state: string, log: Log): Promise<Finding> => {
  try {
    const looked = await lookAtRecord(io, state, log);
    if (looked === undefined) return well('audit', 'nothing is on record yet');
    const { problems, records, files } = looked.verdict;
    const [first] = problems;
    if (first !== undefined)
      return wrong(
        'audit',
        `${first.file}:${first.line} ${first.what}`,
        'sallyport audit verify names every place; find out who was there',
      );
    const held = `${counted(records, 'record')} in ${counted(files, 'file')}, nothing changed`;
    return looked.unvouched === undefined
      ? well('audit', held)
      : advice('audit', `${held}; ${looked.unvouched}`, UNVOUCHED);
  } catch (error) {
    return wrong('audit', reasonOf(error), 'restore the file, or move the audit folder away and begin a new one');
  }
};

const UNVOUCHED = 'without the store a file that is gone or cut cannot be told';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
