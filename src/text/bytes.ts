import { encodeInto, isAscii } from './utf8.ts';

const FIRST_BYTES = 1024;
/** Shorter runs are copied faster by hand than by a call. */
const SHORT = 32;

/** Bytes that are put together piece by piece, in linear time. */
export class Bytes {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  /** A part of other bytes. */
  copy(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from;
    this.#makeRoom(size);
    if (size > SHORT) this.#buffer.set(bytes.subarray(from, to), this.#length);
    else for (let at = 0; at < size; at += 1) this.#buffer[this.#length + at] = bytes[from + at] ?? 0;
    this.#length += size;
  }

  /** The UTF-8 of a text that has no lone surrogate. */
  text(text: string): void {
    this.#makeRoom(3 * text.length);
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (isAscii(code)) {
        this.#buffer[this.#length] = code;
        this.#length += 1;
        continue;
      }
      this.#length = encodeInto(this.#buffer, this.#length, code);
      if (code > 0xffff) at += 1;
    }
  }

  /** What was put together, as bytes of the caller's own; it begins anew then. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(FIRST_BYTES);
    this.#length = 0;
    return taken;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
