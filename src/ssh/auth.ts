import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, BaseAgent, createAgent, utils } from 'ssh2';
import { Failure } from '../errors.ts';
import type { Host, Login } from './host.ts';
import { loadKey } from './key-file.ts';

/** What is needed of ssh2, which is loaded only when something is dialled. */
type Tools = { readonly parseKey: typeof utils.parseKey; readonly createAgent: typeof createAgent };

/** One login, in the order of the configuration, each way at most once; `none` is never tried. */
export type Attempt = {
  /** ssh2's hook: told what the host still accepts, it hands over the next way. */
  readonly handler: AuthHandlerMiddleware;
  /** Resolves when no way is left. */
  readonly exhausted: Promise<Failure>;
  /** The failure that says what was tried and what became of it. */
  readonly failure: (why?: string) => Failure;
};

type Method = Exclude<AuthenticationType, 'none' | 'agent' | 'hostbased'>;
type Way = { readonly login: Login; readonly method: Method; readonly name: string };

/** One thing in two voices: clients hear of kinds and ordinals, the operator of paths and causes. */
type Note = { readonly client: string; readonly operator: string };

/** Prepares a login; its failure's `details.tried` is empty when the host was never asked. */
export const attemptLogin = (host: Host, tools: Tools): Attempt => {
  const ways = host.auth.flatMap((login, at) => waysOf(login, nameOf(host.auth, at)));
  const notes: Note[] = [];
  const tried: Way[] = [];
  let accepts: readonly string[] = [];
  const failure = (why?: string, operator = why): Failure => {
    const more = why === undefined ? [] : [{ client: why, operator: operator ?? why }];
    return failed(host, tried, [...notes, ...more], accepts);
  };
  const offerNext = async (accepted: readonly string[] | null): Promise<AnyAuthMethod | undefined> => {
    accepts = (accepted ?? []).filter(method => METHODS.includes(method));
    for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
      if (!isWorthTrying(way, accepted, tried)) continue;
      const offered = await prepare(host, way, tools).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        notes.push({ client: `${way.name}: ${error.message}`, operator: error.operator ?? error.message });
      });
      if (offered === undefined) continue;
      tried.push(way);
      return offered;
    }
    return undefined;
  };
  let exhaust: (failure: Failure) => void = () => {};
  const exhausted = new Promise<Failure>(resolve => {
    exhaust = resolve;
  });
  const handler = (accepted: readonly AuthenticationType[] | null, _partial: boolean, next: Next): void => {
    offerNext(accepted).then(
      method => (method === undefined ? exhaust(failure()) : next(method)),
      (error: unknown) => exhaust(failure('The login could not go on.', String(error))),
    );
  };
  return { handler, exhausted, failure };
};

/** The methods that a message may name: what a host calls its own is not repeated. */
const METHODS: readonly string[] = ['publickey', 'password', 'keyboard-interactive', 'hostbased', 'gssapi-with-mic'];

type Next = (method: AnyAuthMethod) => void;

/** A password is also the answer to a host that asks for it by keyboard-interactive (RFC 4256). */
const waysOf = (login: Login, name: string): readonly Way[] =>
  login.kind === 'password'
    ? [
        { login, name, method: 'password' },
        { login, name: name.replace('password', 'keyboard-interactive'), method: 'keyboard-interactive' },
      ]
    : [{ login, name, method: 'publickey' }];

/** The kind of a login, and which of its kind it is when there are more. */
const nameOf = (logins: readonly Login[], at: number): string => {
  const kind = logins[at]?.kind ?? '';
  const count = (some: readonly Login[]): number => some.filter(login => login.kind === kind).length;
  return count(logins) === 1 ? kind : `${kind} ${count(logins.slice(0, at + 1))} of ${count(logins)}`;
};

const operatorName = ({ login, name }: Way): string => (login.kind === 'key' ? `key ${login.path}` : name);

/** Once the host said what it accepts, nothing else is sent: each refusal counts against this address. */
const isWorthTrying = ({ method }: Way, accepted: readonly string[] | null, tried: readonly Way[]): boolean => {
  if (method !== 'keyboard-interactive') return accepted === null || accepted.includes(method);
  const refused = accepted?.includes('password') === true && tried.some(way => way.method === 'password');
  return accepted?.includes(method) === true && !refused;
};

const prepare = async (host: Host, { login, method }: Way, tools: Tools): Promise<AnyAuthMethod> => {
  const username = host.user;
  if (login.kind === 'key') return { type: 'publickey', username, key: await loadKey(login, tools.parseKey) };
  if (login.kind === 'agent') return { type: 'agent', username, agent: await reachAgent(login.socket, tools) };
  if (login.kind === 'interactive') throw new Failure('AUTH_FAILED', 'Answers to questions cannot be given yet.');
  const password = await login.password.reveal();
  if (method === 'password') return { type: 'password', username, password };
  const answers = [password];
  return {
    type: 'keyboard-interactive',
    username,
    // One hidden question is the password's, once; anything else is not for us to answer.
    prompt: (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.length === 1 && prompts[0]?.echo !== true ? answers.splice(0) : []),
  };
};

/** The agent, when it answers and holds a key that can be used: asking it first keeps its failures apart from the host's. */
const reachAgent = async (socket: string, tools: Tools): Promise<BaseAgent> => {
  if (socket === '') throw new Failure('AUTH_FAILED', NO_SOCKET);
  const agent = tools.createAgent(socket);
  const keys = await new Promise<number>((resolve, reject) => {
    agent.getIdentities((error, found) => {
      if (error) reject(unusable(socket, 'it cannot be reached'));
      else resolve(found?.length ?? 0);
    });
  });
  if (keys > 0) return agent;
  throw unusable(socket, 'it holds no key that can be used here (certificates and security keys cannot)');
};

const NO_SOCKET =
  "SSH_AUTH_SOCK is not set for this process: put it into the client's registration, or configure a key.";

const unusable = (socket: string, why: string): Failure =>
  new Failure('AUTH_FAILED', `It cannot be used: ${why}.`, {
    operator: `The agent at ${socket} cannot be used: ${why}.`,
  });

const failed = (host: Host, tried: readonly Way[], notes: readonly Note[], accepts: readonly string[]): Failure => {
  const who = `${host.user} on ${host.name} (${host.address}:${host.port})`;
  const say = (names: readonly string[], why: readonly string[]): string => {
    const what = names.length === 0 ? 'nothing could be tried' : `the host refused ${names.join(', then ')}`;
    const rest = accepts.length === 0 ? '' : ` The host accepts: ${accepts.join(', ')}.`;
    return `Logging in as ${who} failed: ${what}.${why.map(note => ` ${note}`).join('')}${rest}`;
  };
  const names = tried.map(({ name }) => name);
  const why = notes.map(({ client }) => client);
  const operator = notes.map(note => note.operator);
  return new Failure('AUTH_FAILED', say(names, why), {
    details: { host: host.name, tried: names, notes: why, accepts },
    operator: say(tried.map(operatorName), operator),
    next: `Run sallyport hosts test ${host.name} and correct the login in config.json.`,
  });
};
