import { createHash } from 'node:crypto';
import { readStrings } from './blob.ts';

/** A public host key: `type` as the blob itself names it, the blob in SSH wire form (RFC 4253 section 6.6), its fingerprint. */
export type HostKey = { readonly type: string; readonly blob: Buffer; readonly fingerprint: string };

/** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
export const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

type Fields = readonly Buffer[];
const parts = (count: number) => (fields: Fields) => fields.length === count;
const curve = (name: string) => (fields: Fields) => fields.length === 3 && fields[1]?.toString('latin1') === name;

/** What a blob of each type holds after its type, as OpenSSH writes it; any other type is no host key. */
const SHAPES: ReadonlyMap<string, (fields: Fields) => boolean> = new Map([
  ['ssh-ed25519', (fields: Fields) => fields.length === 2 && fields[1]?.length === 32],
  ['ssh-rsa', parts(3)],
  ['ssh-dss', parts(5)],
  ['ecdsa-sha2-nistp256', curve('nistp256')],
  ['ecdsa-sha2-nistp384', curve('nistp384')],
  ['ecdsa-sha2-nistp521', curve('nistp521')],
  ['sk-ssh-ed25519@openssh.com', parts(3)],
  ['sk-ecdsa-sha2-nistp256@openssh.com', parts(4)],
]);

/** The key in a blob, or undefined when it is not exactly one well-formed key. */
export const readHostKey = (blob: Buffer): HostKey | undefined => {
  const fields = readStrings(blob);
  const type = fields?.[0]?.toString('latin1');
  if (fields === undefined || type === undefined || SHAPES.get(type)?.(fields) !== true) return undefined;
  const copy = Buffer.from(blob);
  return { type, blob: copy, fingerprint: fingerprintOf(copy) };
};
