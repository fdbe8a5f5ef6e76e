import type { Writable } from 'node:stream';

/** An SSH packet takes so many bytes (RFC 4253 section 6.1): more of them together gain nothing. */
const PACKET = 32_768;
/** Longer pieces go as they are: a copy of them costs more than a packet of their own. */
const LONG = PACKET / 2;

/**
 * Writes what is sent in one turn of the event loop as one piece, in the order in which it was sent, for a packet costs more than a small
 * request. `taken` is called when the stream has taken some of it.
 */
export class Outbox {
  readonly #stream: Pick<Writable, 'write'>;
  readonly #taken: () => void;
  #gathered: Buffer[] = [];
  #bytes = 0;
  #due = false;
  #stopped = false;

  constructor(stream: Pick<Writable, 'write'>, taken: () => void) {
    this.#stream = stream;
    this.#taken = taken;
  }

  send(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#add(piece);
    if (this.#due || this.#bytes === 0) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.flush();
    });
  }

  /** Writes now what was gathered. */
  flush(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#bytes = 0;
    const [first] = gathered;
    if (first !== undefined) this.#write(gathered.length === 1 ? first : Buffer.concat(gathered));
  }

  /** Writes nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  #add(piece: Buffer): void {
    if (this.#bytes + piece.length > PACKET || piece.length > LONG) this.flush();
    if (piece.length > LONG) this.#write(piece);
    else {
      this.#gathered.push(piece);
      this.#bytes += piece.length;
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#stopped) this.#stream.write(bytes, () => this.#taken());
  }
}
