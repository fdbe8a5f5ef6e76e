import { Bytes } from './bytes.ts';
import { isHidden, shown } from './hidden.ts';
import { Sniffer } from './sniffer.ts';
import { codeOf, decodeAt, INCOMPLETE, isInvalid, sizeOf } from './utf8.ts';

const [BEL, LF, CR, CAN, SUB, ESC, BACKSLASH] = [0x07, 0x0a, 0x0d, 0x18, 0x1a, 0x1b, 0x5c] as const;
const [CSI, ST] = [0x9b, 0x9c] as const;

/** The C1 controls that open a string (DCS, SOS, OSC, PM, APC), and the letters that do after ESC (ECMA-48 5.6). */
const STRING_C1: ReadonlySet<number> = new Set([0x90, 0x98, 0x9d, 0x9e, 0x9f]);
const STRING_LETTER: ReadonlySet<number> = new Set([...'PX]^_'].map(letter => letter.charCodeAt(0)));
const BRACKET = 0x5b;

/** Characters that a sequence may have; a longer one is no sequence, and is shown. */
const SEQUENCE_CHARS = 256;
const STRING_CHARS = 65_536;

const NONE = new Uint8Array(0);

type Mode = 'text' | 'return' | 'escape' | 'csi' | 'string' | 'stringEscape';

/**
 * Makes a stream of UTF-8 bytes safe to read, independently of where its chunks are cut. Complete escape sequences are left
 * out, everything else a reader could not see becomes `\u{..}` (an unfinished sequence too, with all it would have
 * swallowed), invalid bytes become U+FFFD, CR LF and runs of CR become one line feed: nothing that was written over is lost.
 */
export class Safe {
  #mode: Mode = 'text';
  /** The beginning of a character whose end is not here yet. */
  #tail = NONE;
  /** The unfinished sequence as it is shown if it turns out to be none, and its length in characters. */
  #held = '';
  #heldChars = 0;

  /** The bytes of the stream before the tail. */
  #passed = 0;
  readonly #sniffer = new Sniffer();

  /** Whether what came so far is binary data, whatever it looks like once it is safe. */
  get binary(): boolean {
    return this.#sniffer.binary(this.#passed);
  }

  /** The safe text that these bytes complete; the output has no control but line feed and tab. */
  push(chunk: Uint8Array): string {
    return this.bytes(chunk).toString('utf8');
  }

  /** The same as UTF-8; it may lie in the chunk's own memory. */
  bytes(chunk: Uint8Array): Buffer {
    const bytes = this.#tail.length === 0 ? viewOf(chunk) : Buffer.concat([this.#tail, chunk]);
    let at = this.#mode === 'text' ? visibleEnd(bytes, 0) : 0;
    if (at === bytes.length) return this.#pass(bytes, at, bytes);
    const out = new Bytes();
    out.copy(bytes, 0, at);
    while (at < bytes.length) {
      if (this.#mode === 'text') {
        const end = visibleEnd(bytes, at);
        if (end > at) out.copy(bytes, at, end);
        at = sequenceEnd(bytes, end);
        if (at > end) continue;
      }
      if (at === bytes.length) break;
      const decoded = decodeAt(bytes, at);
      if (decoded === INCOMPLETE) break;
      const code = codeOf(decoded);
      if (code === 0 || isInvalid(bytes, at, decoded)) this.#sniffer.odd(this.#passed + at, sizeOf(decoded));
      const alone = this.#mode !== 'text' ? undefined : code === 0xfffd ? REPLACEMENT : ALONE[code];
      if (alone === undefined) out.text(this.#take(code));
      else out.copy(alone, 0, alone.length);
      at += sizeOf(decoded);
    }
    return this.#pass(bytes, at, out.take());
  }

  /** What is still held, once the stream has ended; it can begin anew then. */
  end(): string {
    const cut = this.#tail.length === 0 ? '' : this.#take(0xfffd);
    this.#sniffer.odd(this.#passed, this.#tail.length);
    this.#passed += this.#tail.length;
    this.#tail = NONE;
    const last =
      this.#mode === 'return' ? '\n' : this.#mode === 'stringEscape' ? this.#reveal() + shown(ESC) : this.#reveal();
    this.#mode = 'text';
    return cut + last;
  }

  #pass<T>(bytes: Uint8Array, at: number, safe: T): T {
    this.#passed += at;
    this.#tail = at === bytes.length ? NONE : Uint8Array.from(bytes.subarray(at));
    return safe;
  }

  #take(code: number): string {
    switch (this.#mode) {
      case 'text':
        return this.#text(code);
      case 'return':
        if (code === CR) return '';
        this.#mode = 'text';
        return code === LF ? '\n' : `\n${this.#text(code)}`;
      case 'escape':
        return this.#escape(code);
      case 'csi':
        if (code >= 0x20 && code <= 0x3f) return this.#hold(code, SEQUENCE_CHARS);
        return code >= 0x40 && code <= 0x7e ? this.#drop() : this.#reveal() + this.#text(code);
      case 'string':
        return this.#string(code);
      case 'stringEscape':
        return code === BACKSLASH ? this.#drop() : this.#reveal() + this.#open('escape', ESC) + this.#take(code);
    }
  }

  #text(code: number): string {
    if (code === CR) {
      this.#mode = 'return';
      return '';
    }
    if (code === ESC) return this.#open('escape', code);
    if (code === CSI) return this.#open('csi', code);
    if (STRING_C1.has(code)) return this.#open('string', code);
    return shown(code);
  }

  /** After ESC: intermediates 0x20-0x2F and one final character (ECMA-48 5.5), or the beginning of something longer. */
  #escape(code: number): string {
    if (this.#heldChars === 1 && (code === BRACKET || STRING_LETTER.has(code))) {
      this.#mode = code === BRACKET ? 'csi' : 'string';
      return this.#hold(code, SEQUENCE_CHARS);
    }
    if (code >= 0x20 && code <= 0x2f) return this.#hold(code, SEQUENCE_CHARS);
    return code >= 0x30 && code <= 0x7e ? this.#drop() : this.#reveal() + this.#text(code);
  }

  /** A line's end, another control sequence or a cancelling control breaks a string: none may swallow what follows. */
  #string(code: number): string {
    if (code === BEL || code === ST) return this.#drop();
    if (code === ESC) {
      this.#mode = 'stringEscape';
      return '';
    }
    const breaks = code === LF || code === CR || code === CAN || code === SUB || (code >= 0x80 && code <= 0x9f);
    return breaks ? this.#reveal() + this.#text(code) : this.#hold(code, STRING_CHARS);
  }

  #open(mode: Mode, code: number): string {
    this.#mode = mode;
    this.#held = shown(code);
    this.#heldChars = 1;
    return '';
  }

  #hold(code: number, most: number): string {
    this.#held += shown(code);
    this.#heldChars += 1;
    return this.#heldChars > most ? this.#reveal() : '';
  }

  #drop(): string {
    this.#reveal();
    return '';
  }

  #reveal(): string {
    const text = this.#held;
    this.#mode = 'text';
    this.#held = '';
    this.#heldChars = 0;
    return text;
  }
}

const viewOf = (chunk: Uint8Array): Buffer => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/** The end of the longest run from `from` on that is passed on as it is. */
const visibleEnd = (bytes: Uint8Array, from: number): number => {
  let at = from;
  for (;;) {
    while (at < bytes.length && PLAIN[bytes[at] ?? 0] === 1) at += 1;
    if ((bytes[at] ?? 0) < 0x80) return at;
    const decoded = decodeAt(bytes, at);
    if (decoded === INCOMPLETE || codeOf(decoded) === 0xfffd || isHidden(codeOf(decoded))) return at;
    at += sizeOf(decoded);
  }
};

/** What binary data is full of, and begins nothing, by its code: as it is shown. */
const ALONE: readonly (Uint8Array | undefined)[] = Array.from({ length: 0xa0 }, (_, code) =>
  code === CR || code === ESC || code === CSI || STRING_C1.has(code) ? undefined : Buffer.from(shown(code)),
);
const REPLACEMENT = Buffer.from('\ufffd');

/** The end of a control sequence (ECMA-48 5.4) that is whole and stands at `from`, which is left out at once; else `from`. */
const sequenceEnd = (bytes: Uint8Array, from: number): number => {
  if (bytes[from] !== ESC || bytes[from + 1] !== BRACKET) return from;
  let at = from + 2;
  const most = Math.min(bytes.length, from + SEQUENCE_CHARS);
  while (at < most && isParameter(bytes[at] ?? 0)) at += 1;
  const final = bytes[at] ?? 0;
  return at < bytes.length && final >= 0x40 && final <= 0x7e ? at + 1 : from;
};

const isParameter = (byte: number): boolean => byte >= 0x20 && byte <= 0x3f;

/** The bytes that are passed on as they are: printable ASCII, tab and line feed. */
const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x7f);
PLAIN[0x09] = 1;
PLAIN[LF] = 1;

/** A whole text made safe to read. */
export const safeText = (text: string): string => {
  const safe = new Safe();
  return safe.push(Buffer.from(text)) + safe.end();
};

/** A whole text made safe to read, on one line, of at most `maxChars` characters and an ellipsis. */
export const safeLine = (text: string, maxChars = 200): string => {
  const line = Array.from(
    safeText(text.slice(0, 4 * maxChars))
      .replaceAll(/[\n\t ]+/g, ' ')
      .trim(),
  );
  return line.length <= maxChars ? line.join('') : `${line.slice(0, maxChars).join('')}…`;
};
