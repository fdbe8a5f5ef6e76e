/** One line of ssh_config: its keyword in lower case, and its words. */
export type Line = { readonly keyword: string; readonly words: readonly string[] };

/**
 * The lines that say something (ssh_config(5)): a keyword, white space or one `=`, words in quotes or not, and a comment. A
 * word that ssh would refuse is read as far as it goes: ssh itself has the last word.
 */
export const linesOf = (text: string): readonly Line[] =>
  text.split('\n').flatMap(raw => {
    const [, quoted, plain, rest = ''] = /^[\s=]*(?:"([^"]*)"|([^\s="#][^\s="]*))(?:\s*=?\s*)(.*)$/s.exec(raw) ?? [];
    const keyword = quoted ?? plain;
    return keyword === undefined ? [] : [{ keyword: keyword.toLowerCase(), words: wordsOf(rest) }];
  });

/** Words apart by blanks; quotes of either kind may stand anywhere, and a word that begins with `#` begins a comment. */
const wordsOf = (text: string): readonly string[] => {
  const words: string[] = [];
  const pattern = /(?:\\["'\\ ]|"(?:\\["\\]|[^"])*"?|'(?:\\['\\]|[^'])*'?|[^\s"'])+/gs;
  for (const [word] of text.matchAll(pattern)) {
    if (word.startsWith('#')) break;
    words.push(word.replace(/\\(["'\\ ])|["']/g, '$1'));
  }
  return words;
};
