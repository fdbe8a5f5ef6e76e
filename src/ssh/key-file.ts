import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { ParsedKey, utils } from 'ssh2';
import { Failure } from '../errors.ts';
import type { Login } from './host.ts';

type KeyLogin = Extract<Login, { kind: 'key' }>;
type ParseKey = typeof utils.parseKey;

const MAX_BYTES = 256 * 1024;

/** The private key of a login, opened; `AUTH_FAILED` says what is wrong, the path to the operator alone, and ssh's rule about its mode holds. */
export const loadKey = async (login: KeyLogin, parse: ParseKey): Promise<ParsedKey> => {
  const text = await readPrivate(login.path);
  const locked = parse(text);
  if (isPrivateKey(locked)) return locked;
  if (login.passphrase === undefined) throw unusable(login.path, reason(locked));
  const opened = parse(text, await login.passphrase.reveal());
  if (isPrivateKey(opened)) return opened;
  throw unusable(login.path, 'the configured passphrase does not open it');
};

const isPrivateKey = (key: ParsedKey | Error): key is ParsedKey => !(key instanceof Error) && key.isPrivateKey();

const reason = (key: ParsedKey | Error): string => {
  if (!(key instanceof Error)) return 'it is a public key';
  if (/encrypted/i.test(key.message)) return 'it is locked and no passphrase is configured for it';
  return 'it is no private key of a kind that can be used here (OpenSSH or PEM: ed25519, ecdsa, rsa)';
};

const readPrivate = async (path: string): Promise<Buffer> => {
  // A pipe must not hold up the open: what is no plain file is refused afterwards.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = missing ? 'there is no such file' : 'the file cannot be read';
    throw unusable(path, why, error instanceof Error ? error.message : why);
  });
  try {
    return await readGuarded(file, path);
  } finally {
    await file.close();
  }
};

const readGuarded = async (file: FileHandle, path: string): Promise<Buffer> => {
  const { mode, uid, size } = await file.stat();
  if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > MAX_BYTES) throw unusable(path, 'it is no key file');
  if ((mode & 0o077) !== 0 && uid === ownUid()) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    const why = `others may read it (its mode is ${octal})`;
    throw unusable(path, why, `${why}; run chmod 600 ${path}`);
  }
  return await file.readFile();
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
