import { safeLine } from '../../text/safe.ts';

const [BEL, CAN, SUB, ESC] = [0x07, 0x18, 0x1a, 0x1b] as const;
const PARAMETER_CHARS = 64;
const TITLE_BYTES = 1_024;
const TITLE_CHARS = 200;

type Place = 'text' | 'escape' | 'charset' | 'csi' | 'title' | 'string';

/** The private modes of DECSET that count here, by number (xterm, ctlseqs). */
const CURSOR_KEYS = 1;
const VISIBLE = 25;
const PASTE = 2004;
const ALTERNATE: ReadonlySet<number> = new Set([47, 1047, 1049]);

/**
 * What a program has asked of its terminal, read from its output by a state machine that does not mind where chunks are cut:
 * the alternate screen, the mode of the cursor keys and the keypad, bracketed paste, the cursor, the title.
 */
export class TerminalModes {
  alternate = false;
  applicationCursor = false;
  applicationKeypad = false;
  bracketedPaste = false;
  cursorVisible = true;
  #title = Buffer.alloc(0);
  #place: Place = 'text';
  #parameters = '';
  #string: number[] = [];

  /** The title, made safe to show on one line. */
  get title(): string {
    return safeLine(this.#title.toString('utf8'), TITLE_CHARS);
  }

  /** Whether the next byte begins something, and does not go on with a sequence. */
  get between(): boolean {
    return this.#place === 'text';
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#place === 'text') {
        at = bytes.indexOf(ESC, at);
        if (at === -1) return;
        this.#place = 'escape';
      } else this.#take(bytes[at] ?? 0);
    }
  }

  #take(byte: number): void {
    if (byte === CAN || byte === SUB) this.#place = 'text';
    else if (byte === ESC) this.#interrupt();
    else if (this.#place === 'escape') this.#escape(byte);
    else if (this.#place === 'csi') this.#csi(byte);
    else if (this.#place === 'charset') this.#place = 'text';
    else this.#stringByte(byte);
  }

  /** ESC begins anew, and ends a string: its terminator is ESC and a backslash. */
  #interrupt(): void {
    if (this.#place === 'title') this.#takeTitle();
    this.#place = 'escape';
  }

  #escape(byte: number): void {
    const letter = String.fromCharCode(byte);
    this.#place = 'text';
    if (letter === '[') this.#begin('csi');
    else if (letter === ']') this.#begin('title');
    else if ('PX^_'.includes(letter)) this.#begin('string');
    else if (byte >= 0x20 && byte <= 0x2f) this.#place = 'charset';
    else if (letter === 'c') this.#reset();
    else if (letter === '=' || letter === '>') this.applicationKeypad = letter === '=';
  }

  #begin(place: Place): void {
    this.#place = place;
    this.#parameters = '';
    this.#string = [];
  }

  #csi(byte: number): void {
    if (byte < 0x20) return;
    const letter = String.fromCharCode(byte);
    if (byte < 0x40) {
      if (this.#parameters.length < PARAMETER_CHARS) this.#parameters += letter;
      return;
    }
    this.#place = 'text';
    if (letter === 'p' && this.#parameters === '!') this.#softReset();
    if (!this.#parameters.startsWith('?') || (letter !== 'h' && letter !== 'l')) return;
    for (const number of this.#parameters.slice(1).split(';')) this.#set(Number(number), letter === 'h');
  }

  #set(mode: number, on: boolean): void {
    if (ALTERNATE.has(mode)) this.alternate = on;
    else if (mode === CURSOR_KEYS) this.applicationCursor = on;
    else if (mode === PASTE) this.bracketedPaste = on;
    else if (mode === VISIBLE) this.cursorVisible = on;
  }

  #stringByte(byte: number): void {
    if (byte === BEL) {
      if (this.#place === 'title') this.#takeTitle();
      this.#place = 'text';
    } else if (this.#place === 'title' && this.#string.length < TITLE_BYTES) this.#string.push(byte);
  }

  /** OSC 0 and 2 set the title; the others are not kept. */
  #takeTitle(): void {
    const text = Buffer.from(this.#string);
    if ((text[0] === 0x30 || text[0] === 0x32) && text[1] === 0x3b) this.#title = text.subarray(2);
  }

  #softReset(): void {
    this.applicationCursor = false;
    this.applicationKeypad = false;
    this.cursorVisible = true;
  }

  #reset(): void {
    this.#softReset();
    this.alternate = false;
    this.bracketedPaste = false;
    this.#title = Buffer.alloc(0);
  }
}
