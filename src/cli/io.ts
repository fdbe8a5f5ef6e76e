import type { Readable, Writable } from 'node:stream';
import type { Clock, Random } from '../call.ts';
import type { Env } from '../config/paths.ts';
import { isHidden, shown } from '../text/hidden.ts';

/** Where text goes; `isTTY` says that a person looks at it. */
export type Sink = { readonly write: (text: string) => void; readonly isTTY: boolean };

/** All that a subcommand may touch of its process. */
export type Io = {
  /** Data: what a script would read. */
  readonly stdout: Sink;
  /** Everything said to a person. */
  readonly stderr: Sink;
  /** The raw streams, for the protocol and for prompts. */
  readonly streams: { readonly stdin: Readable & { readonly isTTY?: boolean }; readonly stdout: Writable };
  readonly env: Env;
  /** Our own user, where files have owners. */
  readonly uid: number | undefined;
  /** A path as typed on the command line, made absolute. */
  readonly resolve: (path: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  /** How this program was started: absolute paths, for lines that register it elsewhere. */
  readonly program: readonly [string, ...string[]];
  readonly version: string;
  /** The version of Node, without the `v`. */
  readonly node: string;
  /** Aborted by SIGINT, SIGTERM or SIGHUP, with the signal's name as the reason. */
  readonly stopped: AbortSignal;
  /** Resolves when those who read stdout and stderr have all of it, or are gone. */
  readonly flush: () => Promise<void>;
  /** Does something synchronous as the process ends, however it ends short of a SIGKILL. */
  readonly atExit: (act: () => void) => void;
};

/** What a process says with its last breath. */
export const EXIT = {
  ok: 0,
  /** The answer is no: a test failed, a call is denied, a record was tampered with. */
  no: 1,
  usage: 2,
  /** The configuration or the policy is invalid. */
  invalid: 3,
  /** The surroundings fail: unreachable, no key, the store cannot be opened. */
  environment: 4,
  interrupted: 130,
} as const;

/** The command line cannot be understood; the message says which word, and what is near. */
export class Usage extends Error {
  override readonly name = 'Usage';
}

/** Something around us fails; the message is a sentence with its mend. */
export class Environment extends Error {
  override readonly name = 'Environment';
}

/** One JSON value as data, indented for a person who looks and in one line otherwise. */
export const writeJson = (io: Io, value: unknown): void =>
  io.stdout.write(`${jsonOf(value, io.stdout.isTTY ? 2 : undefined)}\n`);

/** A value as JSON, in which everything that a terminal would obey, or a reader not see, is an escape: it is the same value. */
export const jsonOf = (value: unknown, indent?: number): string =>
  Array.from(JSON.stringify(value, null, indent), character =>
    isHidden(character.codePointAt(0) ?? 0) ? escaped(character) : character,
  ).join('');

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

/** The text with everything that a terminal would obey, or a reader not see, as an escape: it may quote a host or a file. */
export const visible = (text: string): string =>
  Array.from(text, character => shown(character.codePointAt(0) ?? 0)).join('');

/** Lines said to a person. */
export const say = (io: Io, text: string): void => io.stderr.write(`${visible(text)}\n`);

/** Lines of data. */
export const print = (io: Io, text: string): void => io.stdout.write(`${visible(text)}\n`);

/** `1 host`, `2 hosts`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
