import type { FileAction } from '../../shell/file-action.ts';
import type { Simple, Unknown } from '../../shell/script.ts';
import type { Refused } from './grant.ts';

const LONGEST = 80;

const shown = (text: string): string =>
  JSON.stringify(text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`);

/** Why a command is not granted: the word that failed, and the synopsis that came nearest. */
export const notGranted = ({ words }: Simple, { word, why, synopsis, rule }: Refused): string => {
  const program = words[0].text;
  if (synopsis === undefined && rule === undefined) return `No rule names the program ${shown(program)}.`;
  if (word > words.length) return `${shown(program)} is not granted: ${why}.`;
  const place = word === words.length ? 'at its end' : `word ${word + 1}`;
  const near =
    synopsis === undefined
      ? ''
      : `; the nearest is: ${synopsis.length <= 200 ? synopsis : `${synopsis.slice(0, 199)}…`}`;
  return `${shown(program)} is not granted so, ${place}: ${why}${near}.${words[word]?.whole === false ? UNQUOTED : ''}`;
};

const UNQUOTED = ' Quote this word if its *, ? or [ stand for themselves.';

/** Why a text is not granted of which not every word is known. */
export const notUnderstood = ({ construct, hint, line, column }: Unknown): string =>
  `It holds ${construct} (line ${line}, column ${column}), so what it would run is not certain. ${hint}`;

/** Why a redirection is not granted. */
export const fileNotGranted = ({ access, path, target }: FileAction): string =>
  path === undefined
    ? `No rule lets a redirection ${access} ${shown(target.text)}: write its absolute path.`
    : `No rule lets a redirection ${access} ${shown(path)}.`;
