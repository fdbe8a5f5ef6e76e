import type { AnyAuthMethod } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import { type Means, type Note, type Offer, offersOf, type Way, waysOf } from './ways.ts';

/** One offer that was made. */
export type Tried = { readonly way: Way; readonly offer: Offer };

/** What became of a login so far. */
export type Book = {
  readonly tried: Tried[];
  readonly notes: Note[];
  /** The ways that the host took, and wanted more. */
  readonly passed: Way[];
  /** The methods that it says it would take. */
  accepts: readonly string[];
};

/** The offers of a login, one after another. */
export type Order = {
  /** Takes in what the host accepts from now on, and whether it took the last offer and wants more (partial success). */
  readonly hear: (accepted: readonly string[] | null, partial: boolean) => void;
  /** What is to be sent next; undefined when nothing is left. `unsent` is called when it could not be sent after all. */
  readonly next: (unsent: (error: unknown) => void) => Promise<AnyAuthMethod | undefined>;
  /** Counts the last offer as not made. */
  readonly takeBack: (error: unknown) => void;
};

/** The methods that a message may name: what a host calls its own is not repeated. */
const METHODS: readonly string[] = ['publickey', 'password', 'keyboard-interactive', 'hostbased', 'gssapi-with-mic'];

/** sshd breaks off at its sixth refusal, unless configured otherwise (MaxAuthTries). */
export const MAX_TRIES = 6;

/** The logins of a host in their order. After each success that is not the last, whatever the host has not judged is there again. */
export const inOrder = (host: Host, means: Means, book: Book): Order => {
  const state: State = { ways: [...waysOf(host)], offers: [], refusals: 0, judged: new Set() };
  return {
    hear: (accepted, partial) => hear(host, state, book, accepted, partial),
    next: async unsent => await next(host, state, { means, book, unsent }),
    takeBack: error => {
      const tried = book.tried.pop();
      if (tried !== undefined) means.note(tried.way, error ?? new Failure('AUTH_FAILED', 'It did not sign.'));
      state.last = undefined;
    },
  };
};

type State = {
  ways: Way[];
  /** What the way that is being tried still has to show. */
  offers: Tried[];
  accepted?: readonly string[] | undefined;
  last?: Tried | undefined;
  refusals: number;
  /** Offers that the host has looked at. */
  readonly judged: Set<string>;
};

const hear = (host: Host, state: State, book: Book, accepted: readonly string[] | null, partial: boolean): void => {
  state.accepted = accepted ?? undefined;
  book.accepts = METHODS.filter(method => accepted?.includes(method) === true);
  if (state.last === undefined) return;
  const { way, offer } = state.last;
  if (partial) {
    book.passed.push(way);
    state.ways = [...waysOf(host)];
    state.offers = [];
  } else state.refusals++;
  // What a host refuses without taking its method was not looked at.
  if (partial || accepted?.includes(way.method) === true) state.judged.add(offer.id);
  state.last = undefined;
};

type Step = { readonly means: Means; readonly book: Book; readonly unsent: (error: unknown) => void };

const next = async (host: Host, state: State, { means, book, unsent }: Step): Promise<AnyAuthMethod | undefined> => {
  for (;;) {
    const tried = state.offers.shift();
    if (tried === undefined) {
      const way = state.ways.shift();
      if (way === undefined) return undefined;
      state.offers = await offersIn(host, state, way, means);
    } else if (isWorthTrying(tried.way, state)) {
      const method = await tried.offer.begin(unsent).catch((error: unknown) => passOver(means, tried.way, error));
      if (method === undefined) continue;
      state.last = tried;
      book.tried.push(tried);
      return method;
    }
  }
};

const offersIn = async (host: Host, state: State, way: Way, means: Means): Promise<Tried[]> => {
  if (!isWorthTrying(way, state)) return [];
  // One try is left for each login after this one.
  const most = Math.max(1, MAX_TRIES - state.refusals - new Set(state.ways.map(({ login }) => login)).size);
  const offers = await offersOf(host, way, most, means).catch((error: unknown) => passOver(means, way, error));
  return (offers ?? []).filter(({ id }) => !state.judged.has(id)).map(offer => ({ way, offer }));
};

const passOver = (means: Means, way: Way, error: unknown): undefined => {
  if (!(error instanceof Failure)) throw error;
  means.note(way, error);
};

/** Once the host said what it accepts, nothing else is sent: each refusal counts against this address. */
const isWorthTrying = ({ method, login, name }: Way, { accepted, judged }: State): boolean => {
  // A password that was refused as one is not said again as an answer.
  const again = login.kind === 'password' && method === 'keyboard-interactive';
  if (again && judged.has(name.replace('keyboard-interactive', 'password'))) return false;
  return accepted === undefined ? !again : accepted.includes(method);
};
