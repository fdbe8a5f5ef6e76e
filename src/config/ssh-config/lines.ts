/** One line of ssh_config: its keyword in lower case, and its words. */
export type Line = { readonly keyword: string; readonly words: readonly string[] };

/**
 * The lines that say something (ssh_config(5)): a keyword, blanks or one `=`, words in quotes or not, and a comment. Blanks are
 * those of ASCII that ssh takes for such. A word that ssh would refuse is read as far as it goes: ssh itself has the last word.
 */
export const linesOf = (text: string): readonly Line[] =>
  text.split('\n').flatMap(raw => {
    const [, plain = '', quoted = '', rest = ''] = LINE.exec(raw.replace(/[ \t\r\f]+$/, '')) ?? [];
    const keyword = `${plain}${quoted}`;
    if (keyword === '' || keyword.startsWith('#')) return [];
    return [{ keyword: keyword.toLowerCase(), words: wordsOf(rest) }];
  });

/** A quote may begin within a keyword, and ends it. */
const LINE = /^[ \t\r=]*([^ \t\r="]*)(?:"([^"]*)"[ \t\r]*|[ \t\r]*=?[ \t\r]*)(.*)$/s;

/** Words apart by blanks; quotes of either kind may stand anywhere, and a word that begins with `#` begins a comment. */
const wordsOf = (text: string): readonly string[] => {
  const words: string[] = [];
  const pattern = /(?:\\["'\\ ]|"(?:\\["\\]|[^"])*"?|'(?:\\['\\]|[^'])*'?|[^ \t"'])+/gs;
  for (const [word] of text.matchAll(pattern)) {
    if (word.startsWith('#')) break;
    words.push(word.replace(/\\(["'\\ ])|["']/g, '$1'));
  }
  return words;
};
