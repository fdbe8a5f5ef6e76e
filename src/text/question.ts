/** Columns of a line that is shown to whoever is asked: every terminal client measured shows so many. */
export const COLUMNS = 76;
/** More than this, nobody reads before saying yes. */
const MOST_CHARS = 8_192;
/** More empty lines in a row, and more than eight spaces, are counted: they could push something out of sight. */
const MOST_EMPTY_LINES = 2;

/** A name, and the text that stands for it: one more thing that is asked about. */
export type Entry = { readonly name: string; readonly text: string };

/**
 * Entries as lines that no text in them can forge: a text is letters of ASCII and Latin-1, and all else is written out as
 * `‹U+202E›`, `‹tab›` or `‹60000 spaces›`; one of several lines stands below its name, behind bars. Undefined when it cannot be
 * shown whole: it holds binary data, or is longer than a person reads.
 */
export const linesOf = (entries: readonly Entry[]): readonly string[] | undefined => {
  if (entries.some(({ text }) => isTooLong(text) || isBinary(text))) return undefined;
  const lines = entries.flatMap(blockOf);
  return lines.reduce((sum, line) => sum + line.length + 1, 0) <= MOST_CHARS ? lines : undefined;
};

/** Counted spaces and empty lines alone can make a long text short; anything else need not be looked through. */
const isTooLong = (text: string): boolean =>
  text.length > LONGEST_TEXT || (text.length > MOST_CHARS && text.replace(/ {9,}|\n{4,}/g, '').length > MOST_CHARS);

const LONGEST_TEXT = 1_048_576;

const isBinary = (text: string): boolean => {
  if (text.includes('\0')) return true;
  const odd = text.match(UNPRINTABLE)?.length ?? 0;
  return odd > 32 && odd * 8 > text.length;
};

const UNPRINTABLE = /(?![\t\n\r\x1b])[\p{Cc}\p{Cs}\p{Cn}\p{Co}\ufffd]/gu;

const blockOf = ({ name, text }: Entry): readonly string[] => {
  const shown = shownLines(text);
  const [first = ''] = shown;
  if (shown.length === 1 && name.length + 2 + first.length <= COLUMNS) return [`${name}: ${first}`];
  return [
    `${name}:`,
    ...shown.flatMap(line => folded(line).map((part, index) => `  ${index === 0 ? '|' : '…'} ${part}`)),
  ];
};

/** Lines of a text with every character to be seen; many empty ones in a row are counted. */
export const shownLines = (text: string): readonly string[] => {
  if (text === '') return ['‹nothing›'];
  const lines: string[] = [];
  let empty = 0;
  const flush = (): void => {
    if (empty > MOST_EMPTY_LINES) lines.push(`‹${empty} empty lines›`);
    else for (let each = 0; each < empty; each += 1) lines.push('');
    empty = 0;
  };
  for (const line of text.split('\n')) {
    if (line === '') {
      empty += 1;
      continue;
    }
    flush();
    lines.push(visibleOf(line));
  }
  flush();
  return lines;
};

/** One line on which every character can be seen, and none looks like another. */
const visibleOf = (line: string): string =>
  line
    .replace(/[^ -~À-ÖØ-öø-ÿ]/gu, written)
    .replace(/ +$| {9,}/g, ({ length }) => (length === 1 ? '‹space›' : `‹${length} spaces›`));

const NAMES: Readonly<Record<string, string>> = { '\t': 'tab', '\r': 'carriage return', '\x1b': 'escape' };

const written = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return `‹${NAMES[character] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`}›`;
};

/** Pieces of a shown line that have `room` columns each; what is written out is not torn apart. */
export const folded = (line: string, room: number = COLUMNS - 4): readonly string[] => {
  const parts: string[] = [];
  let part = '';
  for (const [piece] of line.matchAll(/‹[^›]*›|./gsu)) {
    if (part.length + piece.length > room) {
      parts.push(part);
      part = '';
    }
    part += piece;
  }
  return [...parts, part];
};
