import type { AnyAuthMethod, AuthenticationType, utils } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Host, Login } from '../host.ts';
import { type Answering, answerByWords, answerOnce } from './answers.ts';
import type { Offers, Signer } from './publickey.ts';
import { agentSigners, keySigners } from './signers.ts';

/** A method of SSH that logs in (RFC 4252); an agent's keys are public keys like others. */
export type Method = Exclude<AuthenticationType, 'none' | 'agent' | 'hostbased'>;

/** One thing in two voices: clients hear of kinds and ordinals, the operator of paths and causes. */
export type Note = { readonly client: string; readonly operator: string };

/** What the ways to log in need: a client that has begun, what hears their notes, and what ends their questions. */
export type Means = {
  readonly keys: Offers;
  readonly parseKey: typeof utils.parseKey;
  readonly wallMs: () => number;
  readonly note: (way: Way, error: unknown) => void;
  readonly signal: AbortSignal;
};

/** One thing that a host is shown. */
export type Offer = {
  /** Of two offers with the same, one is enough. */
  readonly id: string;
  /** For the operator. */
  readonly operator: string;
  /** What ssh2 is told; `unsent` is called when nothing can be sent after all. */
  readonly begin: (unsent: (error: unknown) => void) => Promise<AnyAuthMethod>;
};

/** A login by one method of SSH. */
export type Way = { readonly login: Login; readonly method: Method; readonly name: string };

/** The ways of a host in the order of its logins. A password is also the answer to a host that asks for it by keyboard-interactive. */
export const waysOf = ({ auth }: Host): readonly Way[] =>
  auth.flatMap((login, at): readonly Way[] => {
    const name = nameOf(auth, at);
    if (login.kind === 'interactive') return [{ login, name, method: 'keyboard-interactive' }];
    if (login.kind !== 'password') return [{ login, name, method: 'publickey' }];
    const asked = name.replace('password', 'keyboard-interactive');
    return [
      { login, name, method: 'password' },
      { login, name: asked, method: 'keyboard-interactive' },
    ];
  });

/** The kind of a login, and which of its kind it is when there are more. */
const nameOf = (logins: readonly Login[], at: number): string => {
  const kind = logins[at]?.kind ?? '';
  const count = (some: readonly Login[]): number => some.filter(login => login.kind === kind).length;
  return count(logins) === 1 ? kind : `${kind} ${count(logins.slice(0, at + 1))} of ${count(logins)}`;
};

/** What a way has to show; `most` is how many keys of an agent the host can be expected to look at. */
export const offersOf = async (host: Host, way: Way, most: number, means: Means): Promise<readonly Offer[]> => {
  const { login, name, method } = way;
  const say = (words: string): void => means.note(way, new Failure('AUTH_FAILED', words));
  const keys = (signers: readonly Named[]): readonly Offer[] => signers.map(signer => keyOffer(host, signer, means));
  if (login.kind === 'key') return keys(await keySigners(login, means, say));
  if (login.kind === 'agent') return keys(await agentSigners(login, most, means, say));
  const offer = { id: name, operator: name };
  if (login.kind === 'interactive') {
    const answering = answerByWords(login.answers, question => means.note(way, unanswered(question)));
    return [{ ...offer, begin: async () => interactive(host, way, answering, means) }];
  }
  const begin = async (): Promise<AnyAuthMethod> => {
    const password = await login.password.reveal();
    if (method === 'password') return { type: 'password', username: host.user, password };
    return interactive(host, way, answerOnce(password), means);
  };
  return [{ ...offer, begin }];
};

type Named = { readonly signer: Signer; readonly fingerprint: string; readonly operator: string };

const keyOffer = (host: Host, { signer, fingerprint, operator }: Named, { keys }: Means): Offer => ({
  id: fingerprint,
  operator,
  begin: async unsent => keys.method(host.user, signer, unsent),
});

const interactive = (host: Host, way: Way, answering: Answering, { note, signal }: Means): AnyAuthMethod => ({
  type: 'keyboard-interactive',
  username: host.user,
  prompt: (_name, _instructions, _language, questions, answer) => {
    const answered = answering(questions).catch((error: unknown) => {
      note(way, error);
      return [];
    });
    void answered.then(answers => {
      if (!signal.aborted) answer([...answers]);
    });
  },
});

const unanswered = (question: string): Failure => {
  const words = 'The host asked something that no answer is configured for.';
  const shown = question
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 120);
  return new Failure('AUTH_FAILED', words, { operator: `${words.slice(0, -1)}: ${JSON.stringify(shown)}.` });
};
