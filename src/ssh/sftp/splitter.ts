import { BrokenMessage } from '../packet.ts';
import { Pieces } from './pieces.ts';
import { FXP } from './wire.ts';

/** Who is told what a server says. */
export type Listener = {
  /** How many bytes of data the request of this number asked for. */
  readonly asked: (id: number) => number;
  readonly data: (id: number, pieces: readonly Buffer[]) => void;
  /** Any other message, with what follows its number. */
  readonly message: (type: number, id: number, rest: Buffer) => void;
};

/** A length, a type and a number come first in each message; of VERSION the number is the version. */
const HEAD = 9;
/** In DATA the length of the data follows. */
const DATA_HEAD = 13;
/** OpenSSH sends 256 KiB at most. Nothing of this size is ever set aside before it has come. */
const LONGEST = 2 ** 20;

/** Cuts what a server says into messages; data stays in the pieces in which it came. Throws `BrokenMessage`, also what the listener throws. */
export class Splitter {
  readonly #listener: Listener;
  readonly #head = Buffer.alloc(DATA_HEAD);
  #headed = 0;
  #wanted = HEAD;
  #left = 0;
  #pieces = new Pieces();

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  hear(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; )
      at += this.#left === 0 ? this.#takeHead(chunk, at) : this.#takeBody(chunk, at);
  }

  #takeHead(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#head, this.#headed, at, at + this.#wanted - this.#headed);
    this.#headed += taken;
    if (this.#headed < this.#wanted) return taken;
    if (this.#type === FXP.DATA && this.#wanted === HEAD) this.#wanted = DATA_HEAD;
    else this.#begin();
    return taken;
  }

  get #type(): number {
    return this.#head.readUInt8(4);
  }

  get #id(): number {
    return this.#head.readUInt32BE(5);
  }

  #begin(): void {
    const length = this.#head.readUInt32BE(0);
    const rest = length + 4 - this.#wanted;
    if (rest < 0 || length > LONGEST) throw new BrokenMessage(`a message says that it is ${length} bytes long`);
    if (this.#type === FXP.DATA && (this.#head.readUInt32BE(9) !== rest || rest === 0))
      throw new BrokenMessage('a message with data says two lengths');
    if (this.#type === FXP.DATA && rest > this.#listener.asked(this.#id))
      throw new BrokenMessage('it sends more data than it was asked for');
    this.#left = rest;
    if (rest === 0) this.#finish();
  }

  #takeBody(chunk: Buffer, at: number): number {
    const piece = chunk.subarray(at, at + this.#left);
    this.#pieces.add(piece, this.#left);
    this.#left -= piece.length;
    if (this.#left === 0) this.#finish();
    return piece.length;
  }

  #finish(): void {
    const pieces = this.#pieces;
    this.#pieces = new Pieces();
    this.#headed = 0;
    this.#wanted = HEAD;
    if (this.#type === FXP.DATA) this.#listener.data(this.#id, pieces.all());
    else this.#listener.message(this.#type, this.#id, pieces.joined());
  }
}
