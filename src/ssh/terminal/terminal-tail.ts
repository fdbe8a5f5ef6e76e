import { TerminalModes } from './terminal-modes.ts';

/** Bytes kept of what a terminal was sent: many screens. */
export const TAIL_BYTES = 262_144;
const FIRST_BYTES = 4_096;

/** The last bytes of a terminal's output as they came, and what the ones before them had set. */
export class TerminalTail {
  /** What the bytes that are gone have asked of the terminal. */
  readonly before = new TerminalModes();
  #ring: Buffer = Buffer.alloc(0);
  #oldest = 0;
  #length = 0;

  /** Bytes so far: the offset after the last. */
  get length(): number {
    return this.#length;
  }

  /** The offset of the first byte that is kept. */
  get oldest(): number {
    return this.#oldest;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += FIRST_BYTES) this.#append(chunk.subarray(at, at + FIRST_BYTES));
  }

  /** What came from an offset on; undefined when some of it is gone. */
  since(offset: number): Buffer | undefined {
    return offset < this.#oldest ? undefined : this.#slice(offset, this.#length);
  }

  #append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const at = (this.#length + done) % this.#ring.length;
      const part = bytes.subarray(done, done + this.#ring.length - at);
      this.#ring.set(part, at);
      done += part.length;
    }
    this.#length += bytes.length;
  }

  /** Grows by doubling up to the bound, and from then on lets the oldest bytes go. */
  #makeRoom(bytes: number): void {
    const needed = this.#length - this.#oldest + bytes;
    if (needed > this.#ring.length && this.#ring.length < TAIL_BYTES) {
      const kept = this.#slice(this.#oldest, this.#length);
      let size = Math.max(FIRST_BYTES, this.#ring.length);
      while (size < needed) size *= 2;
      this.#ring = Buffer.alloc(Math.min(size, TAIL_BYTES));
      this.#length = this.#oldest;
      this.#append(kept);
    }
    const excess = this.#length - this.#oldest + bytes - this.#ring.length;
    if (excess <= 0) return;
    this.before.push(this.#slice(this.#oldest, this.#oldest + excess));
    this.#oldest += excess;
  }

  #slice(from: number, to: number): Buffer {
    if (from >= to) return Buffer.alloc(0);
    const size = this.#ring.length;
    const [start, end] = [from % size, ((to - 1) % size) + 1];
    return start < end
      ? Buffer.from(this.#ring.subarray(start, end))
      : Buffer.concat([this.#ring.subarray(start), this.#ring.subarray(0, end)]);
  }
}
