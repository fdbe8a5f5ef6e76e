import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../call.ts';
import { isCode } from '../state/private.ts';

/** What waiting needs: a clock, a pause, and names that nobody else uses. */
export type Waiting = {
  readonly clock: Pick<Clock, 'monoMs'>;
  readonly pause: (ms: number) => Promise<void>;
  readonly unique: () => string;
};

/** A lock that is held. */
export type Lock = { readonly isHeld: () => boolean; readonly release: () => void };

/** What is done under a lock takes milliseconds: a holder seen so long without a change is dead, or as good as dead. */
const DEAD_AFTER_MS = 5_000;
const GIVE_UP_MS = 30_000;
const LOOK_MS = 10;

/**
 * Takes the lock that a file of this name stands for, as soon as nobody else holds it; undefined when that takes over half a
 * minute. One that a dead process left behind is taken from it.
 */
export const takeLock = async (path: string, waiting: Waiting): Promise<Lock | undefined> => {
  const { clock, pause, unique } = waiting;
  const token = unique();
  const start = clock.monoMs();
  let seen: { readonly token: string; readonly sinceMs: number } | undefined;
  for (let now = start; now - start < GIVE_UP_MS; now = clock.monoMs()) {
    if (create(path, token)) return lockOf(path, token);
    const holder = tokenIn(path);
    if (holder === undefined) continue;
    if (seen?.token !== holder) seen = { token: holder, sinceMs: now };
    if (now - seen.sinceMs > DEAD_AFTER_MS) steal(path, holder, token);
    else await pause(LOOK_MS);
  }
  return undefined;
};

const lockOf = (path: string, token: string): Lock => {
  const isHeld = (): boolean => tokenIn(path) === token;
  return {
    isHeld,
    release: () => {
      if (isHeld()) rmSync(path, { force: true });
    },
  };
};

const create = (path: string, token: string): boolean => {
  try {
    writeFileSync(path, token, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
};

/** Undefined when nobody holds it. */
const tokenIn = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/** Of several that find the same dead holder, one moves its file away; who moved a living one's gives it back. */
const steal = (path: string, holder: string, token: string): void => {
  if (tokenIn(path) !== holder) return;
  const aside = `${path}.${token}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = tokenIn(aside);
  if (moved !== undefined && moved !== holder) create(path, moved);
  rmSync(aside, { force: true });
};
