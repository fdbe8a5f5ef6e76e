/** What a character does outside quotes. */
export type Role = 'plain' | 'end' | 'quote' | 'pattern' | 'never';

const roleOf = (character: string): Role => {
  if (/[A-Za-z0-9_./:,+@%^=!#~-]/.test(character)) return 'plain';
  if (' \t\n;&|<>'.includes(character)) return 'end';
  if ('\'"\\'.includes(character)) return 'quote';
  return '*?['.includes(character) ? 'pattern' : 'never';
};

const ROLES = Array.from({ length: 128 }, (_, code) => roleOf(String.fromCharCode(code)));

/** The role of a UTF-16 code unit; nothing outside ASCII has one of its own outside quotes. */
export const roleAt = (text: string, at: number): Role =>
  at < text.length ? (ROLES[text.charCodeAt(at)] ?? 'never') : 'end';

/** Whether the character separates words without meaning anything else. */
export const isBlankAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
};

const UNUSUAL = /[^\t\n -~]/;
// Separators other than the space, format and private characters, lone surrogates, unassigned and invisible ones.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;

/** The first character that no command may hold, quoted or not: controls, and what a person cannot see. */
export const forbiddenIn = (
  text: string,
): { construct: 'a control character' | 'an invisible or unassigned character'; at: number } | undefined => {
  if (!UNUSUAL.test(text)) return undefined;
  const control = text.search(CONTROL);
  const invisible = text.replaceAll(/[\t\n]/g, ' ').search(INVISIBLE);
  if (invisible === -1) return undefined;
  return control !== -1 && control <= invisible
    ? { construct: 'a control character', at: control }
    : { construct: 'an invisible or unassigned character', at: invisible };
};
