import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Random } from '../call.ts';
import { createPrivateBytes, isCode, readPrivateFile, type Uid } from '../state/private.ts';

const BYTES = 32;

/** The key of the record: 32 bytes in a file (0600) that only we can read. Throws when it is open to others or not a key. */
export const readKey = (file: string, uid: Uid): KeyObject => {
  const bytes = readPrivateFile(file, uid, { secret: true });
  if (bytes.length !== BYTES) throw new Error(`${file} is not a key: it has ${bytes.length} bytes, not ${BYTES}.`);
  return createSecretKey(bytes);
};

/** The key of the record, made in its folder when there is none; of several processes that start at once, all get the same. */
export const obtainKey = (file: string, uid: Uid, random: Random): KeyObject => {
  try {
    return readKey(file, uid);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  createPrivateBytes(file, random(6).toString('hex'), random(BYTES));
  return readKey(file, uid);
};
