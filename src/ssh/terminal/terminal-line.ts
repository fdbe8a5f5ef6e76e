import type { Size } from '../../call.ts';
import type { Channel } from '../command/channel.ts';
import { TerminalModes } from './terminal-modes.ts';
import { TerminalTail } from './terminal-tail.ts';
import type { Tty } from './tty.ts';

/** What an exec request asks for when it wants a terminal (RFC 4254 section 6.2). */
export type Pty = Size & { readonly term: string };

/** What every terminal of ours says it is. */
const TERM = 'xterm-256color';
/** The longest announcement that is waited for. */
const LONGEST = 4_096;
/** After so many that were none, no announcement is waited for. */
const MOST_MISTAKEN = 8;
const NONE = Buffer.alloc(0);

/**
 * Our end of a remote terminal: the channel once it is open, its size, and what came of it. The first line with the nonce is the
 * launch script's announcement of the terminal's name, and no part of the output.
 */
export class TerminalLine {
  readonly nonce: string;
  readonly modes = new TerminalModes();
  readonly tail = new TerminalTail();
  #size: Size;
  #channel: Channel | undefined;
  #held: Buffer = NONE;
  #announced = false;
  /** Lines with the nonce that announce nothing, as a shell prints that traces its commands. */
  #mistaken = 0;
  #tty: Tty | undefined;

  constructor(nonce: string, size: Size) {
    this.nonce = nonce;
    this.#size = size;
  }

  get size(): Size {
    return this.#size;
  }

  get pty(): Pty {
    return { ...this.#size, term: TERM };
  }

  /** Which terminal the host gave, once it has said so. */
  get tty(): Tty | undefined {
    return this.#tty;
  }

  opened(channel: Channel): void {
    this.#channel = channel;
  }

  /** Bytes that the host has not taken yet. */
  get waiting(): number {
    return this.#channel?.writableLength ?? 0;
  }

  /** Types; the bytes are on their way when it returns. */
  write(bytes: string): void {
    this.#channel?.write(bytes);
  }

  /** Tells the host of a new size, and the kernel there the program (RFC 4254 section 6.7, SIGWINCH). */
  resize(size: Size): void {
    this.#size = size;
    this.#channel?.setWindow(size.rows, size.cols, 0, 0);
  }

  /** Takes what the channel brings, and gives back what of it is output. */
  receive(chunk: Buffer): Buffer {
    const output = this.#announced ? chunk : this.#withoutAnnouncement(chunk);
    this.modes.push(output);
    this.tail.push(output);
    return output;
  }

  #withoutAnnouncement(chunk: Buffer): Buffer {
    const bytes = Buffer.concat([this.#held, chunk]);
    this.#held = NONE;
    const at = bytes.indexOf(this.nonce);
    if (at === -1) return this.#hold(bytes, bytes.length - overlap(bytes, this.nonce));
    const end = bytes.indexOf('\n', at);
    if (end === -1) return bytes.length - at < LONGEST ? this.#hold(bytes, at) : bytes;
    const [, device = '', leader = ''] = FORM.exec(bytes.toString('latin1', at + this.nonce.length, end)) ?? [];
    if (leader === '') {
      this.#mistaken += 1;
      this.#announced = this.#mistaken >= MOST_MISTAKEN;
      const after = bytes.subarray(end + 1);
      const rest = this.#announced ? after : this.#withoutAnnouncement(after);
      return Buffer.concat([bytes.subarray(0, end + 1), rest]);
    }
    this.#announced = true;
    if (device !== '-') this.#tty = { device, leader: Number(leader) };
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end + 1)]);
  }

  /** Keeps back what may be the beginning of the announcement. */
  #hold(bytes: Buffer, from: number): Buffer {
    this.#held = Buffer.from(bytes.subarray(from));
    return bytes.subarray(0, from);
  }
}

/** The device as `tty` names it, or `-`, and the pid of who printed the line, whom the program then replaces. */
const FORM = /^ (\/dev\/[A-Za-z0-9/_.-]+|-) ([1-9]\d{0,9})\r?$/;

/** How many bytes at the end are a beginning of the word. */
const overlap = (bytes: Buffer, word: string): number => {
  let length = Math.min(bytes.length, word.length - 1);
  while (length > 0 && !bytes.subarray(bytes.length - length).equals(Buffer.from(word.slice(0, length)))) length -= 1;
  return length;
};
