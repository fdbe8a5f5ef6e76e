import { Failure } from '../../errors.ts';
import { bytesOf, nameOf } from '../../text/byte-name.ts';
import { safeLine } from '../../text/safe.ts';

/** Linux: NAME_MAX and PATH_MAX. */
const NAME_BYTES = 255;
const PATH_BYTES = 4_096;

/** C0, DEL and C1: a name may hold them, and no agent names one of those by accident. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

const SHOWN_CHARS = 200;

/** A path as a sentence may hold it: safe, on one line, and cut when it is long. */
export const shownPath = (path: string): string => safeLine(path, SHOWN_CHARS);

/** Throws INVALID_INPUT for a path that no transfer takes, before anything is looked at; `argument` is what it was given as. */
export const checkPath = (path: string, argument: 'remote_path' | 'local_path'): void => {
  const wrong = problemOf(path);
  if (wrong !== undefined) throw new Failure('INVALID_INPUT', `${argument} ${wrong}.`);
};

/** The same of a path on a host, which is absolute or counts from the account's home (`~`). */
export const checkRemotePath = (path: string): void => {
  checkPath(path, 'remote_path');
  if (path.startsWith('/') || path === '~' || path.startsWith('~/')) return;
  throw new Failure('INVALID_INPUT', 'remote_path is not absolute.', {
    next: 'Begin it with /, or with ~/ for the home of the account.',
  });
};

const problemOf = (path: string): string | undefined => {
  if (path === '') return 'is empty';
  if (CONTROLS.test(path)) return 'holds a control character';
  if (path.split('/').includes('..')) return 'holds .., which leads out of what was named';
  // Two texts for the same bytes would be two names for who judges, and one file on the host.
  if (nameOf(bytesOf(path)) !== path) return 'holds half a character, or the bytes of a whole one in pieces';
  if (bytesOf(path).length > PATH_BYTES) return `is longer than ${PATH_BYTES} bytes`;
  if (path.split('/').some(name => bytesOf(name).length > NAME_BYTES))
    return `holds a name of more than ${NAME_BYTES} bytes`;
  return undefined;
};

/** The folder of an absolute path without a slash at its end, and the name in it; the root is its own folder, with no name. */
export const splitPath = (path: string): { readonly folder: string; readonly name: string } => {
  const cut = path.lastIndexOf('/');
  return { folder: path.slice(0, cut) || '/', name: path.slice(cut + 1) };
};

/** The path of a name in a folder. */
export const within = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** Whether an absolute path is as a real path must be: no empty part, no `.`, no `..`, no NUL, and not too long. */
export const isPlainPath = (path: string): boolean => {
  if (path === '/') return true;
  const [root, ...names] = path.split('/');
  if (root !== '' || path.includes('\0') || bytesOf(path).length > PATH_BYTES) return false;
  return names.every(name => name !== '' && name !== '.' && name !== '..');
};
