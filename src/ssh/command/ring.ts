import { isContinuation } from '../../text/utf8.ts';
import type { Piece } from './growing-text.ts';

const FIRST_BYTES = 4096;
const HEAD_BYTES = 65_536;
const HEAD_PART = 0.25;
const LONGEST_CHARACTER = 4;

/**
 * The first and the last bytes of a text that may grow for ever, in bounded memory: at most `keepBytes`, of which up to a
 * quarter (64 KiB at most) are kept from its beginning once something between had to go. Offsets count from the very first byte.
 */
export class Ring {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  /** The beginning, copied when the first byte is about to be overwritten; ends at a whole character. */
  #head: Buffer = Buffer.alloc(0);
  /** The byte of offset `o` lies at `o % #tail.length`. */
  #tail: Buffer = Buffer.alloc(0);
  #oldest = 0;
  #length = 0;

  constructor(keepBytes: number) {
    const most = Math.max(FIRST_BYTES, Math.floor(keepBytes));
    this.#headBytes = Math.min(HEAD_BYTES, Math.floor(most * HEAD_PART));
    this.#tailBytes = most - this.#headBytes;
  }

  /** Bytes written so far: the offset after the last. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it takes. */
  get held(): number {
    return this.#head.length + this.#tail.length;
  }

  /** Lets go of everything kept; offsets stay as they are, and reads say what is gone. */
  clear(): void {
    this.#head = Buffer.alloc(0);
    this.#tail = Buffer.alloc(0);
    this.#oldest = this.#length;
  }

  /** Another one with the same in it. */
  copy(): Ring {
    const copy = new Ring(this.#headBytes + this.#tailBytes);
    copy.#head = this.#head;
    copy.#tail = Buffer.from(this.#tail);
    copy.#oldest = this.#oldest;
    copy.#length = this.#length;
    return copy;
  }

  /** Appends whole characters, as UTF-8. */
  write(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    for (let at = 0; at < bytes.length; at += this.#tailBytes) this.#append(bytes.subarray(at, at + this.#tailBytes));
  }

  /** As `Output.read`; a `maxBytes` under the size of one character counts as four. */
  read(cursor: number, maxBytes: number): Piece {
    const asked = Math.min(Math.max(Math.trunc(cursor) || 0, 0), this.#length);
    const inHead = asked < this.#head.length && asked < this.#oldest;
    const [first, last] = inHead ? [0, this.#head.length] : [this.#oldest, this.#length];
    const from = this.#boundary(Math.max(asked, first), first, last);
    const most = Math.max(LONGEST_CHARACTER, Math.floor(maxBytes));
    let next = Math.min(last, from + most);
    while (next < last && isContinuation(this.#at(next))) next -= 1;
    return {
      text: (inHead ? this.#head.subarray(from, next) : this.#slice(from, next)).toString('utf8'),
      from,
      next,
      dropped: Math.max(0, from - asked),
      more: next < this.#length,
    };
  }

  /** The beginning of the character that `offset` is in, or of the next one when its beginning is gone. */
  #boundary(offset: number, first: number, last: number): number {
    let at = offset;
    while (at > first && at < last && isContinuation(this.#at(at))) at -= 1;
    while (at < last && isContinuation(this.#at(at))) at += 1;
    return at;
  }

  #at(offset: number): number {
    const byte = offset < this.#oldest ? this.#head[offset] : this.#tail[offset % this.#tail.length];
    return byte ?? 0;
  }

  #append(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    const at = this.#length % this.#tail.length;
    const fits = bytes.copy(this.#tail, at);
    bytes.copy(this.#tail, 0, fits);
    this.#length += bytes.length;
  }

  /** Grows by doubling up to the bound, and from then on lets the oldest bytes go. */
  #makeRoom(bytes: number): void {
    const needed = this.#length - this.#oldest + bytes;
    if (needed > this.#tail.length && this.#tail.length < this.#tailBytes) {
      let size = Math.max(FIRST_BYTES, this.#tail.length);
      while (size < needed) size *= 2;
      this.#resize(Math.min(size, this.#tailBytes));
    }
    const excess = needed - this.#tail.length;
    if (excess <= 0) return;
    if (this.#oldest === 0) this.#head = this.#beginning();
    this.#oldest += excess;
  }

  #beginning(): Buffer {
    let end = Math.min(this.#headBytes, this.#length);
    while (end < this.#length && isContinuation(this.#at(end))) end -= 1;
    return Buffer.from(this.#tail.subarray(0, end));
  }

  #resize(size: number): void {
    const kept = this.#slice(this.#oldest, this.#length);
    this.#tail = Buffer.alloc(size);
    const fits = kept.copy(this.#tail, this.#oldest % size);
    kept.copy(this.#tail, 0, fits);
  }

  #slice(from: number, to: number): Buffer {
    const size = this.#tail.length;
    if (from === to) return Buffer.alloc(0);
    const [start, end] = [from % size, ((to - 1) % size) + 1];
    return start < end
      ? Buffer.from(this.#tail.subarray(start, end))
      : Buffer.concat([this.#tail.subarray(start), this.#tail.subarray(0, end)]);
  }
}
