const KEPT = 1_024;

/** The first kilobyte of what somebody writes, for saying what went wrong. */
export class Beginning {
  #bytes = Buffer.alloc(0);

  add(chunk: Buffer): void {
    if (this.#bytes.length < KEPT)
      this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, KEPT - this.#bytes.length)]);
  }

  text(): string {
    return this.#bytes.toString('utf8');
  }
}
