import { createHash } from 'node:crypto';
import type { Log } from '../call.ts';
import type { ApprovalsConfig } from '../config/approvals.ts';
import { readTrustedBytes } from '../config/trusted-file.ts';
import type { Approvers, Signer } from '../gate/voices.ts';
import { keygenProgram } from './keygen-program.ts';
import { type KeygenPlace, runKeygen } from './ssh-keygen.ts';

/** What a signature is good for: one made for anything else, a commit or a file, is no approval. */
export const NAMESPACE = 'approval@sallyport';

/** The bytes of both files. */
export type Lists = { readonly allowed: Buffer; readonly revoked: Buffer | undefined };
type Files = Pick<ApprovalsConfig, 'allowedSigners' | 'revokedKeys'>;

/**
 * Those who may approve, as the files list them now: they are remembered as they are, and once a file says something else no
 * signature counts until the server is started again. Undefined, and said in the log, where no list can be trusted.
 */
export const approversFrom = (files: Files, place: KeygenPlace, log: Log): Approvers | undefined => {
  if (files.allowedSigners === undefined) return undefined;
  const lists = keygenProgram(place) === undefined ? NO_PROGRAM : readLists(files, place);
  if (typeof lists === 'string') {
    log('error', 'no operator can approve anything', { cause: lists });
    return undefined;
  }
  const known = digestOf(lists);
  const verify: Approvers['verify'] = async (text, { signature }) => {
    const now = readLists(files, place);
    if (typeof now === 'string') return now;
    if (digestOf(now) !== known)
      return 'The list of approvers has changed since this server was started: start it again if that is meant.';
    return await verifyWith(lists, place, { text, signature });
  };
  return { verify };
};

/** What stands in the way where no word about a signature can be believed. */
export const NO_PROGRAM = 'No folder of PATH has an ssh-keygen that this account could not have put there.';

/** Both lists, or why they cannot be trusted, as a sentence. */
export const readLists = (
  { allowedSigners = '', revokedKeys }: Files,
  { uid }: Pick<KeygenPlace, 'uid'>,
): Lists | string => {
  try {
    const allowed = readTrustedBytes(allowedSigners, uid);
    if (allowed === undefined) return `${allowedSigners} does not exist.`;
    const revoked = revokedKeys === undefined ? undefined : readTrustedBytes(revokedKeys, uid);
    if (revokedKeys !== undefined && revoked === undefined) return `${revokedKeys} does not exist.`;
    return { allowed: allowed.bytes, revoked: revoked?.bytes };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const digestOf = ({ allowed, revoked }: Lists): string =>
  [allowed, revoked ?? Buffer.from('none')].map(bytes => createHash('sha256').update(bytes).digest('hex')).join(' ');

type Signed = { readonly text: string; readonly signature: string };

/** Who signed, by ssh-keygen's word: namespace, validity, revocation and the signature itself; or why it is no approval. */
export const verifyWith = async (lists: Lists, place: KeygenPlace, signed: Signed): Promise<Signer | string> => {
  const program = keygenProgram(place);
  if (program === undefined) return NO_PROGRAM;
  const principal = await principalOf(lists, { ...place, program }, signed);
  if ('why' in principal) return principal.why;
  const { name } = principal;
  const verified = await runKeygen(place, {
    program,
    args: ([list = '', made = '', gone]) => [
      ...['-Y', 'verify', '-f', list, '-I', name, '-n', NAMESPACE, '-s', made],
      ...(gone === undefined ? [] : ['-r', gone]),
    ],
    files: filesOf(lists, signed),
    input: signed.text,
  });
  const [, key] = GOOD.exec(verified.stdout) ?? [];
  if (verified.code !== 0 || key === undefined) return `The signature does not verify: ${reasonOf(verified.stderr)}.`;
  return { principal: name, key };
};

const GOOD = /^Good "[^"]*" signature for .* with \S+ key (SHA256:[A-Za-z0-9+/]{43})$/m;

const filesOf = ({ allowed, revoked }: Lists, { signature }: Signed): readonly (string | Buffer)[] => [
  allowed,
  signature,
  ...(revoked === undefined ? [] : [revoked]),
];

/** The one plain name under which the key is listed: a pattern or two names would let one person be two. */
const principalOf = async (
  lists: Lists,
  { program, ...place }: KeygenPlace & { readonly program: string },
  signed: Signed,
): Promise<{ readonly name: string } | { readonly why: string }> => {
  if (isCertificate(signed.signature))
    return { why: 'A signature by a certificate is not accepted: list the key itself.' };
  const found = await runKeygen(place, {
    program,
    args: ([list = '', made = '']) => ['-Y', 'find-principals', '-f', list, '-s', made],
    files: filesOf(lists, signed),
    input: signed.text,
  });
  const [name, ...more] = found.stdout.split('\n').filter(Boolean);
  if (found.code !== 0 || name === undefined) return { why: 'The key that signed is not listed, or not at this time.' };
  if (more.length === 0 && isName(name)) return { name };
  return {
    why: 'The key that signed is listed under several names or a pattern: give each approver one plain name.',
  };
};

/** No pattern, no list, nothing that could be taken for an option or another line. */
const isName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(text);

/** PROTOCOL.sshsig: the public key stands in the signature, and begins with the name of its type. */
const isCertificate = (signature: string): boolean =>
  Buffer.from(signature.replace(/-----[^-]*-----|\s/g, ''), 'base64')
    .subarray(0, 128)
    .includes('-cert-v');

const reasonOf = (stderr: string): string =>
  stderr
    .split('\n')
    .find(line => line !== '' && !line.startsWith('Signing'))
    ?.replace(/\.$/, '')
    .slice(0, 200) ?? 'the text, the namespace or the time is another';

/** Signs a text with the key of a file, or of an agent; prompts are the person's to answer. The armoured signature, or why there is none. */
export const sign = async (
  place: KeygenPlace,
  key: string,
  { text, attended }: { readonly text: string; readonly attended: boolean },
): Promise<{ readonly signature: string } | { readonly why: string }> => {
  const ran = await runKeygen(place, { args: () => ['-Y', 'sign', '-f', key, '-n', NAMESPACE], input: text, attended });
  if (ran.code === 0 && ran.stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) return { signature: ran.stdout };
  return { why: ran.stderr === '' ? 'ssh-keygen made no signature' : reasonOf(ran.stderr) };
};
