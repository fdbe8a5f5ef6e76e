import { Failure } from '../errors.ts';
import type { Dated } from './line.ts';
import type { AuditRecord } from './record.ts';

/** Does something later, once, without keeping the process alive for it; returns what calls it off. */
export type Later = (ms: number, work: () => void) => () => void;

/** What a committer needs: where records go, the time, and whom to tell when they no longer do. */
export type Committing = {
  readonly write: (records: readonly Dated[]) => Promise<void>;
  readonly wallMs: () => number;
  readonly later: Later;
  readonly failing: (error: Error) => void;
  readonly recovered: () => void;
};

type Item = Dated & { readonly settle?: (error: Failure | undefined) => void };

/** What went wrong since the last write that worked. */
type Trouble = { readonly since: number; readonly writes: number; readonly refused: number; readonly lost: number };

const NOTE_MS = 50;
const RETRY_MS = 1_000;
/** Notes that are kept while the disk takes nothing. */
const KEPT = 1_000;

/** Puts records on disk in groups and in order: one write at a time, each with everything that has come in meanwhile. */
export class Committer {
  readonly #parts: Committing;
  #waiting: Item[] = [];
  #writing: readonly Item[] = [];
  #running = false;
  #stopped = false;
  #callOff: (() => void) | undefined;
  #trouble: Trouble | undefined;

  constructor(parts: Committing) {
    this.#parts = parts;
  }

  /** Resolves when the record is on disk; rejects with AUDIT_UNAVAILABLE, and then it is not. */
  admit(record: AuditRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: Failure | undefined): void => (error === undefined ? resolve() : reject(error));
      if (this.#stopped) return settle(stopping());
      this.#waiting.push({ record, at: this.#parts.wallMs(), settle });
      void this.#run();
    });
  }

  /** On disk within 100 ms, or with the first write that works again. */
  note(record: AuditRecord): void {
    if (this.#stopped) return;
    this.#waiting.push({ record, at: this.#parts.wallMs() });
    this.#arm(NOTE_MS);
  }

  /** Refuses what waits to be admitted, takes nothing more, and gives everything that no write has begun with. */
  stop(): readonly Dated[] {
    const remarks = this.#writing.length === 0 ? this.#remarks() : [];
    this.#stopped = true;
    this.#callOff?.();
    for (const item of [...this.#writing, ...this.#waiting]) item.settle?.(stopping());
    return [...remarks, ...this.#waiting];
  }

  #arm(ms: number): void {
    this.#callOff ??= this.#parts.later(ms, () => {
      this.#callOff = undefined;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await undefined; // What is asked for in this same turn shares the first write.
    while (!this.#stopped && this.#waiting.length > 0 && (await this.#commit()));
    this.#running = false;
  }

  /** Whether there is reason to go on at once. */
  async #commit(): Promise<boolean> {
    const items = this.#waiting;
    this.#waiting = [];
    this.#writing = items;
    const failure = await failureOf(this.#parts.write([...this.#remarks(), ...items]));
    this.#writing = [];
    if (this.#stopped) return false;
    for (const { settle } of items) settle?.(failure === undefined ? undefined : unavailable(failure));
    if (failure === undefined) {
      if (this.#trouble !== undefined) this.#parts.recovered();
      this.#trouble = undefined;
      return true;
    }
    this.#keep(items, failure);
    this.#arm(RETRY_MS);
    return this.#waiting.some(isAdmission);
  }

  /** Notes wait for a better time, the oldest first; what was to be admitted has been refused. */
  #keep(items: readonly Item[], failure: Error): void {
    const notes = [...items, ...this.#waiting].filter(item => !isAdmission(item));
    this.#waiting = [...notes.slice(0, KEPT), ...this.#waiting.filter(isAdmission)];
    if (this.#trouble === undefined) this.#parts.failing(failure);
    const { since, writes, refused, lost } = this.#trouble ?? {
      since: this.#parts.wallMs(),
      writes: 0,
      refused: 0,
      lost: 0,
    };
    this.#trouble = {
      since,
      writes: writes + 1,
      refused: refused + items.filter(isAdmission).length,
      lost: lost + Math.max(0, notes.length - KEPT),
    };
  }

  /** The record says itself for how long it could not be kept. */
  #remarks(): readonly Dated[] {
    if (this.#trouble === undefined) return [];
    const { since, writes, refused, lost } = this.#trouble;
    const detail = {
      since: new Date(since).toISOString(),
      failed_writes: writes,
      refused_calls: refused,
      lost_notes: lost,
    };
    return [{ record: { event: 'recovered', detail }, at: this.#parts.wallMs() }];
  }
}

const isAdmission = (item: Item): boolean => item.settle !== undefined;

const failureOf = async (work: Promise<void>): Promise<Error | undefined> => {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};

/** What is said when a record cannot be put on disk. */
export const unavailable = (cause: unknown): Failure => {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new Failure('AUDIT_UNAVAILABLE', `The audit cannot be written: ${what.replace(/\.$/, '')}.`, { cause });
};

const stopping = (): Failure => new Failure('AUDIT_UNAVAILABLE', 'The audit is closed, for the server is stopping.');
