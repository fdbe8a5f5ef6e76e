import { createHash } from 'node:crypto';
import { Redaction, Redactor } from '../../text/redact.ts';
import { Safe } from '../../text/safe.ts';
import type { Output, Piece, Received } from './growing-text.ts';
import { Growth } from './growth.ts';
import { Ring } from './ring.ts';

/** Bytes of safe text kept of one stream, unless configured. */
export const KEEP_BYTES = 1_048_576;

const NOTHING = new Redaction();

/**
 * One stream as it arrives: counted and hashed as received, made safe, then freed of what the redaction knows, kept in
 * bounded memory, followed by cursors.
 */
export class Capture implements Output {
  readonly #hash = createHash('sha256');
  readonly #safe = new Safe();
  readonly #redactor: Redactor;
  readonly #ring: Ring;
  readonly #growth = new Growth();
  #bytes = 0;

  constructor(keepBytes = KEEP_BYTES, redaction: Redaction = NOTHING) {
    this.#ring = new Ring(keepBytes);
    this.#redactor = new Redactor(redaction);
  }

  get length(): number {
    return this.#ring.length;
  }

  /** Takes a chunk as it came, and gives back the safe text that it completed. */
  receive(chunk: Uint8Array): string {
    return this.take(chunk).toString('utf8');
  }

  /** As `receive`, in UTF-8; it may lie in the chunk's own memory. */
  take(chunk: Uint8Array): Buffer {
    const text = this.#redactor.push(this.#safe.bytes(chunk));
    this.#count(chunk);
    this.#append(text);
    return text;
  }

  /** Takes text that was made safe already, and the bytes it stands for. */
  add(text: string, raw: Uint8Array): void {
    this.#count(raw);
    this.#append(Buffer.from(text));
  }

  /** No more will come; gives back the last of the safe text. */
  finish(): string {
    if (this.#growth.ended) return '';
    const text = Buffer.concat([this.#redactor.push(Buffer.from(this.#safe.end())), this.#redactor.end()]);
    this.#append(text);
    this.#growth.end();
    return text.toString('utf8');
  }

  read(cursor: number, maxBytes: number): Piece {
    return this.#ring.read(cursor, maxBytes);
  }

  /** The hash of few bytes with a secret among them would let it be guessed: it is not given then. */
  received(): Received {
    const { found } = this.#redactor;
    if (found > 0) return { bytes: this.#bytes, redacted: found };
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') };
  }

  get binary(): boolean {
    return this.#safe.binary;
  }

  async grown(cursor: number): Promise<void> {
    await this.#growth.until(() => this.length > cursor);
  }

  /** Bytes of memory that its text takes. */
  get held(): number {
    return this.#ring.held;
  }

  /** Lets go of the text that is kept: reads say so. */
  clear(): void {
    this.#ring.clear();
  }

  /** A text of its own that has all that this one has. */
  copyText(): Ring {
    return this.#ring.copy();
  }

  #count(raw: Uint8Array): void {
    this.#bytes += raw.length;
    this.#hash.update(raw);
  }

  #append(text: Buffer): void {
    if (text.length === 0) return;
    this.#ring.write(text);
    this.#growth.beat();
  }
}
