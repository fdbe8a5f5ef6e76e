import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, Client, utils } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import { type Book, inOrder } from './login-order.ts';
import { takeOverKeys } from './publickey.ts';
import type { Means, Note, Way } from './ways.ts';

/** What a login needs: ssh2, which is loaded only when something is dialled, its client, and the time for certificates. */
type Tools = {
  readonly client: Client;
  readonly parseKey: typeof utils.parseKey;
  readonly clock: { readonly wallMs: () => number };
};

/** One login, in the order of the configuration, each offer at most once between two successes; `none` is never tried. */
export type Attempt = {
  /** ssh2's hook: told what the host still accepts, it hands over the next offer. */
  readonly handler: AuthHandlerMiddleware;
  /** Resolves when nothing is left to offer. */
  readonly exhausted: Promise<Failure>;
  /** The failure that says what was tried and what became of it. */
  readonly failure: (why?: string) => Failure;
  /** The ways that the host took, once it let us in: kinds and ordinals. */
  readonly took: () => readonly string[];
};

/** Prepares a login; its failure's `details.tried` is empty when the host was never asked. */
export const attemptLogin = (host: Host, { client, parseKey, clock }: Tools): Attempt => {
  const book: Book = { tried: [], notes: [], passed: [], accepts: [] };
  const ended = new AbortController();
  client.once('close', () => ended.abort());
  const means: Means = {
    keys: takeOverKeys(client, parseKey),
    parseKey,
    wallMs: clock.wallMs,
    note: (way, error) => book.notes.push(noteOf(way, error)),
    signal: ended.signal,
  };
  const sequence = inOrder(host, means, book);
  let exhaust: (failure: Failure) => void = () => {};
  const exhausted = new Promise<Failure>(resolve => {
    exhaust = resolve;
  });
  const failure = (why?: string): Failure =>
    failed(host, why === undefined ? book : { ...book, notes: [...book.notes, { client: why, operator: why }] });
  const handler: Handler = (accepted, partial, next) => {
    const proceed = (): void => {
      if (ended.signal.aborted) return;
      const unsent = (error: unknown): void => {
        sequence.takeBack(error);
        proceed();
      };
      const offered = sequence.next(unsent).then(method => {
        // What was fetched for a connection that has ended meanwhile goes nowhere.
        if (ended.signal.aborted) return;
        if (method === undefined) exhaust(failure());
        else next(method);
      });
      offered.catch(() => exhaust(failure('The login could not go on.')));
    };
    sequence.hear(accepted, partial === true);
    proceed();
  };
  const took = (): readonly string[] =>
    [...book.passed, ...book.tried.slice(-1).map(({ way }) => way)].map(({ name }) => name);
  return { handler, exhausted, failure, took };
};

type Handler = (accepted: AuthenticationType[] | null, partial: boolean | null, next: Next) => void;
type Next = (method: AnyAuthMethod) => void;

const noteOf = ({ name }: Way, error: unknown): Note => {
  const words = error instanceof Failure ? error.message : 'It could not be used.';
  const operator = error instanceof Failure ? (error.operator ?? error.message) : String(error);
  return { client: `${name}: ${words}`, operator: operator === words ? `${name}: ${words}` : operator };
};

const failed = (host: Host, { tried, notes, passed, accepts }: Readonly<Book>): Failure => {
  const who = `${host.user} on ${host.name} (${host.address}:${host.port})`;
  const refused = tried.filter(({ way }) => !passed.includes(way));
  const say = (names: readonly string[], why: readonly string[]): string => {
    const took = passed.length === 0 ? '' : `the host took ${passed.map(({ name }) => name).join(', then ')} and `;
    const left = passed.length === 0 ? 'nothing could be tried' : 'wants more than is configured';
    const what = names.length === 0 ? left : `${took === '' ? 'the host ' : ''}refused ${names.join(', then ')}`;
    const rest = accepts.length === 0 ? '' : ` The host accepts: ${accepts.join(', ')}.`;
    return `Logging in as ${who} failed: ${took}${what}.${why.map(note => ` ${note}`).join('')}${rest}`;
  };
  const names = [...new Set(refused.map(({ way }) => way.name))];
  const why = notes.map(({ client }) => client);
  const operators = refused.map(({ offer }) => offer.operator);
  return new Failure('AUTH_FAILED', say(names, why), {
    details: { host: host.name, tried: [...new Set(tried.map(({ way }) => way.name))], notes: why, accepts },
    operator: say(
      operators,
      notes.map(({ operator }) => operator),
    ),
    next: `Run sallyport hosts test ${host.name} and correct the login in config.json.`,
  });
};
