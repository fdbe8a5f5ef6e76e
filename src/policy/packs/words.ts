/** Options and words that several packs write the same way; each option is one that only changes what is shown. */

/** Any one word that does not begin with `-`. */
export const ANY = '<any>';

const SIZE = '<re:[-+]?[0-9]{1,12}[bkKMG]?>';

/** Options of cat. */
export const CAT = '[-n|--number -b|--number-nonblank -s|--squeeze-blank -A|--show-all -E -T -v]';
/** Options of head. */
export const HEAD = `[-q|--quiet -v|--verbose -<int> -n|--lines ${SIZE} -c|--bytes ${SIZE}]`;
/** Options of tail that look at what is there; `--pid` and `--retry` are not among them. */
export const TAIL = HEAD;
/** Options of tail that wait for more. */
export const FOLLOW = '[-f|--follow -F]';
/** Options of wc; `--files0-from` reads a list of files. */
export const WC = '[-l|--lines -w|--words -c|--bytes -m|--chars -L|--max-line-length]';

/** Without `-f`, which reads patterns from a file, and `-R`, which leaves the folder through symbolic links. */
export const GREP =
  '[-i|--ignore-case -v|--invert-match -n|--line-number -c|--count -l|--files-with-matches -L|--files-without-match ' +
  '-E|--extended-regexp -F|--fixed-strings -P|--perl-regexp -w|--word-regexp -x|--line-regexp -o|--only-matching ' +
  '-q|--quiet -s|--no-messages -h|--no-filename -H|--with-filename -a|--text -I -b -z --color=never ' +
  '-m|--max-count <int> -A|--after-context <int> -B|--before-context <int> -C|--context <int> -<int>]';
/** Which of the files that grep finds it reads. */
export const GREP_FILES = '[--include <any> --exclude <any> --exclude-dir <any>]...';

/** Without `-o` (writes a file), `-T`, `-S`, `--compress-program` (runs it), `--files0-from` and `--random-source`. */
export const SORT =
  '[-n|--numeric-sort -r|--reverse -u|--unique -h|--human-numeric-sort -V|--version-sort -g|--general-numeric-sort ' +
  '-M|--month-sort -f|--ignore-case -b|--ignore-leading-blanks -d|--dictionary-order -s|--stable -c|--check -z ' +
  '-t|--field-separator <re:.|\\\\0>] [-k|--key <re:[0-9]+(\\.[0-9]+)?[bdfgiMhnrV]*(,[0-9]+(\\.[0-9]+)?[bdfgiMhnrV]*)?>]...';

/** Its second operand would be written. */
export const UNIQ =
  '[-c|--count -d|--repeated -D -u|--unique -i|--ignore-case -f|--skip-fields <int> -s|--skip-chars <int> ' +
  '-w|--check-chars <int>]';

const FIELDS = '<re:[0-9,-]+>';
/** Options of cut. */
export const CUT =
  `[-s|--only-delimited --complement -d|--delimiter <re:.> -f|--fields ${FIELDS} -c|--characters ${FIELDS} ` +
  `-b|--bytes ${FIELDS} --output-delimiter ${ANY}]`;

const ADDRESS = '([0-9]+|[$]|/[^/\\\\]+/)';
/** A sed script that prints lines. */
export const SED_PRINT = `<re:${ADDRESS}(,${ADDRESS})?p>`;
/** A sed script that replaces text, without `w` and `e`. */
export const SED_REPLACE = '<re:s/[^/\\\\]+/[^/\\\\]*/[gip]{0,3}>';

/** An awk program that prints fields of lines: no `>`, `|`, `system`, `getline` or variables. */
export const AWK =
  '[-F <re:.|\\\\[t|]>] ' +
  '<re:(?:NR *[<>=!]=? *[0-9]+ *|/[^/\\\\]+/ *)?\\{ *print *(?:\\$(?:[0-9]+|NF)|NF|NR|"[A-Za-z0-9 _.,:=/-]*"|[ ,])*\\}>';

const JQ_NAMES =
  'add all and any ascii_downcase contains del desc elif else empty end endswith error false first flatten floor ' +
  'from_entries group_by has if index join keys last length limit map map_values max max_by min min_by not null or ' +
  'range reverse select sort sort_by split startswith test then to_entries tonumber tostring true type unique ' +
  'unique_by values with_entries';

/** A jq filter of paths, literals, operators and functions that look at nothing but the input: no `env`, `input`, `import`. */
export const JQ =
  '[-r|--raw-output -c|--compact-output -e|--exit-status -M|--monochrome-output -s|--slurp -S|--sort-keys] ' +
  `<re:(?:\\.[A-Za-z0-9_]*|\\[[0-9:-]*\\]|"[^"\\\\]*"|[ ,;|(){}\\[\\]:+*<>=!?/-]|[0-9]+|\\b(?:${JQ_NAMES.replaceAll(' ', '|')})\\b)+>`;

/** A host name or an address. */
export const HOST = '<re:[A-Za-z0-9][A-Za-z0-9.:_-]*>';

/** A unit or a pattern of units. */
export const UNIT = '<re:[A-Za-z0-9@_.:*][A-Za-z0-9@_.:*?\\\\-]*>';
/** A time, as journalctl and docker read it. */
export const TIME = '<re:[-+A-Za-z0-9 :.,/]+>';
/** Names joined by commas. */
export const NAMES = '<re:[A-Za-z0-9_.%-]+(,[A-Za-z0-9_.%-]+)*>';
