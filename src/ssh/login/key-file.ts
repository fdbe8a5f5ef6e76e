import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { userInfo } from 'node:os';
import type { utils } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Login } from '../host.ts';
import { string } from '../trust/blob.ts';
import { publicBlobOf } from '../trust/signature.ts';
import { readPlainFile } from './plain-file.ts';

type KeyLogin = Extract<Login, { kind: 'key' }>;
type ParseKey = typeof utils.parseKey;

/** A private key that is open, and its public blob (RFC 4253 section 6.6). */
export type PrivateKey = { readonly key: KeyObject; readonly blob: Buffer };

/** The private key of a login, opened; `AUTH_FAILED` says what is wrong, the path to the operator alone, and ssh's rule about its mode holds. */
export const loadKey = async (login: KeyLogin, parse: ParseKey): Promise<PrivateKey> => {
  const text = await readPrivate(login.path);
  const plain = openKey(text, undefined, parse);
  if (typeof plain !== 'string') return plain;
  if (plain !== LOCKED || login.passphrase === undefined) throw unusable(login.path, plain);
  const opened = unlock(text, await login.passphrase.reveal(), parse);
  if (typeof opened === 'string') throw unusable(login.path, opened);
  return opened;
};

/** Keys that were opened, by the bytes of their files and the passphrases that did it: no other bytes and no other passphrase find one. */
const unlocked = new Map<string, PrivateKey>();
/** More locked keys than anybody has. */
const MOST_UNLOCKED = 32;

/** What a passphrase goes through (bcrypt_pbkdf) holds up this whole process for a third of a second: once for each key is enough. */
const unlock = (text: Buffer, passphrase: string, parse: ParseKey): PrivateKey | string => {
  const lock = createHash('sha256').update(string(text)).update(passphrase).digest('base64');
  const opened = unlocked.get(lock) ?? openKey(text, passphrase, parse);
  if (typeof opened === 'string') return opened;
  unlocked.set(lock, opened);
  const [oldest] = unlocked.keys();
  if (unlocked.size > MOST_UNLOCKED && oldest !== undefined) unlocked.delete(oldest);
  return opened;
};

const LOCKED = 'it is locked and no passphrase is configured for it';
const WRONG = 'the configured passphrase does not open it';
const UNKNOWN = 'it is no private key of a kind that can be used here (OpenSSH or PEM: ed25519, ecdsa, rsa)';

/** The key, or why there is none. */
const openKey = (text: Buffer, passphrase: string | undefined, parse: ParseKey): PrivateKey | string => {
  const key = /-----BEGIN (?!OPENSSH)[A-Z0-9 ]*PRIVATE KEY-----/.test(text.toString('latin1'))
    ? openPem(text, passphrase)
    : openOther(text, passphrase, parse);
  if (typeof key === 'string') return key;
  const blob = publicBlobOf(key);
  return blob === undefined ? UNKNOWN : { key, blob };
};

/** PKCS#1, PKCS#8 and SEC 1. */
const openPem = (text: Buffer, passphrase: string | undefined): KeyObject | string => {
  try {
    return createPrivateKey(passphrase === undefined ? { key: text } : { key: text, passphrase });
  } catch (error) {
    if (!/ENCRYPTED/.test(text.toString('latin1'))) return UNKNOWN;
    if (passphrase === undefined) return LOCKED;
    return error instanceof Error && /unsupported/i.test(error.message) ? CIPHER : WRONG;
  }
};

const CIPHER = 'its cipher cannot be opened here: ssh-keygen -p -Z aes256-ctr -f FILE writes it anew with another';

/** OpenSSH's own format, and PuTTY's. */
const openOther = (text: Buffer, passphrase: string | undefined, parse: ParseKey): KeyObject | string => {
  const parsed = parse(text, passphrase);
  if (!(parsed instanceof Error)) return parsed.isPrivateKey() ? createPrivateKey(parsed.getPrivatePEM()) : PUBLIC;
  if (/no passphrase/i.test(parsed.message)) return LOCKED;
  if (passphrase !== undefined && /initialization vector|unsupported.*cipher/i.test(parsed.message)) return CIPHER;
  return passphrase === undefined ? UNKNOWN : WRONG;
};

const PUBLIC = 'it is a public key';

const readPrivate = async (path: string): Promise<Buffer> => {
  const file = await readPlainFile(path);
  if ('why' in file) throw unusable(path, file.why, file.cause);
  const { mode, uid } = file.stats;
  if ((mode & 0o077) !== 0 && uid === ownUid()) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    const why = `others may read it (its mode is ${octal})`;
    throw unusable(path, why, `${why}; run chmod 600 ${path}`);
  }
  return file.bytes;
};

/** Whose files ssh's rule is about; an account without a name in the system's list is asked nothing. */
const ownUid = (): number | undefined => {
  try {
    return userInfo().uid;
  } catch {
    return undefined;
  }
};

const unusable = (path: string, why: string, cause = why): Failure =>
  new Failure('AUTH_FAILED', `A key cannot be used: ${why}.`, {
    operator: `The key ${path} cannot be used: ${cause}.`,
  });
