import type { Clock } from '../../call.ts';
import { safeLine } from '../../text/safe.ts';
import type { Phase } from '../dial/dial-failure.ts';

/** What an ssh told on its way to a login, by its messages of the first debug level; nothing here is more than its word. */
export type Said = {
  readonly phase: Phase;
  /** `ADDRESS:PORT as 'USER'`, once it is about to shake hands. */
  readonly towards: string | undefined;
  /** The IP address that it dialled last itself; undefined when a program on the way does. */
  readonly dialled: string | undefined;
  /** The host's software version, and the key that it presented. */
  readonly server: string;
  readonly key: { readonly type: string; readonly fingerprint: string } | undefined;
  /** From the first packet to its answer. */
  readonly roundTripMs: number;
  /** How many keys were offered. */
  readonly offered: number;
  readonly accepts: readonly string[];
  /** Its last lines that are no debug messages, made safe. */
  readonly words: readonly string[];
};

/** Listens to an ssh. */
export type Listening = {
  /** Takes a piece of its stderr; true when it has just said that the login is done. */
  readonly hear: (text: string) => boolean;
  readonly said: () => Said;
};

const LONGEST = 1_000;
const MOST_WORDS = 40;
const SHOWN = 200;

type Found = { -readonly [K in keyof Said]: Said[K] };

type Fact = readonly [form: RegExp, learn: (found: Found, matches: readonly string[]) => void];

/** What a line tells before the login; a host's banner may say the same, and is too late to be heard. */
const FACTS: readonly Fact[] = [
  [
    /^Connecting to \S+ \[([0-9a-fA-F.:]+)(?:%[^\]]*)?\] port /,
    (found, [, address]) => {
      if (found.phase === 'connecting') found.dialled = address;
    },
  ],
  [/^Connection established\./, found => advance(found, 'handshake')],
  [
    /^Remote protocol version \S+, remote software version (.*)$/,
    (found, [, version = '']) => {
      advance(found, 'handshake');
      found.server = safeLine(version, 100);
    },
  ],
  [
    /^Authenticating to (.*)$/,
    (found, [, towards]) => {
      found.towards = towards;
    },
  ],
  [
    /^Server host (?:key|certificate): (\S+) (SHA256:[A-Za-z0-9+/]{43})/,
    (found, [, type = '', fingerprint = '']) => {
      found.key = { type: safeLine(type, 60), fingerprint };
    },
  ],
  [/^SSH2_MSG_SERVICE_ACCEPT received/, found => advance(found, 'login')],
];

const LOGIN_FACTS: readonly Fact[] = [
  [
    /^Offering public key: /,
    found => {
      found.offered++;
    },
  ],
  [
    /^Authentications that can continue: ([a-z0-9,-]*)/,
    (found, [, methods = '']) => {
      found.accepts = methods.split(',').filter(method => METHODS.includes(method));
    },
  ],
];

const METHODS: readonly string[] = ['publickey', 'password', 'keyboard-interactive', 'hostbased', 'gssapi-with-mic'];
const PHASES: readonly Phase[] = ['connecting', 'handshake', 'login'];

const advance = (found: Found, phase: Phase): void => {
  if (PHASES.indexOf(phase) > PHASES.indexOf(found.phase)) found.phase = phase;
};

/** Begins to listen to one ssh. */
export const listenTo = (clock: Clock): Listening => {
  const found: Found = { ...NOTHING };
  let rest = '';
  let sentMs = clock.monoMs();
  let done = false;
  const debug = (text: string): void => {
    if (SENDING.test(text)) sentMs = clock.monoMs();
    if (/^SSH2_MSG_KEXINIT received/.test(text)) found.roundTripMs = clock.monoMs() - sentMs;
    if (/^Entering interactive session\./.test(text)) done = true;
    for (const [form, learn] of found.phase === 'login' ? LOGIN_FACTS : [...FACTS, ...LOGIN_FACTS]) {
      const matches = form.exec(text);
      if (matches !== null) learn(found, matches);
    }
  };
  const line = (text: string): void => {
    if (text.startsWith(DEBUG)) debug(text.slice(DEBUG.length));
    else if (/\S/.test(text)) found.words = [...found.words, safeLine(text, SHOWN)].slice(-MOST_WORDS);
  };
  return {
    hear: text => {
      const lines = (rest + text).split(/\r?\n/);
      rest = (lines.pop() ?? '').slice(0, LONGEST);
      done = false;
      for (const one of lines) line(one.slice(0, LONGEST));
      return done;
    },
    said: () => found,
  };
};

const DEBUG = 'debug1: ';
/** What is answered by the host's first packet of the key exchange. */
const SENDING = /^(Connecting to |Executing proxy command|SSH2_MSG_KEXINIT sent)/;

const NOTHING: Said = {
  phase: 'connecting',
  towards: undefined,
  dialled: undefined,
  server: '',
  key: undefined,
  roundTripMs: 0,
  offered: 0,
  accepts: [],
  words: [],
};
