import type { Duplex, Readable } from 'node:stream';
import { safeLine } from '../../text/safe.ts';
import type { Connection, Peer } from '../connection/connection.ts';
import { givingUpWith } from '../giving-up.ts';
import type { After } from '../timer.ts';
import type { Mark } from './mark.ts';

/**
 * The streams of one session channel (RFC 4254 section 6), whoever carries it. `exit` comes with a code, or with `null` and
 * a signal's name, and `close` once, when the channel has closed and both streams were read to their ends.
 */
export type Channel = Duplex & {
  readonly stderr: Readable;
  /** Says that nothing more is written; reading goes on. */
  readonly eof: () => void;
  readonly close: () => void;
  readonly setWindow: (rows: number, cols: number, height: number, width: number) => void;
};

/** What the host said of a program's end; `unknown` when the channel closed without a word (RFC 4254 section 6.10 makes it optional). */
export type Status =
  | { readonly how: 'exited'; readonly code: number }
  | { readonly how: 'signalled'; readonly signal: string }
  | { readonly how: 'unknown' };

/** Who takes what a channel brings. */
export type Sink = {
  readonly stdout: (chunk: Buffer) => void;
  readonly stderr: (chunk: Buffer) => void;
  /** The program is over, and its output may still come, or be held open by what it left behind. */
  readonly exited?: (status: Status) => void;
};

const LONGEST_NAME = 40;

/**
 * Reads both streams of a channel to their ends, whatever comes, and resolves with the status once it has closed: a host
 * may send the status before or after the end of the output, twice, or never. Call it in `attach`: events may follow at once.
 */
export const follow = (channel: Channel, sink: Sink): Promise<Status> => {
  let status: Status | undefined;
  channel.on('data', sink.stdout);
  channel.stderr.on('data', sink.stderr);
  // Output after its own end is an error of the stream to ssh2; unheard, it would end this process.
  channel.on('error', () => undefined);
  channel.stderr.on('error', () => undefined);
  channel.on('exit', (code: unknown, signal: unknown) => {
    if (status !== undefined) return;
    status = statusOf(code, signal);
    sink.exited?.(status);
  });
  return new Promise(resolve => {
    const finish = (): void => resolve(status ?? { how: 'unknown' });
    channel.on('close', () => {
      const { readableEnded, destroyed } = channel.stderr;
      if (readableEnded || destroyed) finish();
      else channel.stderr.once('close', finish);
    });
  });
};

/**
 * Gives a program its stdin, or none, and then the end of it. Not by `end`: a stream that has ended both ways closes itself,
 * and a host that ends its output before it says the status would never get to say it.
 */
export const feed = (channel: Channel, stdin?: string): void => {
  if (stdin === undefined || stdin === '') channel.eof();
  else channel.write(stdin, () => channel.eof());
};

const statusOf = (code: unknown, signal: unknown): Status => {
  if (typeof code === 'number') return { how: 'exited', code };
  return { how: 'signalled', signal: safeLine(typeof signal === 'string' ? signal : 'SIG?', LONGEST_NAME) };
};

/** What a short command of our own answered; `status` is `unknown` also when it was cut off by the deadline or the size. */
export type Answer = { readonly status: Status; readonly stdout: Buffer; readonly stderr: Buffer };

type Ask = {
  readonly text: string;
  readonly reserved?: boolean;
  readonly near?: Mark | undefined;
  readonly timed?: boolean;
  readonly over?: Peer | undefined;
  readonly suits?: ((peer: Peer) => Promise<void>) | undefined;
  readonly deadlineMs: number;
  readonly after: After;
  readonly signal?: AbortSignal | undefined;
};

const ANSWER_BYTES = 1_048_576;

/** Runs a short command of our own and collects what it writes, 1 MiB and `deadlineMs` at most; rejects as `Connection.exec` does. */
export const ask = async (
  connection: Connection,
  { text, deadlineMs, after, signal, ...how }: Ask,
): Promise<Answer> => {
  const stdout = bounded();
  const stderr = bounded();
  let status: Promise<Status> | undefined;
  const givingUp = givingUpWith(signal);
  const callOff = after(deadlineMs, givingUp.now);
  try {
    const channel = await connection.exec(text, {
      ...how,
      signal: givingUp.signal,
      attach: opened => {
        status = follow(opened, { stdout: stdout.take, stderr: stderr.take });
        feed(opened);
      },
    });
    const ended = await Promise.race([status, aborted(givingUp.signal)]);
    if (ended === undefined) channel.close();
    return { status: ended ?? { how: 'unknown' }, stdout: stdout.bytes(), stderr: stderr.bytes() };
  } finally {
    callOff();
    givingUp.release();
  }
};

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

const bounded = (): { readonly take: (chunk: Buffer) => void; readonly bytes: () => Buffer } => {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    const part = chunk.subarray(0, ANSWER_BYTES - size);
    size += part.length;
    if (part.length > 0) chunks.push(part);
  };
  return { take, bytes: () => Buffer.concat(chunks) };
};
