import { Failure } from '../../errors.ts';
import type { Login } from '../host.ts';
import { type Certificate, certifiedType, outOfTime, readCertificate } from '../trust/certificate.ts';
import { fingerprintOf, readHostKey } from '../trust/host-key.ts';
import { signBy } from '../trust/signature.ts';
import { type Agent, agentAt, type Identity, RSA_SHA2 } from './agent.ts';
import { loadKey } from './key-file.ts';
import { type PublicKey, readCertificateFile, readPublicFile } from './public-file.ts';
import type { Signer } from './publickey.ts';
import type { Means } from './ways.ts';

/** A signer, and what it is called: one fingerprint for each key and for each certificate. */
export type NamedSigner = { readonly signer: Signer; readonly fingerprint: string; readonly operator: string };

type KeyLogin = Extract<Login, { kind: 'key' }>;
type AgentLogin = Extract<Login, { kind: 'agent' }>;
type Say = (words: string) => void;

/** A key file with its certificate, when it has one, and then without; as ssh does, a certificate lies in `-cert.pub` unless named. */
export const keySigners = async (login: KeyLogin, means: Means, say: Say): Promise<readonly NamedSigner[]> => {
  const { key, blob } = await loadKey(login, means.parseKey);
  const certificate = await certificateOf(login, blob, means.wallMs(), say);
  const signer = (type: string, shown: Buffer): Signer => {
    const { algorithm, signature } = algorithmsOf(type, means);
    return { algorithm, blob: shown, asksFirst: false, sign: async data => signBy(key, signature, data) };
  };
  const type = typeOf(blob);
  const plain = { signer: signer(type, blob), fingerprint: fingerprintOf(blob), operator: `key ${login.path}` };
  if (certificate === undefined) return [plain];
  const { blob: whole } = certificate;
  const operator = `key ${login.path} with its certificate`;
  return [{ signer: signer(certificate.type, whole), fingerprint: fingerprintOf(whole), operator }, plain];
};

/** The certificate beside a key; one that cannot be used is named, and the key stands alone. */
const certificateOf = async (
  { path, certificate: named }: KeyLogin,
  blob: Buffer,
  wallMs: number,
  say: Say,
): Promise<Certificate | undefined> => {
  const certificate = await readCertificateFile(named ?? `${path}-cert.pub`);
  if (certificate === undefined) {
    if (named !== undefined) say('Its certificate cannot be used: there is none in the file.');
    return undefined;
  }
  const why = certificate.certified.blob.equals(blob) ? userProblem(certificate, wallMs) : 'it is that of another key';
  if (why !== undefined) say(`Its certificate cannot be used: ${why}.`);
  return why === undefined ? certificate : undefined;
};

const userProblem = (certificate: Certificate, wallMs: number): string | undefined =>
  certificate.kind === 'user' ? outOfTime(certificate, wallMs) : 'it is a certificate of a host';

/** What a type is called in a request and over a signature: RSA alone has names of its own. */
const algorithmsOf = (type: string, { keys }: Means): { readonly algorithm: string; readonly signature: string } => {
  const plain = certifiedType(type) ?? type;
  if (plain !== 'ssh-rsa') return { algorithm: type, signature: plain };
  const signature = keys.rsa();
  return { signature, algorithm: type === plain ? signature : `${signature}-cert-v01@openssh.com` };
};

const typeOf = (blob: Buffer): string => readHostKey(blob)?.type ?? readCertificate(blob)?.type ?? '';

/**
 * What an agent has to show: of the files in `only`, in their order, a certificate before its key; without such a list
 * all that it holds, in its own order, and no more than `most`.
 */
export const agentSigners = async (
  login: AgentLogin,
  most: number,
  means: Means,
  say: Say,
): Promise<readonly NamedSigner[]> => {
  if (login.socket === '') throw new Failure('AUTH_FAILED', NO_SOCKET);
  const agent = agentAt(login.socket, means.signal);
  const held = await agent.identities().catch(() => {
    throw unusable(login.socket, 'it cannot be reached');
  });
  const keys = held.map(identity => ({ ...identity, held: identity.blob })).filter(({ blob }) => typeOf(blob) !== '');
  const wanted = login.only === undefined ? keys : await chosen(keys, login.only);
  if (keys.length === 0) throw unusable(login.socket, 'it holds no key that can be used here');
  if (wanted.length === 0) throw unusable(login.socket, 'it holds none of the keys that it may be asked for');
  const shown = login.only === undefined ? wanted.slice(0, most) : wanted;
  if (shown.length < wanted.length) say(tooMany(wanted.length, shown.length));
  return shown.map(key => agentSigner(agent, key, shown.length > 1, means));
};

const NO_SOCKET =
  "SSH_AUTH_SOCK is not set for this process: put it into the client's registration, or configure a key.";

const unusable = (socket: string, why: string): Failure =>
  new Failure('AUTH_FAILED', `It cannot be used: ${why}.`, {
    operator: `The agent at ${socket} cannot be used: ${why}.`,
  });

const tooMany = (all: number, shown: number): string =>
  `It holds ${all} keys, and only ${shown} of them may be offered before hosts break off (MaxAuthTries): ` +
  'name the right ones by their public files, in "only".';

/** `held` is what the agent knows the key by, and `blob` what the host is shown. */
type Held = Identity & { readonly held: Buffer };

const chosen = async (keys: readonly Held[], files: readonly string[]): Promise<readonly Held[]> => {
  const found: Held[] = [];
  for (const file of files) {
    const wanted = await readPublicFile(file);
    if (wanted !== undefined) found.push(...matching(keys, wanted).filter(key => !found.some(isSame(key))));
  }
  return found;
};

const isSame =
  (key: Held) =>
  (other: Held): boolean =>
    other.blob.equals(key.blob);

/** A certificate in a file works with an agent that holds no more than its key. */
const matching = (keys: readonly Held[], { blob, certificate }: PublicKey): readonly Held[] => {
  const same = keys.filter(key => key.blob.equals(blob));
  if (certificate !== undefined && same.length === 0) {
    const bare = keys.filter(key => key.blob.equals(certificate.certified.blob));
    return bare.map(key => ({ ...key, blob }));
  }
  const certified = keys.filter(key => readCertificate(key.blob)?.certified.blob.equals(blob) === true);
  return [...certified, ...same];
};

const agentSigner = (agent: Agent, { blob, held, comment }: Held, oneOfMany: boolean, means: Means): NamedSigner => {
  const type = typeOf(blob);
  const { algorithm, signature } = algorithmsOf(type, means);
  const fingerprint = fingerprintOf(blob);
  const sign = async (data: Buffer): Promise<Buffer | undefined> =>
    await agent.sign(held, data, RSA_SHA2[signature] ?? 0);
  // A security key is touched only for a host that takes it.
  const signer = { algorithm, blob, sign, asksFirst: oneOfMany || type.startsWith('sk-') };
  const shown = comment.replace(/[^\x20-\x7e]+/g, '?').slice(0, 80);
  return { signer, fingerprint, operator: `agent key ${type} ${fingerprint} (${shown})` };
};
