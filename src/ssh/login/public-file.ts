import { readBlob } from '../trust/blob.ts';
import { type Certificate, readCertificate } from '../trust/certificate.ts';
import { readHostKey } from '../trust/host-key.ts';
import { readPlainFile } from './plain-file.ts';

/** A public key as a file has it: the key's blob, and the certificate when the file is one. */
export type PublicKey = { readonly blob: Buffer; readonly certificate?: Certificate };

/**
 * The public key or certificate of a file: the file itself, the one beside it with `.pub`, or the public half that stands
 * unlocked in a private key of OpenSSH's format. Undefined when none of them has one.
 */
export const readPublicFile = async (path: string): Promise<PublicKey | undefined> => {
  const own = await textOf(path);
  const line = own === undefined ? undefined : publicLine(own);
  return line ?? publicLine((await textOf(`${path}.pub`)) ?? '') ?? (own === undefined ? undefined : publicHalf(own));
};

/** The certificate in a file; undefined when it has none. */
export const readCertificateFile = async (path: string): Promise<Certificate | undefined> =>
  publicLine((await textOf(path)) ?? '')?.certificate;

const textOf = async (path: string): Promise<string | undefined> => {
  const file = await readPlainFile(path);
  return 'bytes' in file ? file.bytes.toString('latin1') : undefined;
};

const publicLine = (text: string): PublicKey | undefined => {
  const [, type, base64 = ''] = /^\s*([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(text) ?? [];
  const blob = Buffer.from(base64, 'base64');
  const certificate = readCertificate(blob);
  if (certificate !== undefined) return { blob, certificate };
  return readHostKey(blob)?.type === type && type !== undefined ? { blob } : undefined;
};

const MAGIC = 'openssh-key-v1\0';

/** Magic, cipher, derivation and its options, a count, the public keys (PROTOCOL.key). */
const publicHalf = (text: string): PublicKey | undefined => {
  const [, base64 = ''] = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)/.exec(text) ?? [];
  const whole = Buffer.from(base64, 'base64');
  if (whole.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return undefined;
  return readBlob(whole.subarray(MAGIC.length), ({ bytes, uint32, more }) => {
    for (let skipped = 0; skipped < 3; skipped++) bytes();
    uint32();
    const key = readHostKey(bytes());
    while (more()) bytes();
    return key === undefined ? undefined : { blob: key.blob };
  });
};
