import { createHash } from 'node:crypto';
import { Safe } from '../text/safe.ts';
import type { Output, Piece } from './fleet.ts';
import { Ring } from './ring.ts';

/** Bytes of safe text kept of one stream, unless configured. */
export const KEEP_BYTES = 1_048_576;

/** One stream as it arrives: counted and hashed as received, made safe, kept in bounded memory, followed by cursors. */
export class Capture implements Output {
  readonly #hash = createHash('sha256');
  readonly #safe = new Safe();
  readonly #ring: Ring;
  #bytes = 0;
  #ended = false;
  #growth = pulse();

  constructor(keepBytes = KEEP_BYTES) {
    this.#ring = new Ring(keepBytes);
  }

  get length(): number {
    return this.#ring.length;
  }

  /** Takes a chunk as it came, and gives back the safe text that it completed. */
  receive(chunk: Uint8Array): string {
    const text = this.#safe.push(chunk);
    this.add(text, chunk);
    return text;
  }

  /** Takes text that was made safe already, and the bytes it stands for. */
  add(text: string, raw: Uint8Array): void {
    this.#bytes += raw.length;
    this.#hash.update(raw);
    this.#append(text);
  }

  /** No more will come; gives back the last of the safe text. */
  finish(): string {
    if (this.#ended) return '';
    this.#ended = true;
    const text = this.#safe.end();
    this.#append(text);
    this.#growth.beat();
    return text;
  }

  read(cursor: number, maxBytes: number): Piece {
    return this.#ring.read(cursor, maxBytes);
  }

  received(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') };
  }

  async grown(cursor: number): Promise<void> {
    while (!this.#ended && this.length <= cursor) await this.#growth.promise;
  }

  #append(text: string): void {
    if (text === '') return;
    this.#ring.write(text);
    const growth = this.#growth;
    this.#growth = pulse();
    growth.beat();
  }
}

type Pulse = { readonly promise: Promise<void>; readonly beat: () => void };

const pulse = (): Pulse => {
  let beat = (): void => undefined;
  const promise = new Promise<void>(resolve => {
    beat = resolve;
  });
  return { promise, beat };
};
