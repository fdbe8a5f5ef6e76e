import { readBlob, readStrings, string } from './blob.ts';
import { type HostKey, readHostKey } from './host-key.ts';
import { isSignedBy } from './signature.ts';

/** An OpenSSH certificate (PROTOCOL.certkeys) whose signature is good; whether its authority is trusted is another question. */
export type Certificate = {
  /** As its blob names it: `ssh-ed25519-cert-v01@openssh.com`. */
  readonly type: string;
  readonly blob: Buffer;
  readonly kind: 'user' | 'host';
  /** The key that it speaks for, and the one that signed it. */
  readonly certified: HostKey;
  readonly authority: HostKey;
  readonly keyId: string;
  /** Accounts or host names; none means every one. */
  readonly principals: readonly string[];
  /** Seconds since the epoch, the first included, the last not. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** The names of its critical options: what does not know one must refuse the certificate. */
  readonly criticalOptions: readonly string[];
};

const SUFFIX = '-cert-v01@openssh.com';

/** The type of a certificate's key: `ssh-ed25519` for `ssh-ed25519-cert-v01@openssh.com`; undefined for any other type. */
export const certifiedType = (type: string): string | undefined => {
  if (!type.endsWith(SUFFIX)) return undefined;
  const plain = type.slice(0, -SUFFIX.length);
  return plain.startsWith('sk-') ? `${plain}@openssh.com` : plain;
};

/** The type that a certificate for keys of a type has. */
export const certificateType = (plain: string): string => `${plain.replace(/@openssh\.com$/, '')}${SUFFIX}`;

/** The certificate in a blob; undefined when it is none, or when its signature is not its authority's. */
export const readCertificate = (blob: Buffer): Certificate | undefined => {
  const type = readType(blob);
  const plain = type === undefined ? undefined : certifiedType(type);
  const count = plain === undefined ? undefined : KEY_FIELDS.get(plain);
  if (type === undefined || plain === undefined || count === undefined) return undefined;
  return readBlob(blob, ({ bytes, uint32, uint64, at }): Certificate | undefined => {
    bytes();
    bytes();
    const keyStart = at();
    for (let field = 0; field < count; field++) bytes();
    const certified = readHostKey(Buffer.concat([string(plain), blob.subarray(keyStart, at())]));
    uint64();
    const kind = KINDS.get(uint32());
    const keyId = bytes().toString();
    const principals = readStrings(bytes());
    const [validAfter, validBefore] = [uint64(), uint64()];
    const criticalOptions = readStrings(bytes());
    bytes();
    bytes();
    const authority = readHostKey(bytes());
    const signed = blob.subarray(0, at());
    const signature = bytes();
    if (certified === undefined || kind === undefined || principals === undefined) return undefined;
    if (criticalOptions === undefined || authority === undefined) return undefined;
    if (!isSignedBy(authority.blob, signed, signature)) return undefined;
    return {
      ...{ type, blob: Buffer.from(blob), kind, certified, authority, keyId, validAfter, validBefore },
      principals: principals.map(name => name.toString()),
      criticalOptions: criticalOptions.filter((_, index) => index % 2 === 0).map(name => name.toString()),
    };
  });
};

const KINDS: ReadonlyMap<number, Certificate['kind']> = new Map([
  [1, 'user'],
  [2, 'host'],
]);

/** How many fields a key of each type has after the nonce. */
const KEY_FIELDS: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ssh-rsa', 2],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['sk-ssh-ed25519@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 3],
]);

const readType = (blob: Buffer): string | undefined =>
  blob.length < 4 ? undefined : blob.subarray(4, 4 + blob.readUInt32BE()).toString('latin1');

/** Whether a certificate is within its time, as words that end a sentence about it; undefined when it is. */
export const outOfTime = ({ validAfter, validBefore }: Certificate, wallMs: number): string | undefined => {
  const now = BigInt(Math.floor(wallMs / 1_000));
  if (now < validAfter) return `it is valid only from ${dateOf(validAfter)}`;
  if (now >= validBefore) return `it was valid only until ${dateOf(validBefore)}`;
  return undefined;
};

const LAST_DATE = 253_402_300_799n;

const dateOf = (seconds: bigint): string =>
  new Date(Number(seconds > LAST_DATE ? LAST_DATE : seconds) * 1_000).toISOString().replace('.000Z', 'Z');

/** Why a certificate does not speak for a host under a name, or undefined when it does (ssh's sshkey_cert_check_host). */
export const hostProblem = (certificate: Certificate, name: string, wallMs: number): string | undefined => {
  const { kind, principals, criticalOptions } = certificate;
  if (kind !== 'host') return 'it is a certificate of a user';
  const time = outOfTime(certificate, wallMs);
  if (time !== undefined) return time;
  if (principals.length > 0 && !principals.includes(name)) return `it does not name ${name}`;
  if (criticalOptions.length > 0) return 'it has critical options, which no certificate of a host has';
  return undefined;
};
