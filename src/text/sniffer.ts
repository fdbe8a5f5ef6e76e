const BLOCK_BYTES = 4096;
const BINARY_SHARE = 0.1;

/**
 * Tells binary data from text by its NULs and by the bytes in it that are no UTF-8: for good once a whole block of 4 KiB,
 * counted from the beginning, has more than a tenth of them; the last part of a stream counts with the block before it.
 */
export class Sniffer {
  #found = false;
  /** Where the current block begins. */
  #start = 0;
  #odd = 0;
  #oddBefore = 0;

  /** Takes so many bytes at `offset` that no text has; offsets never go back. */
  odd(offset: number, size: number): void {
    if (offset >= this.#start + BLOCK_BYTES) this.#goTo(offset);
    this.#odd += size;
  }

  /** Whether the first `length` bytes are binary, when nothing odd lies beyond them. */
  binary(length: number): boolean {
    if (length >= this.#start + BLOCK_BYTES) this.#goTo(length);
    const size = Math.min(this.#start, BLOCK_BYTES) + length - this.#start;
    return this.#found || this.#odd + this.#oddBefore > size * BINARY_SHARE;
  }

  #goTo(offset: number): void {
    const start = offset - (offset % BLOCK_BYTES);
    if (this.#odd > BLOCK_BYTES * BINARY_SHARE) this.#found = true;
    this.#oddBefore = start === this.#start + BLOCK_BYTES ? this.#odd : 0;
    this.#odd = 0;
    this.#start = start;
  }
}
