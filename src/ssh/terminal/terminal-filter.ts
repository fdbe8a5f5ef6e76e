import type { Size } from '../../call.ts';

const [ESC, BRACKET, QUESTION] = [0x1b, 0x5b, 0x3f] as const;
/** Longer parameters are no sequence that any program writes. */
const LONGEST = 256;
/** Colours go as far as this. */
const LEAST = 255;
/** Scrolling and inserting lines: more of them than there are rows changes nothing more. */
const BY_ROWS: ReadonlySet<string> = new Set('STLM');

/**
 * Output as an emulator may take it: numbers in control sequences are no greater than what they could mean on a screen of this
 * size, because an emulator that is told to scroll two billion times does. Does not mind where chunks are cut.
 */
export class TerminalFilter {
  /** The unfinished sequence: everything behind ESC. */
  #held: number[] | undefined;

  /** What can be passed on by now. */
  push(bytes: Buffer, size: Size): Buffer {
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#held === undefined) {
        at = bytes.indexOf(ESC, at);
        if (at === -1) break;
        parts.push(bytes.subarray(from, at));
        this.#held = [];
      } else if (!this.#hold(bytes[at] ?? 0)) {
        parts.push(this.#release(bytes[at] ?? 0, size));
        // A sequence is broken off by the next one.
        if (bytes[at] === ESC) this.#held = [];
      }
      from = at + 1;
    }
    if (this.#held === undefined) parts.push(bytes.subarray(from));
    return Buffer.concat(parts);
  }

  /** Whether the byte belongs to the parameters. */
  #hold(byte: number): boolean {
    const held = this.#held ?? [];
    const belongs = held.length === 0 ? byte === BRACKET : byte >= 0x20 && byte <= 0x3f && held.length < LONGEST;
    if (belongs) held.push(byte);
    return belongs;
  }

  #release(byte: number, { cols, rows }: Size): Buffer {
    const held = this.#held ?? [];
    this.#held = undefined;
    const text = Buffer.from(held).toString('latin1');
    const most = BY_ROWS.has(String.fromCharCode(byte)) ? rows : Math.max(LEAST, cols, rows);
    const bounded =
      held[1] === QUESTION ? text : text.replaceAll(/\d+/g, number => String(Math.min(Number(number), most)));
    return Buffer.from(`\u001b${bounded}${byte === ESC ? '' : String.fromCharCode(byte)}`, 'latin1');
  }
}
