import { isNamedKey, keyName, type NamedKey } from '../../text/key.ts';

/** What the program at the terminal has asked of its keyboard. */
export type Keyboard = { readonly applicationCursor: boolean; readonly bracketedPaste: boolean };

const ESC = '\u001b';

/** What xterm sends for the keys without a character; those of the cursor are another thing in application mode. */
const SENT: Readonly<Record<NamedKey, string | { readonly cursor: string }>> = {
  enter: '\r',
  tab: '\t',
  'shift-tab': `${ESC}[Z`,
  escape: ESC,
  backspace: '\u007f',
  space: ' ',
  insert: `${ESC}[2~`,
  delete: `${ESC}[3~`,
  'page-up': `${ESC}[5~`,
  'page-down': `${ESC}[6~`,
  up: { cursor: 'A' },
  down: { cursor: 'B' },
  right: { cursor: 'C' },
  left: { cursor: 'D' },
  home: { cursor: 'H' },
  end: { cursor: 'F' },
  f1: `${ESC}OP`,
  f2: `${ESC}OQ`,
  f3: `${ESC}OR`,
  f4: `${ESC}OS`,
  f5: `${ESC}[15~`,
  f6: `${ESC}[17~`,
  f7: `${ESC}[18~`,
  f8: `${ESC}[19~`,
  f9: `${ESC}[20~`,
  f10: `${ESC}[21~`,
  f11: `${ESC}[23~`,
  f12: `${ESC}[24~`,
};

/** The bytes of a key as an xterm sends them (ctlseqs, "PC-Style Function Keys"); nothing for a name that is none. */
export const bytesOfKey = (key: string, { applicationCursor }: Keyboard): string => {
  const name = keyName(key) ?? '';
  if (isNamedKey(name)) {
    const sent = SENT[name];
    return typeof sent === 'string' ? sent : `${ESC}${applicationCursor ? 'O' : '['}${sent.cursor}`;
  }
  if (name.startsWith('ctrl-')) return String.fromCharCode(name.toUpperCase().charCodeAt(5) - 0x40);
  return name.startsWith('alt-') ? `${ESC}${name.slice(4)}` : name;
};

const PASTE = [`${ESC}[200~`, `${ESC}[201~`] as const;

/**
 * A text as it is typed: exactly its bytes. Several lines are pasted when the program asked to be told of pastes, so that it takes
 * them as one input; what would end the paste early is left out, and a line end at the very end is typed behind it.
 */
export const bytesOfText = (text: string, { bracketedPaste }: Keyboard): string => {
  const [body = '', end = ''] = splitEnd(text);
  if (!bracketedPaste || !/[\r\n]/.test(body)) return text;
  return `${PASTE[0]}${withoutMarks(body)}${PASTE[1]}${end}`;
};

const splitEnd = (text: string): readonly [string, string] => {
  const end = /(\r\n|\r|\n)$/.exec(text)?.[0] ?? '';
  return [text.slice(0, text.length - end.length), end];
};

/** Left out until none is left: taking one out can make another. */
const withoutMarks = (text: string): string => {
  const without = text.replaceAll(PASTE[1], '').replaceAll(PASTE[0], '');
  return without === text ? text : withoutMarks(without);
};
