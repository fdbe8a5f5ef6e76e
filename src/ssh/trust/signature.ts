import { constants, createHash, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import { fixedWidth, mpint, readBlob, string } from './blob.ts';

type Curve = { readonly name: string; readonly jwk: string; readonly hash: string; readonly width: number };

/** The curves of ECDSA keys, their hashes and the bytes of one coordinate (RFC 5656). */
const CURVES: readonly Curve[] = [
  { name: 'nistp256', jwk: 'P-256', hash: 'sha256', width: 32 },
  { name: 'nistp384', jwk: 'P-384', hash: 'sha384', width: 48 },
  { name: 'nistp521', jwk: 'P-521', hash: 'sha512', width: 66 },
];

/** How RSA keys may sign: by SHA-2 alone (RFC 8332). */
const RSA: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
]);

const curveOf = (algorithm: string): Curve | undefined =>
  CURVES.find(({ name }) => algorithm === `ecdsa-sha2-${name}` || algorithm === `sk-ecdsa-sha2-${name}@openssh.com`);

/** The public blob of a private key (RFC 4253 section 6.6); undefined for a kind that SSH does not know. */
export const publicBlobOf = (key: KeyObject): Buffer | undefined => {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return Buffer.concat([string('ssh-ed25519'), string(part(jwk.x))]);
  if (jwk.kty === 'RSA') return Buffer.concat([string('ssh-rsa'), mpint(part(jwk.e)), mpint(part(jwk.n))]);
  const curve = CURVES.find(one => jwk.kty === 'EC' && one.jwk === jwk.crv);
  if (curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.of(4), part(jwk.x), part(jwk.y)]);
  return Buffer.concat([string(`ecdsa-sha2-${curve.name}`), string(curve.name), string(point)]);
};

const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');

/** A whole signature blob: its algorithm, then what that one writes. `algorithm` is that of the signature, not of a certificate. */
export const signBy = (key: KeyObject, algorithm: string, data: Buffer): Buffer => {
  const curve = curveOf(algorithm);
  if (curve === undefined) {
    const hash = RSA.get(algorithm) ?? null;
    return Buffer.concat([string(algorithm), string(sign(hash, data, key))]);
  }
  const pair = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const numbers = [mpint(pair.subarray(0, curve.width)), mpint(pair.subarray(curve.width))];
  return Buffer.concat([string(algorithm), string(Buffer.concat(numbers))]);
};

/** Whether a signature blob is a public key's over these bytes; security keys sign over their application and a counter (PROTOCOL.u2f). */
export const isSignedBy = (publicBlob: Buffer, data: Buffer, signature: Buffer): boolean => {
  const parsed = readBlob(signature, ({ text, bytes, byte, uint32, more }) => {
    const [algorithm, value] = [text(), bytes()];
    return more() ? { algorithm, value, flags: byte(), counter: uint32() } : { algorithm, value };
  });
  const key = parsed && readPublic(publicBlob, parsed.algorithm);
  if (parsed === undefined || key === undefined) return false;
  const { algorithm, value, flags, counter } = parsed;
  if (key.application === undefined) return flags === undefined && isValid(key.key, algorithm, data, value);
  if (flags === undefined) return false;
  const tail = Buffer.alloc(5);
  tail.writeUInt8(flags);
  tail.writeUInt32BE(counter, 1);
  const signed = Buffer.concat([sha256(key.application), tail, sha256(data)]);
  return isValid(key.key, algorithm, signed, value);
};

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

const isValid = (key: KeyObject, algorithm: string, data: Buffer, value: Buffer): boolean => {
  const curve = curveOf(algorithm);
  if (curve === undefined) {
    const padding = constants.RSA_PKCS1_PADDING;
    return verify(RSA.get(algorithm) ?? null, data, key.asymmetricKeyType === 'rsa' ? { key, padding } : key, value);
  }
  const pair = readBlob(value, ({ bytes }) => {
    const [r, s] = [fixedWidth(bytes(), curve.width), fixedWidth(bytes(), curve.width)];
    return r === undefined || s === undefined ? undefined : Buffer.concat([r, s]);
  });
  return pair !== undefined && verify(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' }, pair);
};

type Public = { readonly key: KeyObject; readonly application?: Buffer };

/** A public key, when signatures of this algorithm are its to make. */
const readPublic = (blob: Buffer, algorithm: string): Public | undefined =>
  readBlob(blob, ({ text, bytes }): Public | undefined => {
    const type = text();
    if (type === 'ssh-rsa') {
      const [e, n] = [bytes(), bytes()];
      return RSA.has(algorithm) ? imported({ kty: 'RSA', e: word(e), n: word(n) }) : undefined;
    }
    if (type !== algorithm) return undefined;
    const curve = curveOf(type);
    const jwk = curve === undefined ? edwards(bytes()) : weierstrass(curve, text(), bytes());
    const application = type.startsWith('sk-') ? { application: bytes() } : {};
    return jwk && imported(jwk, application);
  });

const word = (bytes: Buffer): string => bytes.toString('base64url');

const edwards = (x: Buffer): JsonWebKey => ({ kty: 'OKP', crv: 'Ed25519', x: word(x) });

const weierstrass = ({ name, jwk, width }: Curve, named: string, point: Buffer): JsonWebKey | undefined =>
  named === name && point.length === 1 + 2 * width && point[0] === 4
    ? { kty: 'EC', crv: jwk, x: word(point.subarray(1, 1 + width)), y: word(point.subarray(1 + width)) }
    : undefined;

/** Bytes of the right shape may still be no key: a point beside its curve, a modulus of nothing. */
const imported = (jwk: JsonWebKey, more: { application?: Buffer } = {}): Public | undefined => {
  try {
    return { key: createPublicKey({ key: jwk, format: 'jwk' }), ...more };
  } catch {
    return undefined;
  }
};
