import { realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isCode, type Uid } from '../state/private.ts';
import { readTrusted } from './trusted-file.ts';

/** What was found in the place of a file that guards: its text, nothing, or why it is not to be trusted. */
export type Sight =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly message: string };

/** How changes are noticed and time passes; calling a result calls it off. */
export type Senses = {
  /** Undefined when the folder cannot be watched; `lost` when it can no longer be. */
  readonly folder: (path: string, changed: () => void, lost: () => void) => (() => void) | undefined;
  readonly every: (ms: number, run: () => void) => () => void;
  readonly after: (ms: number, run: () => void) => () => void;
};

/** A file stands still when two looks this far apart find the same. */
export const SETTLE_MS = 100;
/** The safety net under the notices of the operating system, which network and container file systems may not give. */
export const POLL_MS = 2_000;

/** Those of this process; none of them keeps it alive. */
export const senses: Senses = {
  folder: (path, changed, lost) => {
    try {
      const watcher = watch(path, { persistent: false }, changed).on('error', lost);
      return () => watcher.close();
    } catch {
      return undefined;
    }
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Which file, whose it must be, and what is known of it already. */
export type Watched = { readonly path: string; readonly uid: Uid; readonly known: Sight };

/** Looks at a file that guards, once. */
export const lookAt = (path: string, uid: Uid): Sight => {
  try {
    const found = readTrusted(path, uid);
    return found === undefined ? { kind: 'absent' } : { kind: 'text', text: found.text };
  } catch (error) {
    return { kind: 'refused', message: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * Tells each time that something else has come to stand in the place of a file, once it stands still: two identical reads,
 * with nothing moved before and after each, so that a half-written file is never told. Replacing, re-linking and rewriting
 * in place are all seen. The result ends it.
 */
export const watchFile = ({ path, uid, known }: Watched, told: (sight: Sight) => void, by = senses): (() => void) => {
  const watch = new FileWatch(path, uid, by, told);
  watch.begin(known);
  return () => watch.end();
};

class FileWatch {
  readonly #path: string;
  readonly #uid: Uid;
  readonly #by: Senses;
  readonly #told: (sight: Sight) => void;
  #known = '';
  /** Which file was there at the last look, and in what state. */
  #mark = '';
  #stopFolders: (() => void)[] = [];
  #isBlind = true;
  #stopPolling: () => void = () => undefined;
  #callOff: (() => void) | undefined;

  constructor(path: string, uid: Uid, by: Senses, told: (sight: Sight) => void) {
    this.#path = path;
    this.#uid = uid;
    this.#by = by;
    this.#told = told;
  }

  begin(known: Sight): void {
    this.#known = JSON.stringify(known);
    this.#stopPolling = this.#by.every(POLL_MS, () => this.#poll());
    this.#stir();
  }

  end(): void {
    this.#callOff?.();
    this.#callOff = () => undefined;
    this.#stopPolling();
    for (const stop of this.#stopFolders.splice(0)) stop();
  }

  /** The folder of the name, where it is replaced, and the folder that it leads to, where it is rewritten. */
  #watchFolders(): void {
    for (const stop of this.#stopFolders.splice(0)) stop();
    const folders = new Set([dirname(this.#path), dirname(realOr(this.#path))]);
    const lost = (): void => {
      this.#isBlind = true;
    };
    this.#isBlind = false;
    for (const folder of folders) {
      const stop = this.#by.folder(folder, () => this.#stir(), lost);
      if (stop === undefined) lost();
      else this.#stopFolders.push(stop);
    }
  }

  #poll(): void {
    if (this.#isBlind) this.#watchFolders();
    if (markOf(this.#path) !== this.#mark) this.#stir();
  }

  /** Looks until the file stands still; what happens meanwhile is seen by the next look. */
  #stir(): void {
    if (this.#callOff === undefined) this.#look(undefined);
  }

  #look(before: string | undefined): void {
    const mark = markOf(this.#path);
    if (mark !== this.#mark) {
      this.#mark = mark;
      this.#watchFolders();
    }
    const sight = lookAt(this.#path, this.#uid);
    const seen = mark === markOf(this.#path) ? JSON.stringify([mark, sight]) : undefined;
    if (seen !== undefined && seen === before) this.#settle(sight);
    else this.#callOff = this.#by.after(SETTLE_MS, () => this.#look(seen));
  }

  #settle(sight: Sight): void {
    this.#callOff = undefined;
    const seen = JSON.stringify(sight);
    if (seen === this.#known) return;
    this.#known = seen;
    this.#told(sight);
  }
}

const realOr = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** Which file is there and in what state. The change time is part of it: unlike the others it cannot be set, and a change of permissions moves it. */
export const markOf = (path: string): string => {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return isCode(error, 'ENOENT') ? 'absent' : String(error);
  }
};
