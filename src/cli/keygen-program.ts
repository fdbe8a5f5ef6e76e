import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { KeygenPlace } from './ssh-keygen.ts';

/**
 * The ssh-keygen whose word is taken for a signature: the first of PATH that no process of this account could have put there.
 * Undefined where there is none.
 */
export const keygenProgram = ({ uid, env }: Pick<KeygenPlace, 'uid' | 'env'>): string | undefined => {
  // Where files have no owners, and for root, who may write everywhere, any is as good.
  if (uid === undefined || uid === 0) return 'ssh-keygen';
  return (env.PATH ?? DEFAULT_PATH)
    .split(delimiter)
    .filter(isAbsolute)
    .map(folder => join(folder, 'ssh-keygen'))
    .find(path => isOutOfReach(path, uid));
};

const DEFAULT_PATH = '/usr/bin:/bin';

/** Whether this account can change neither the file nor any folder on the ways to it. */
const isOutOfReach = (path: string, uid: number): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return [path, realpathSync(path)].flatMap(wayTo).every(each => {
      const found = statSync(each);
      return found.uid !== uid && (found.mode & WRITABLE_BY_OTHERS) === 0;
    });
  } catch {
    return false; // What cannot be looked at cannot be run.
  }
};

const WRITABLE_BY_OTHERS = 0o022;

const wayTo = (path: string): readonly string[] => (path === dirname(path) ? [path] : [path, ...wayTo(dirname(path))]);
