import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCode, NotPrivate, readPrivateFile, type Uid } from '../state/private.ts';

const WRITABLE_BY_OTHERS = 0o022;
const WORLD_WRITABLE = 0o002;
const READABLE_BY_OTHERS = 0o044;
const STICKY = 0o1000;

/** What a file says, and whether others may read it too. */
export type TrustedText = { readonly text: string; readonly readable: boolean };

/**
 * Reads a file that guards: undefined when there is none. Links are followed, as dotfiles are often kept; then neither
 * the file nor a folder on the way to it may be one that somebody else could change. Throws `NotPrivate` with the mend.
 */
export const readTrusted = (path: string, uid: Uid): TrustedText | undefined => {
  const read = readTrustedBytes(path, uid);
  return read === undefined ? undefined : { text: read.bytes.toString('utf8'), readable: read.readable };
};

/** The same for a file that need not be text. */
export const readTrustedBytes = (
  path: string,
  uid: Uid,
): { readonly bytes: Buffer; readonly readable: boolean } | undefined => {
  try {
    const real = realpathSync(path);
    checkFolder(dirname(path), uid);
    if (dirname(real) !== dirname(path)) checkFolder(dirname(real), uid);
    const bytes = readPrivateFile(real, uid);
    return { bytes, readable: (statSync(real).mode & READABLE_BY_OTHERS) !== 0 };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/** Who may write to the folder may put another file in the place of ours, unless it is sticky, as /tmp is. */
const checkFolder = (folder: string, uid: Uid): void => {
  if (uid === undefined) return;
  const real = realpathSync(folder);
  const own = statSync(real);
  if (own.uid !== uid && own.uid !== 0)
    throw new NotPrivate(`${folder} belongs to user ${own.uid}, who may replace what is in it: choose another folder.`);
  if ((own.mode & WRITABLE_BY_OTHERS) !== 0 && (own.mode & STICKY) === 0)
    throw new NotPrivate(`Other users may replace what is in ${folder}: run chmod go-w ${folder}.`);
  for (let parent = dirname(real); ; parent = dirname(parent)) {
    const { mode } = statSync(parent);
    if ((mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0)
      throw new NotPrivate(`Anybody may replace what is in ${parent}: run chmod o-w ${parent}.`);
    if (parent === dirname(parent)) return;
  }
};
