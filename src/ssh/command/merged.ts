import type { GrowingText, Piece } from './growing-text.ts';
import { Growth } from './growth.ts';
import type { Capture } from './output.ts';
import type { Ring } from './ring.ts';

/**
 * What both streams of a command wrote, in the order in which it arrived. As long as only one of them has written, that is
 * the stream itself; memory of its own is taken when the other one begins.
 */
export class Merged implements GrowingText {
  readonly #growth = new Growth();
  #first: Capture;
  #own: Ring | undefined;

  constructor(first: Capture) {
    this.#first = first;
  }

  get length(): number {
    return (this.#own ?? this.#first).length;
  }

  /** Bytes of memory that it takes beside what the streams do. */
  get held(): number {
    return this.#own?.held ?? 0;
  }

  /** Lets go of what it keeps. */
  clear(): void {
    this.#own?.clear();
  }

  /** Text that one of them has just taken. */
  add(from: Capture, text: string | Buffer): void {
    if (text.length === 0) return;
    if (this.#first.length === 0) this.#first = from;
    if (from !== this.#first) this.#own ??= this.#first.copyText();
    this.#own?.write(text);
    this.#growth.beat();
  }

  /** Neither will bring any more. */
  finish(): void {
    this.#growth.end();
  }

  read(cursor: number, maxBytes: number): Piece {
    return (this.#own ?? this.#first).read(cursor, maxBytes);
  }

  async grown(cursor: number): Promise<void> {
    await this.#growth.until(() => this.length > cursor);
  }
}
