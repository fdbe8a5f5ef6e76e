import { matchRun } from '../../policy/synopsis/path.ts';
import { address as addressSchema, port as portSchema, user as userSchema } from '../host-schema.ts';
import type { Answer } from './answer.ts';
import { readJumps } from './jumps.ts';
import { type Logins, loginsOf } from './logins.ts';
import type { Person } from './person.ts';
import type { Hop, SshHost } from './ssh-host.ts';
import { expandTokens, type Tokens } from './tokens.ts';
import { unheededOf } from './unheeded.ts';

/** What ssh's words mean: whose they are, what ssh says without any file, and the file that was read in place of the usual ones. */
export type Meaning = {
  readonly person: Person;
  readonly usual: Answer;
  readonly stated: ReadonlySet<string>;
  readonly file: string | undefined;
};

/** A host as ssh says it, with the files that were looked at; or why it is not to be used. */
export type Meant = { readonly host: SshHost; readonly looked: readonly string[] } | { readonly why: string };

/** What an answer of `ssh -G` means for whoever connects. */
export const hostOf = async (hop: Hop, answer: Answer, meaning: Meaning): Promise<Meant> => {
  const address = addressSchema.safeParse(answer.get('hostname'));
  const port = portSchema.safeParse(Number(answer.get('port')));
  const user = userSchema.safeParse(answer.get('user'));
  if (!address.success) return { why: 'its HostName is no DNS name and no IP address' };
  if (!port.success || !user.success) return { why: 'its User or its Port is none' };
  const { name } = hop;
  const account = { name, address: address.data, port: port.data, user: user.data };
  const tokens = tokensOf(account, answer, meaning.person);
  const written = answer.get('proxyjump');
  const jumps = readJumps(written === undefined ? undefined : (expandTokens(written, tokens) ?? ''));
  if (jumps === undefined) return { why: 'its ProxyJump is no host' };
  const logins = await loginsOf(answer, tokens, meaning.person);
  const isAsked = hop.user === undefined && hop.port === undefined;
  return {
    host: {
      ...account,
      auth: logins.auth,
      ...{ hostKeys: [], tags: [], jumps },
      ...(isAsked ? { alias: name } : {}),
      ...(isAsked && meaning.file !== undefined ? { aliasFile: meaning.file } : {}),
      ...trustOf(answer, meaning.usual),
      ...lineOf(answer, meaning.person.env),
      ...saidOf(answer, logins, meaning),
    },
    looked: logins.looked,
  };
};

const tokensOf = (
  { name, address, port, user }: Pick<SshHost, 'name' | 'address' | 'port' | 'user'>,
  answer: Answer,
  person: Person,
): Tokens => ({
  home: person.home,
  localUser: person.user,
  localHost: person.machine,
  uid: person.uid,
  asked: name,
  ...{ address, port, user },
  keyAlias: answer.get('hostkeyalias'),
  jump: answer.get('proxyjump') ?? '',
});

/** Which keys are believed; ssh's defaults are left to config.json. */
const trustOf = (answer: Answer, usual: Answer): Partial<SshHost> => {
  const isUsual = (keyword: string): boolean => answer.get(keyword) === usual.get(keyword);
  const keyAlias = answer.get('hostkeyalias');
  const algorithms = answer.get('hostkeyalgorithms');
  const areUsual = isUsual('userknownhostsfile') && isUsual('globalknownhostsfile');
  const files = ['userknownhostsfile', 'globalknownhostsfile'].flatMap(keyword => pathsIn(answer.get(keyword)));
  return {
    ...(keyAlias === undefined ? {} : { keyAlias }),
    ...(isUsual('hostkeyalgorithms') || algorithms === undefined ? {} : { keyAlgorithms: algorithms.split(',') }),
    ...(areUsual ? {} : { knownHosts: files }),
  };
};

/** ssh prints paths with blanks between them and none escaped: a part that does not begin like a path belongs to the one before. */
const pathsIn = (text = ''): readonly string[] =>
  text.split(/ (?=\/)/).filter(path => path.startsWith('/') && path !== '/dev/null');

const MOST_SECONDS = 600;

const lineOf = (answer: Answer, env: Person['env']): Partial<SshHost> => {
  const timeout = Math.min(Number(answer.get('connecttimeout') ?? 0), MOST_SECONDS);
  const alive = Number(answer.get('serveraliveinterval') ?? 0);
  const variables = variablesOf(answer, env);
  return {
    ...(timeout > 0 ? { connectTimeoutMs: timeout * 1_000 } : {}),
    ...(alive > 0 ? { aliveMs: alive * 1_000 } : {}),
    ...(Object.keys(variables).length > 0 ? { env: variables } : {}),
  };
};

/** SendEnv by its patterns, then SetEnv, which ssh sends last. */
const variablesOf = (answer: Answer, env: Person['env']): Record<string, string> => {
  const patterns = answer.all('sendenv').map(text => text.replace(/[^A-Za-z0-9_*?]/g, ''));
  const sent = Object.entries(env).filter(([name]) => patterns.some(pattern => matchRun(pattern, name)));
  const set = answer.all('setenv').map(text => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  const named = [...sent, ...set].flatMap(([name = '', value]) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  return Object.fromEntries(named);
};

const saidOf = (answer: Answer, { remarks }: Logins, { usual, stated }: Meaning): Partial<SshHost> => {
  const { byOpenssh, never, unreachable } = unheededOf(answer, usual, stated);
  return {
    unheeded: [...never, ...remarks],
    ...(byOpenssh.length === 0 ? {} : { byOpenssh }),
    ...(unreachable === undefined ? {} : { unreachable }),
  };
};
