import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readKey } from '../audit/key.ts';
import { type Verdict, verify } from '../audit/verify.ts';
import type { Log } from '../call.ts';
import { openSqlite } from '../state/sqlite.ts';
import type { Head } from '../state/store.ts';
import type { Io } from './io.ts';

/** The places of what a server writes, under the state folder. */
export const placesIn = (state: string) => ({
  store: join(state, 'state.db'),
  audit: join(state, 'audit'),
  key: join(state, 'audit.key'),
  control: join(state, 'control'),
  history: join(state, 'undo'),
});

/** What the record holds, and why its ends cannot be vouched for, when the store cannot be read. */
export type Looked = { readonly verdict: Verdict; readonly unvouched: string | undefined };

/** Verifies the record under a state folder; undefined when there is none yet. Writes nothing but what SQLite must. */
export const lookAtRecord = async (io: Io, state: string, log: Log): Promise<Looked | undefined> => {
  const places = placesIn(state);
  if (!existsSync(places.audit)) return undefined;
  const key = readKey(places.key, io.uid);
  const heads = await headsIn(io, places.store, log);
  return { verdict: await verify(places.audit, key, heads.found), unvouched: heads.unvouched };
};

type Heads = { readonly found: readonly Head[]; readonly unvouched: string | undefined };

const headsIn = async (io: Io, file: string, log: Log): Promise<Heads> => {
  if (!existsSync(file)) return { found: [], unvouched: `${file} does not exist` };
  try {
    const store = await openSqlite({ file, clock: io.clock, log, random: io.random, uid: io.uid });
    const found = await store.heads();
    store.close();
    return { found, unvouched: undefined };
  } catch (error) {
    return { found: [], unvouched: error instanceof Error ? error.message : String(error) };
  }
};
