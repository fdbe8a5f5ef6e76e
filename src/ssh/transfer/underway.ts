import type { Json, Outcome } from '../../audit/record.ts';
import { type Clock, newTransferId, type Random, type Transfer, type TransferId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { progressOf } from './progress.ts';
import type { Transferred, TransferView } from './transfer.ts';

type Parts = { readonly clock: Clock; readonly random: Random };

/** How often it is said how far a transfer is, in milliseconds: nobody reads faster. */
const TELL_MS = 200;

/** One transfer from the moment it was permitted: how far it is, what gives it up, and how it ended. */
export class Underway {
  readonly id: TransferId;
  readonly grant: string;
  readonly host: string;
  /** Settles once, never rejects: how it ended, for the record, and in a word. */
  readonly outcome: Promise<Outcome>;
  readonly ended: Promise<string>;
  readonly #action: Transfer;
  readonly #clock: Clock;
  readonly #startedMono: number;
  readonly #abort = new AbortController();
  readonly #tell: ((message: string) => void) | undefined;
  #settle: (outcome: Outcome) => void = () => undefined;
  #open = true;
  #cause: Failure | undefined;
  #byOperator = false;
  #bytes = 0;
  #totalBytes: number | undefined;
  #files: number | undefined;
  #toldMono: number;

  constructor(grant: string, action: Transfer, { clock, random }: Parts, tell?: (message: string) => void) {
    this.id = newTransferId(random);
    this.grant = grant;
    this.host = action.target.host;
    this.#action = action;
    this.#clock = clock;
    this.#tell = tell;
    this.#startedMono = clock.monoMs();
    this.#toldMono = this.#startedMono;
    this.outcome = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.ended = this.outcome.then(({ how }) => how);
  }

  /** Aborted once it is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get open(): boolean {
    return this.#open;
  }

  get durationMs(): number {
    return this.#clock.monoMs() - this.#startedMono;
  }

  get bytes(): number {
    return this.#bytes;
  }

  view(): TransferView {
    const { direction, remotePath } = this.#action;
    return {
      ...{ host: this.host, direction, remotePath, bytes: this.#bytes, durationMs: Math.round(this.durationMs) },
      ...(this.#totalBytes === undefined ? {} : { totalBytes: this.#totalBytes }),
      ...(this.#files === undefined ? {} : { files: this.#files }),
    };
  }

  /** So many bytes are to move in all. */
  expects(bytes: number): void {
    this.#totalBytes = bytes;
  }

  /** So many more bytes have moved. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    const now = this.#clock.monoMs();
    if (now - this.#toldMono < TELL_MS) return;
    this.#toldMono = now;
    this.say(progressOf(this.view()));
  }

  /** One more file of a tree was copied. */
  filed(): void {
    this.#files = (this.#files ?? 0) + 1;
    this.moved(0);
  }

  /** Tells whoever waits. */
  say(message: string): void {
    this.#tell?.(message);
  }

  /** Gives it up, for this reason; resolves when nothing of it moves any more. */
  async stop(cause: Failure, by?: 'operator'): Promise<void> {
    if (this.#open && this.#cause === undefined) {
      this.#cause = cause;
      this.#byOperator = by === 'operator';
      this.#abort.abort();
    }
    await this.outcome;
  }

  /** It is all there. */
  done(result: Transferred): void {
    this.#end({ how: 'done', ...resultOf(result) });
  }

  /** It failed; gives back what is told of that: why it was given up, where it was, with what became of the part. */
  failed(error: unknown, revoked: boolean): unknown {
    const told = this.#toldOf(error);
    const code = told instanceof Failure ? told.code : 'DEFECT';
    const cancelled = this.#cause !== undefined && code === 'CANCELLED';
    const by = this.#byOperator ? { by: 'operator' } : {};
    const how = cancelled && revoked ? 'revoked' : cancelled ? 'cancelled' : 'failed';
    this.#end({ how, ...(cancelled ? by : { code }), bytes: this.#bytes });
    return told;
  }

  #toldOf(error: unknown): unknown {
    const cause = this.#cause;
    if (cause === undefined || !(error instanceof Failure) || !GIVEN_UP.includes(error.code)) return error;
    const next = 'resumable_bytes' in error.details ? error.next : cause.next;
    return new Failure(cause.code, cause.message, { next, details: { ...error.details, ...cause.details } });
  }

  #end(outcome: Outcome): void {
    this.#open = false;
    this.#settle({ ...outcome, duration_ms: Math.round(this.durationMs) });
  }
}

/** How what was given up fails: at once, or when a host that does not answer is left. */
const GIVEN_UP: readonly string[] = ['CANCELLED', 'CONNECTION_LOST'];

/** What came of it, as the audit keeps it: bytes by their number and sum. */
const resultOf = (result: Transferred): { readonly [key: string]: Json } => {
  const { remotePath: real_path, bytes } = result;
  switch (result.what) {
    case 'file':
      return { real_path, bytes, size: result.size, sha256: result.sha256 };
    case 'text':
      return { real_path, bytes, offset: result.offset, sha256: result.sha256 };
    case 'tree': {
      const { files, unchanged, folders, links, deleted, leftOutCount: left_out } = result;
      return { real_path, bytes, files, unchanged, folders, links, deleted, left_out };
    }
  }
};
