import type { Login } from '../../ssh/host.ts';
import { readPlainFile } from '../../ssh/login/plain-file.ts';
import { readCertificateFile, readPublicFile } from '../../ssh/login/public-file.ts';
import type { Answer } from './answer.ts';
import type { Person } from './person.ts';
import { expandPath, type Tokens } from './tokens.ts';

/** The logins that ssh would try, the files that were looked at for them, and what is to be said about those. */
export type Logins = {
  readonly auth: readonly [Login, ...Login[]];
  readonly looked: readonly string[];
  readonly remarks: readonly string[];
};

/** The agent first, then the key files that are there and open without a passphrase, in the order of ssh. */
export const loginsOf = async (answer: Answer, tokens: Tokens, { env }: Person): Promise<Logins> => {
  const files = (keyword: string): readonly string[] => [
    ...new Set(answer.all(keyword).flatMap(text => (text === 'none' ? [] : (expandPath(text, tokens) ?? [])))),
  ];
  const identities = files('identityfile');
  const certificates = files('certificatefile');
  const looks = await Promise.all(identities.map(async path => ({ path, ...(await lookAt(path)) })));
  const socket = socketOf(answer.all('identityagent')[0], env, tokens);
  const only = looks.filter(({ hasPublic }) => hasPublic).map(({ path }) => path);
  const isLimited = answer.get('identitiesonly') === 'yes';
  const agent = agentOf(socket, isLimited ? only : undefined);
  const keys = looks.filter(({ state }) => state === 'open').map(({ path }) => path);
  const logins = [...agent, ...(await Promise.all(keys.map(async path => await keyOf(path, certificates))))];
  // Where there is nothing to log in with, the refusal says so.
  const nothing: Login = { kind: 'agent', socket: socket ?? '', ...(isLimited ? { only: identities } : {}) };
  const [first = nothing, ...rest] = logins;
  return {
    auth: [first, ...rest],
    looked: [...identities, ...identities.map(path => `${path}.pub`), ...certificates],
    remarks: looks.filter(({ state }) => state === 'locked').map(({ path }) => `IdentityFile ${path} ${LOCKED}`),
  };
};

const LOCKED =
  'has a passphrase: it is used by way of an agent alone; with a login of config.json, its passphrase can be had by reference';

/** `SSH_AUTH_SOCK` is what is asked unless said otherwise, and `$NAME` the path that a variable holds. */
const socketOf = (said: string | undefined, env: Person['env'], tokens: Tokens): string | undefined => {
  if (said === undefined || said === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK;
  if (said === 'none') return undefined;
  return said.startsWith('$') ? env[said.slice(1)] : expandPath(said, tokens);
};

const agentOf = (socket: string | undefined, only: readonly string[] | undefined): readonly Login[] => {
  if (socket === undefined || socket === '') return [];
  if (only === undefined) return [{ kind: 'agent', socket }];
  return only.length === 0 ? [] : [{ kind: 'agent', socket, only }];
};

/** A certificate of that very key; the one that lies beside it is found by whoever logs in. */
const keyOf = async (path: string, certificates: readonly string[]): Promise<Login> => {
  if (certificates.length === 0) return { kind: 'key', path };
  const own = await readPublicFile(path);
  const found = await Promise.all(
    certificates.map(async file => {
      const certificate = await readCertificateFile(file);
      return own !== undefined && certificate?.certified.blob.equals(own.blob) === true ? file : undefined;
    }),
  );
  const certificate = found.find(file => file !== undefined);
  return certificate === undefined ? { kind: 'key', path } : { kind: 'key', path, certificate };
};

type Look = { readonly state: 'absent' | 'open' | 'locked' | 'public'; readonly hasPublic: boolean };

const lookAt = async (path: string): Promise<Look> => {
  const [file, beside] = await Promise.all([readPlainFile(path), readPublicFile(path)]);
  const hasPublic = beside !== undefined;
  if ('why' in file) return { state: 'absent', hasPublic };
  const text = file.bytes.toString('latin1');
  if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return { state: 'public', hasPublic };
  return { state: isLocked(text) ? 'locked' : 'open', hasPublic };
};

const MAGIC = 'openssh-key-v1\0';

/** The name of the cipher stands right after the magic (PROTOCOL.key); PEM says it in words. */
const isLocked = (text: string): boolean => {
  const [, base64] = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)/.exec(text) ?? [];
  if (base64 === undefined) return /ENCRYPTED/.test(text);
  const body = Buffer.from(base64, 'base64').toString('latin1');
  return body.startsWith(MAGIC) && body.slice(MAGIC.length + 4, MAGIC.length + 8) !== 'none';
};
