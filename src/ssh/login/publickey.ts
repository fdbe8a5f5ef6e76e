import type { AnyAuthMethod, Client, ParsedKey, utils } from 'ssh2';

// ssh2 signs with keys of its own making, and puts one name both over the request and over the signature. A certificate has
// two; a security key's signature has more than its bytes; and an agent's keys end in a loop that hears no partial success.
// So each key is handed over as one of ssh2's that signs nothing, and the signature is written into the packet that leaves.

/** A key, with or without its certificate, that can log in. */
export type Signer = {
  /** What the request names: `rsa-sha2-256-cert-v01@openssh.com` (RFC 4252 section 7, RFC 8332). */
  readonly algorithm: string;
  /** The public key or certificate. */
  readonly blob: Buffer;
  /** Whether the host is asked first if it would take the key: when signing costs a person or an agent something. */
  readonly asksFirst: boolean;
  /** The whole signature blob, or undefined when it will not be made; called once. */
  readonly sign: (data: Buffer) => Promise<Buffer | undefined>;
};

/** Offers one key after another over a client that has begun to log in. */
export type Offers = {
  /** How an RSA key is to sign here: as ssh would when the host says what it takes (RFC 8308), else as every host with SHA-2 can. */
  readonly rsa: () => 'rsa-sha2-256' | 'rsa-sha2-512';
  /** What ssh2 is to be told; `unsigned` is called, and nothing was sent, when the signature could not be had. */
  readonly method: (username: string, signer: Signer, unsigned: (error: unknown) => void) => AnyAuthMethod;
};

/** Any public key: what makes ssh2 take an object for a key. */
const SEED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS';

/** Takes over how keys are offered on this client. */
export const takeOverKeys = (client: Client, parseKey: typeof utils.parseKey): Offers => {
  const seed = parseKey(SEED);
  if (seed instanceof Error) throw seed;
  const signers = new WeakMap<object, Pending>();
  let isTaken = false;
  let taken: readonly string[] = [];
  client.once('handshake', () => {
    hearTaken(client, algorithms => {
      taken = algorithms;
    });
  });
  return {
    rsa: () => (taken.includes('rsa-sha2-512') ? 'rsa-sha2-512' : 'rsa-sha2-256'),
    method: (username, signer, unsigned) => {
      if (!isTaken) takeOver(client, signers);
      isTaken = true;
      const { algorithm: type, blob } = signer;
      const own = { type, getPublicSSH: () => blob, isPrivateKey: () => true };
      const key: ParsedKey = Object.assign(Object.create(seed), own);
      signers.set(key, { signer, unsigned, signed: false });
      return { type: 'publickey', username, key };
    },
  };
};

/** Listens for `server-sig-algs`, which the host says once, right behind the key exchange. */
const hearTaken = (client: Client, hear: (algorithms: readonly string[]) => void): void => {
  const handlers = '_protocol' in client ? handlersOf(client._protocol) : undefined;
  if (handlers === undefined || !('EXT_INFO' in handlers) || typeof handlers.EXT_INFO !== 'function') return;
  const heard = handlers.EXT_INFO.bind(handlers);
  const listen = (protocol: unknown, extensions: unknown): void => {
    if (Array.isArray(extensions)) hear(extensions.flatMap(algorithmsIn));
    heard(protocol, extensions);
  };
  Object.assign(handlers, { EXT_INFO: listen });
};

const handlersOf = (protocol: unknown): object | undefined => {
  const found = typeof protocol === 'object' && protocol !== null && '_handlers' in protocol && protocol._handlers;
  return typeof found === 'object' && found !== null ? found : undefined;
};

const algorithmsIn = (extension: unknown): readonly string[] => {
  if (typeof extension !== 'object' || extension === null || !('name' in extension)) return [];
  if (extension.name !== 'server-sig-algs' || !('algs' in extension) || !Array.isArray(extension.algs)) return [];
  return extension.algs.filter(one => typeof one === 'string');
};

type Pending = { readonly signer: Signer; readonly unsigned: (error: unknown) => void; signed: boolean };
type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;
type AuthPK = (username: string, key: object, algorithm: string | undefined, sign?: Sign) => void;
type Writer = { readonly allocStart: number; finalize: (packet: Uint8Array, force?: boolean) => unknown };
type Protocol = { authPK: AuthPK; readonly _packetRW: { readonly write: Writer } };

const takeOver = (client: Client, signers: WeakMap<object, Pending>): void => {
  const protocol = '_protocol' in client ? client._protocol : undefined;
  if (!isProtocol(protocol)) throw new Error('this version of ssh2 offers keys in another way');
  const authPK = protocol.authPK.bind(protocol);
  protocol.authPK = (username, key, _algorithm, sign) => {
    const pending = signers.get(key);
    if (pending === undefined) throw new Error('a key was offered that nobody gave');
    const { signer } = pending;
    if (sign === undefined && signer.asksFirst) return authPK(username, key, signer.algorithm);
    // A host may say more than once that it would take the key.
    if (pending.signed) return;
    pending.signed = true;
    authPK(username, key, signer.algorithm, (data, done) => {
      const sent = signer.sign(data).then(signature => {
        if (signature === undefined) pending.unsigned(undefined);
        else send(protocol._packetRW.write, { data, signature, signer, done });
      });
      sent.catch(pending.unsigned);
    });
  };
};

const isProtocol = (value: unknown): value is Protocol =>
  typeof value === 'object' &&
  value !== null &&
  'authPK' in value &&
  typeof value.authPK === 'function' &&
  '_packetRW' in value &&
  typeof value._packetRW === 'object' &&
  value._packetRW !== null &&
  'write' in value._packetRW &&
  isWriter(value._packetRW.write);

const isWriter = (value: unknown): value is Writer =>
  typeof value === 'object' &&
  value !== null &&
  'allocStart' in value &&
  typeof value.allocStart === 'number' &&
  'finalize' in value &&
  typeof value.finalize === 'function';

type Packet = {
  readonly data: Buffer;
  readonly signature: Buffer;
  readonly signer: Signer;
  readonly done: (signature: Buffer) => void;
};

/** ssh2 builds the packet around a signature of zeros, under the wrong name, of the same length in all: the right one is put over both. */
const send = (write: Writer, { data, signature, signer, done }: Packet): void => {
  const finalize = write.finalize.bind(write);
  // What is signed is the session's number behind its length, then the request itself (RFC 4252 section 7).
  const request = data.length - 4 - data.readUInt32BE();
  const start = write.allocStart + request + 4;
  write.finalize = (packet, force) => {
    packet.set(signature, start);
    return finalize(packet, force);
  };
  try {
    done(Buffer.alloc(signature.length - 4 - signer.algorithm.length - 4));
  } finally {
    Reflect.deleteProperty(write, 'finalize');
  }
};
