import { Bytes } from './bytes.ts';
import { spellingsOf } from './spellings.ts';

/** Shorter texts are not redacted: they would be found where they are not meant. */
export const SHORTEST_BYTES = 6;
/** So much of a longer text is redacted; no sshd takes a longer password. */
export const LONGEST_CHARS = 1024;
const MOST_TEXTS = 1024;
const MARK = Buffer.from('[redacted]');

const LF = 0x0a;
const GRAM = 4;
const FILTER_BITS = 16;
const MIX = 0x9e3779b1;

const NONE = 0;
/** More bytes are needed to tell. */
const OPEN = -1;

type Pattern = { readonly bytes: Uint8Array; readonly wrapped: boolean };

/**
 * Texts that must not be shown, in whatever way `spellingsOf` knows; of very many, those that were added least lately are
 * forgotten. Base64 and hexadecimal are found with line ends in them as well.
 */
export class Redaction {
  /** By text, the one that was added last at the end. */
  readonly #patterns = new Map<string, readonly Pattern[]>();
  #filter = new Uint8Array(0);
  #byFirst = new Map<number, Pattern[]>();

  /** Whether there is nothing to be redacted. */
  get empty(): boolean {
    return this.#patterns.size === 0;
  }

  /** From now on this text is redacted, wherever it is read next. */
  add(secret: string): void {
    const text = secret.slice(0, LONGEST_CHARS).replace(/[\uD800-\uDBFF]$/, '');
    if (Buffer.byteLength(text) < SHORTEST_BYTES) return;
    const known = this.#patterns.get(text);
    this.#patterns.delete(text);
    const patterns = known ?? patternsOf(text);
    this.#patterns.set(text, patterns);
    if (this.#patterns.size > MOST_TEXTS) this.#forgetOldest();
    else if (known === undefined) this.#seek(patterns);
  }

  /** Where from `from` on something may begin that is redacted; the last bytes may always. */
  next(bytes: Uint8Array, from: number): number {
    const filter = this.#filter;
    const last = bytes.length - GRAM;
    let gram = gramAt(bytes, from) >>> 8;
    for (let at = from; at <= last; at += 1) {
      gram = (gram << 8) | (bytes[at + GRAM - 1] ?? 0);
      if (filter[slotOf(gram)] === 1) return at;
    }
    return Math.max(from, last + 1);
  }

  /** How many bytes at `at` are to be redacted, `NONE`, or `OPEN` when more must come before that can be told. */
  match(bytes: Uint8Array, at: number, isLast: boolean): number {
    let longest = NONE;
    for (const pattern of this.#byFirst.get(bytes[at] ?? 0) ?? []) {
      const size = sizeAt(pattern, bytes, at);
      if (size === OPEN && !isLast) return OPEN;
      longest = Math.max(longest, size);
    }
    return longest;
  }

  #seek(patterns: readonly Pattern[]): void {
    if (this.#filter.length === 0) this.#filter = new Uint8Array(1 << FILTER_BITS);
    for (const pattern of patterns) {
      const { bytes, wrapped } = pattern;
      for (const start of wrapped ? startsOf(bytes) : [bytes]) this.#filter[slotOf(gramAt(start, 0))] = 1;
      const first = bytes[0] ?? 0;
      const others = this.#byFirst.get(first);
      if (others === undefined) this.#byFirst.set(first, [pattern]);
      else others.push(pattern);
    }
  }

  #forgetOldest(): void {
    for (const text of [...this.#patterns.keys()].slice(0, MOST_TEXTS / 4)) this.#patterns.delete(text);
    this.#filter = new Uint8Array(0);
    this.#byFirst = new Map();
    for (const patterns of this.#patterns.values()) this.#seek(patterns);
  }
}

const patternsOf = (text: string): readonly Pattern[] => {
  const { plain, wrapped } = spellingsOf(text);
  return [...plain.map(bytes => ({ bytes, wrapped: false })), ...wrapped.map(bytes => ({ bytes, wrapped: true }))];
};

const gramAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);

const slotOf = (gram: number): number => Math.imul(gram, MIX) >>> (32 - FILTER_BITS);

/** The first bytes of a text in whose first places line ends may stand. */
const startsOf = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: 2 ** (GRAM - 1) }, (_, breaks) =>
    Uint8Array.from(
      Array.from(bytes.subarray(0, GRAM)).flatMap((byte, place) =>
        place > 0 && (breaks >> (place - 1)) & 1 ? [LF, byte] : [byte],
      ),
    ),
  );

/** How many bytes at `at` are this pattern, with at most one line end between two of its bytes where it may be wrapped. */
const sizeAt = ({ bytes: wanted, wrapped }: Pattern, bytes: Uint8Array, at: number): number => {
  let place = at;
  for (let index = 0; index < wanted.length; index += 1) {
    if (wrapped && index > 0 && bytes[place] === LF) place += 1;
    if (place >= bytes.length) return OPEN;
    if (bytes[place] !== wanted[index]) return NONE;
    place += 1;
  }
  return place - at;
};

/** One stream, from which all that a redaction knows is left out, wherever its chunks are cut. */
export class Redactor {
  readonly #redaction: Redaction;
  /** What may be the beginning of something, and how many bytes of it are left out already. */
  #held = Buffer.alloc(0);
  #covered = 0;
  #found = 0;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  /** How many places were redacted. */
  get found(): number {
    return this.#found;
  }

  /** What may be shown by now; it may lie in the memory of what was given. */
  push(bytes: Buffer): Buffer {
    if (this.#redaction.empty || bytes.length === 0) return bytes;
    return this.#read(this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]), false);
  }

  /** What was held back, once nothing more comes. */
  end(): Buffer {
    return this.#read(this.#held, true);
  }

  #read(bytes: Buffer, isLast: boolean): Buffer {
    const out = new Bytes();
    let shown = 0;
    let covered = this.#covered;
    let at = this.#redaction.next(bytes, 0);
    for (; at < bytes.length; at = this.#redaction.next(bytes, at + 1)) {
      const size = this.#redaction.match(bytes, at, isLast);
      if (size === OPEN) break;
      if (size === NONE) continue;
      if (at >= covered) {
        out.copy(bytes, Math.max(shown, covered), at);
        out.copy(MARK, 0, MARK.length);
        this.#found += 1;
      }
      covered = Math.max(covered, at + size);
      shown = covered;
    }
    const end = Math.min(at, bytes.length);
    this.#held = Buffer.from(bytes.subarray(end));
    this.#covered = Math.max(0, covered - end);
    shown = Math.max(shown, covered);
    if (shown === 0) return bytes.subarray(0, end);
    if (end > shown) out.copy(bytes, shown, end);
    return out.take();
  }
}

/** A whole text without what the redaction knows; it must have been made safe to read before. */
export const redacted = (redaction: Redaction, text: string): string => {
  if (redaction.empty) return text;
  const redactor = new Redactor(redaction);
  return redactor.push(Buffer.from(text)).toString('utf8') + redactor.end().toString('utf8');
};
