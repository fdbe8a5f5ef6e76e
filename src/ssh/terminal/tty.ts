import { safeLine } from '../../text/safe.ts';
import { ask } from '../command/channel.ts';
import { scriptText } from '../command/launch.ts';
import type { Eyes } from '../command/reap.ts';
import type { Connection } from '../connection/connection.ts';
import { TTY_SCRIPT } from './tty-script.ts';

/** A terminal as its host names it: the device, and the process that began on it. */
export type Tty = { readonly device: string; readonly leader: number };

/** A process in the foreground; `call` is the number of the system call it sleeps in, when that may be seen. */
export type Foreground = {
  readonly pid: number;
  readonly state: string;
  readonly wchan: string;
  readonly call: string;
  readonly name: string;
};

/** What a host says of a terminal: what stty reads, and who is in the foreground; `undefined` for what it could not tell. */
export type TtyReport = {
  readonly echo: boolean | undefined;
  readonly lines: boolean | undefined;
  readonly machine: string;
  readonly foreground: readonly Foreground[];
};

/** A line longer than this is cut in line mode without a word (N_TTY keeps 4096 bytes with its end). */
export const LINE_BYTES = 4_095;

/** A host under load takes its time; who asks again before it has answered adds to that. */
const DEADLINE_MS = 5_000;
const NAME_CHARS = 40;

/** Asks a host for the state of one of its terminals, on the reserved channel; undefined when there was no whole answer. Never rejects. */
export const lookAtTty = async (
  connection: Connection,
  { device, leader }: Tty,
  eyes: Eyes,
): Promise<TtyReport | undefined> => {
  const nonce = eyes.random(8).toString('hex');
  const text = scriptText(TTY_SCRIPT, [nonce, device, String(leader)]);
  try {
    const answer = await ask(connection, { text, reserved: true, deadlineMs: DEADLINE_MS, after: eyes.after });
    return readReport(answer.stdout.toString('utf8'), nonce);
  } catch {
    // Who cannot be asked has told nothing; what is wrong with the connection shows in the command itself.
    return undefined;
  }
};

/** Reads the lines that begin with the nonce: a startup file of the account may write others. */
export const readReport = (text: string, nonce: string): TtyReport | undefined => {
  const lines = text
    .split('\n')
    .filter(line => line.startsWith(`${nonce} `))
    .map(line => line.slice(nonce.length + 1));
  if (lines.at(-1) !== 'end') return undefined;
  const words = new Set(
    wordsAfter(lines, 'set')
      .join(' ')
      .split(/[\s;]+/),
  );
  return {
    echo: flag(words, 'echo'),
    lines: flag(words, 'icanon'),
    machine: wordsAfter(lines, 'machine').join(' '),
    foreground: lines.flatMap(foregroundOf),
  };
};

const wordsAfter = (lines: readonly string[], word: string): readonly string[] =>
  lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1));

const flag = (words: ReadonlySet<string>, name: string): boolean | undefined => {
  if (words.has(name)) return true;
  return words.has(`-${name}`) ? false : undefined;
};

const foregroundOf = (line: string): readonly Foreground[] => {
  const [, pid, state = '', wchan = '', call = '', name = ''] =
    /^process ([1-9]\d{0,9}) (\S) (\S+) (\S+) ?(.*)$/.exec(line) ?? [];
  return pid === undefined ? [] : [{ pid: Number(pid), state, wchan, call, name: safeLine(name, NAME_CHARS) }];
};
