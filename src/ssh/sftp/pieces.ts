/** Shorter pieces are copied together, so that each byte takes little more than a byte however small a server cuts. */
const SMALL = 4_096;

/** Bytes in the pieces in which they came. */
export class Pieces {
  readonly #pieces: Buffer[] = [];
  #small: Buffer | undefined;
  #filled = 0;

  /** Takes a piece; `left` is how much is to come, this one counted. */
  add(piece: Buffer, left: number): void {
    if (piece.length >= SMALL) {
      this.#flush();
      this.#pieces.push(piece);
      return;
    }
    for (let at = 0; at < piece.length; ) {
      this.#small ??= Buffer.allocUnsafe(Math.min(SMALL, left - at));
      const copied = piece.copy(this.#small, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === this.#small.length) this.#flush();
    }
  }

  /** All of them, none of them empty; nothing is added after that. */
  all(): readonly Buffer[] {
    this.#flush();
    return this.#pieces;
  }

  /** All of them as one. */
  joined(): Buffer {
    return joined(this.all());
  }

  #flush(): void {
    const small = this.#small;
    if (small !== undefined) {
      const filled = small.subarray(0, this.#filled);
      this.#pieces.push(filled.length < small.length / 2 ? Buffer.from(filled) : filled);
    }
    this.#small = undefined;
    this.#filled = 0;
  }
}

/** Pieces as one, which is not copied when it is the only one. */
export const joined = (pieces: readonly Buffer[]): Buffer => {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
};
