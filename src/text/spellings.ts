import { Safe } from './safe.ts';

/** How a text may be written: `plain` as one run, `wrapped` in an alphabet whose writers begin a new line where they like. */
export type Spellings = { readonly plain: readonly Uint8Array[]; readonly wrapped: readonly Uint8Array[] };

/**
 * The ways in which programs write a text on their output, as they look once they are made safe to read: itself, quoted for
 * JSON, for shells and for HTML, percent-encoded, UTF-16, base64 in all three alignments (of UTF-16 too), and hexadecimal.
 */
export const spellingsOf = (text: string): Spellings => {
  const bytes = Buffer.from(text);
  const wide = wideOf(text);
  return {
    plain: distinct([
      ...[text, ...quotings(text), ...percentEncodings(text)].map(spelling => Buffer.from(spelling)),
      ...wide.map(({ alone }) => alone),
    ]),
    wrapped: distinct([
      ...[bytes, ...wide.map(({ whole }) => whole)].flatMap(base64s),
      ...bothCases(bytes.toString('hex')).map(hex => Buffer.from(hex)),
    ]),
  };
};

/** Little and big endian. Where every second byte is NUL, both are the same but for the first or the last. */
const wideOf = (text: string): readonly { readonly whole: Buffer; readonly alone: Buffer }[] => {
  const little = Buffer.from(text, 'utf16le');
  const big = Buffer.from(little).swap16();
  const ascii = !/[^\0-\x7f]/.test(text);
  return [
    { whole: little, alone: ascii ? little.subarray(0, -1) : little },
    { whole: big, alone: ascii ? big.subarray(1) : big },
  ];
};

const quotings = (text: string): readonly string[] => {
  const json = JSON.stringify(text).slice(1, -1);
  const escaped = (pattern: RegExp): string => json.replaceAll(pattern, unicodeEscape);
  const everyWay = [
    ...[json, json.replaceAll('/', '\\/')],
    ...[/[^\0-\x7f]/g, /[<>&]/g, /[^\0-\x7f]|[<>&]/g].map(escaped),
  ];
  return [
    ...everyWay.flatMap(one => [
      one,
      one.replaceAll(/\\u[0-9a-f]{4}/g, unicode => `\\u${unicode.slice(2).toUpperCase()}`),
    ]),
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll(/[$`"\\]/g, '\\$&'),
    text.replaceAll(/[^A-Za-z0-9_@%+=:,./\n-]/g, '\\$&'),
    text.replaceAll(/[^A-Za-z0-9_@%+=:,./\n\x80-\uffff-]/g, '\\$&'),
    text.replaceAll(/['\\]/g, '\\$&'),
    ...['&quot;', '&#34;'].flatMap(quote => ['&#39;', '&#x27;', "'"].map(tick => htmlOf(text, quote, tick))),
  ];
};

const unicodeEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const htmlOf = (text: string, quote: string, tick: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', quote)
    .replaceAll("'", tick);

/** What writers of URLs leave as it is: letters and digits, what RFC 3986 calls unreserved, JavaScript's, Python's, whole URLs', nothing. */
const LEFT = [
  /[A-Za-z0-9]/,
  /[A-Za-z0-9_.-]/,
  /[\w.~-]/,
  /[\w.~!'()*-]/,
  /[\w.~/-]/,
  /[\w.~!'()*;/?:@&=+$,#-]/,
  /(?!)/,
];

const percentEncodings = (text: string): readonly string[] =>
  LEFT.flatMap(left =>
    bothCases('0123456789abcdef').flatMap(digits => {
      const hex = (byte: number): string => `%${digits[byte >> 4]}${digits[byte & 15]}`;
      const encoded = Array.from(text, one => (left.test(one) ? one : Array.from(Buffer.from(one), hex).join('')));
      return [encoded.join(''), encoded.join('').replaceAll('%20', '+')];
    }),
  );

const bothCases = (hex: string): readonly string[] => [hex, hex.toUpperCase()];

/** The characters that the bytes alone decide, when none, one or two others stand before them in their group of three. */
const base64s = (bytes: Buffer): readonly Uint8Array[] =>
  [0, 1, 2].flatMap(before => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const [first, last] = [Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6)];
    return (['base64', 'base64url'] as const).map(alphabet => Buffer.from(whole.toString(alphabet).slice(first, last)));
  });

const distinct = (spellings: readonly Uint8Array[]): readonly Uint8Array[] => {
  const safe = spellings.map(spelling => {
    const reader = new Safe();
    return reader.push(spelling) + reader.end();
  });
  return [...new Set(safe)].map(text => Buffer.from(text));
};
