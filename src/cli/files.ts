import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createPrivateBytes, isCode } from '../state/private.ts';
import { Environment } from './io.ts';

/**
 * Writes a file that is not there yet, 0600 in folders 0700, whole or not at all; says false, and changes nothing, when
 * something stands at the path already, a dangling link included.
 */
export const writeNew = (path: string, content: string, unique: string): boolean => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return linkedOrPlain(path, content, unique);
  } catch (error) {
    throw new Environment(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}.`);
  }
};

/** Some file systems have no hard links; there the file is written in place. */
const linkedOrPlain = (path: string, content: string, unique: string): boolean => {
  try {
    return createPrivateBytes(path, unique, Buffer.from(content));
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].some(code => isCode(error, code))) throw error;
  }
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600, flush: true });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
};
