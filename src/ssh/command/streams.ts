import type { Redaction } from '../../text/redact.ts';
import type { OutputLimit } from './end.ts';
import { Merged } from './merged.ts';
import { Capture } from './output.ts';

/** The name of one of them. */
export type StreamName = 'stdout' | 'stderr';

/** Takes what a stream brings: the safe text, and the bytes it stands for. */
export type Tee = (stream: StreamName, text: string, raw: Uint8Array) => void;

/** How much of the output is kept, and of how much: see `Caps`. */
export type Keeping = {
  readonly keepBytes: number;
  readonly maxOutputBytes: number;
  readonly redaction: Redaction;
  readonly tee?: Tee;
};

/** Both streams of a command, apart and in the order of arrival, up to a number of bytes; more are counted and not kept. */
export class Streams {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly both: Merged;
  readonly #maxBytes: number;
  readonly #tee: Tee | undefined;
  #taken = 0;
  #discarded = 0;
  #over = false;

  constructor({ keepBytes, maxOutputBytes, redaction, tee }: Keeping) {
    this.stdout = new Capture(keepBytes, redaction);
    this.stderr = new Capture(keepBytes, redaction);
    this.both = new Merged(this.stdout);
    this.#maxBytes = maxOutputBytes;
    this.#tee = tee;
  }

  /** Bytes that came and are not kept. */
  get discarded(): number {
    return this.#discarded;
  }

  /** The limit, once more came than it allows. */
  get limit(): OutputLimit | undefined {
    return this.#over ? { maxBytes: this.#maxBytes, discarded: this.#discarded } : undefined;
  }

  /** Takes a chunk as it came; false when it was the first that is not wholly within the limit. */
  take(stream: StreamName, chunk: Buffer): boolean {
    const kept = chunk.subarray(0, this.#maxBytes - this.#taken);
    const over = kept.length < chunk.length;
    const isFirst = over && !this.#over;
    this.discard(chunk.length - kept.length);
    this.#over ||= over;
    if (kept.length > 0) this.#keep(stream, kept);
    return !isFirst;
  }

  /** Bytes of memory that the text of all of them takes. */
  get held(): number {
    return this.stdout.held + this.stderr.held + this.both.held;
  }

  /** Lets go of the text that is kept: reads say so. */
  clear(): void {
    for (const text of [this.stdout, this.stderr, this.both]) text.clear();
  }

  /** Counts bytes that nobody will read. */
  discard(bytes: number): void {
    this.#discarded += bytes;
  }

  /** No more is kept. */
  finish(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const capture = this[stream];
      const text = capture.finish();
      this.both.add(capture, text);
      this.#tee?.(stream, text, new Uint8Array(0));
    }
    this.both.finish();
  }

  #keep(stream: StreamName, chunk: Buffer): void {
    this.#taken += chunk.length;
    const capture = this[stream];
    const text = capture.take(chunk);
    this.both.add(capture, text);
    this.#tee?.(stream, text.toString('utf8'), chunk);
  }
}
