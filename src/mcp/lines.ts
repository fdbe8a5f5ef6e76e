import { Transform, type TransformCallback } from 'node:stream';

/** What becomes of a line: it goes on to the protocol, or it was dealt with. */
export type Verdict = 'pass' | 'done';

/** Who looks at lines before the protocol does. */
export type LineKeeper = {
  /** A whole line, without its end. */
  readonly look: (line: Buffer) => Verdict;
  /** A line that was longer than may be; its bytes are gone, the lines after it are not. */
  readonly tooLong: (bytes: number) => void;
  /** No line comes any more; the end is handed on when this resolves. */
  readonly ended: () => Promise<void>;
};

const LF = 0x0a;

/** Cuts a stream into lines of at most `maxBytes`, shows each to the keeper, and hands on what passes. */
export class Lines extends Transform {
  readonly #maxBytes: number;
  readonly #keeper: LineKeeper;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, keeper: LineKeeper) {
    super();
    this.#maxBytes = maxBytes;
    this.#keeper = keeper;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      this.#take(chunk.subarray(from, end));
      this.#finish();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    done();
  }

  override _flush(done: TransformCallback): void {
    const over = (): void => done();
    this.#keeper.ended().then(over, over);
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #finish(): void {
    const line = Buffer.concat(this.#parts);
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#maxBytes) this.#keeper.tooLong(bytes);
    else if (this.#keeper.look(line) === 'pass') this.push(Buffer.concat([line, NEWLINE]));
  }
}

const NEWLINE = Buffer.from('\n');
