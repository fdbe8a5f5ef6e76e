import type { Clock, CommandId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Connection } from '../connection/connection.ts';
import type { Command } from '../fleet.ts';
import { ask, feed, follow, type Status } from './channel.ts';
import { CANCELLED_SCRIPT, FOLLOW_SCRIPT } from './detach-script.ts';
import type { End, Standing, StopCause, StopReport } from './end.ts';
import { ALREADY_ENDED } from './ending.ts';
import { scriptText } from './launch.ts';
import type { Mark } from './mark.ts';
import { type Eyes, reap } from './reap.ts';
import { type Keeping, Streams } from './streams.ts';

/** What is known of a detached command beside what its host tells: enough to find it again. */
export type Traces = {
  readonly id: CommandId;
  readonly mark: Mark;
  /** Epoch milliseconds. */
  readonly startedAt: number;
};

/** What following it needs; `ended` is told once. */
export type Following = Eyes & { readonly clock: Clock; readonly keeping: Keeping; readonly ended: (end: End) => void };

/** How long one look stays at most: it takes a lane. */
const LOOK_S = 30;
const WORD_MS = 10_000;

/** A command that outlives this process: its output lies on the host, and is fetched for as long as somebody waits for it. */
export class DetachedCommand implements Command {
  readonly id: CommandId;
  readonly host: string;
  readonly startedAt: number;
  readonly detached = true;
  readonly ended: Promise<End>;
  readonly #traces: Traces;
  readonly #connectionNow: () => Connection;
  readonly #following: Following;
  readonly #streams: Streams;
  readonly #received = { stdout: 0, stderr: 0 };
  #settle: (end: End) => void = () => undefined;
  #end: End | undefined;
  #endedAt: number | undefined;
  #wantedUntil = 0;
  #look: Promise<void> | undefined;

  constructor(traces: Traces, connection: () => Connection, following: Following) {
    this.id = traces.id;
    this.host = connection().host.name;
    this.startedAt = traces.startedAt;
    this.#traces = traces;
    this.#connectionNow = connection;
    this.#following = following;
    this.#streams = new Streams(following.keeping);
    this.ended = new Promise(resolve => {
      this.#settle = resolve;
    });
  }

  /** That to its account as the host is configured now. */
  get #connection(): Connection {
    return this.#connectionNow();
  }

  get stdout(): Streams['stdout'] {
    return this.#streams.stdout;
  }

  get stderr(): Streams['stderr'] {
    return this.#streams.stderr;
  }

  get both(): Streams['both'] {
    return this.#streams.both;
  }

  state(): Standing {
    const now = this.#endedAt ?? this.#following.clock.wallMs();
    return { end: this.#end, durationMs: Math.max(0, now - this.startedAt) };
  }

  /** Fetches what its host has of it for so long, at least once; resolves when the first look has begun, and rejects when it cannot. */
  async attend(ms: number): Promise<void> {
    const { monoMs } = this.#following.clock;
    this.#wantedUntil = Math.max(this.#wantedUntil, monoMs() + ms);
    if (this.#end === undefined && this.#look === undefined) await this.#follow();
  }

  async stop(cause: StopCause): Promise<StopReport> {
    if (this.#end !== undefined) return ALREADY_ENDED;
    const { proven, ...found } = await reap(this.#connection, [this.#traces.mark], this.#following);
    if (proven && found.signals.length === 0) {
      await this.attend(0);
      await this.#look;
      if (this.#end !== undefined) return ALREADY_ENDED;
    }
    const report: StopReport = { outcome: proven ? 'confirmed' : 'unconfirmed', ...found };
    if (!proven) return report;
    await this.#leaveWord();
    this.#finish({ how: cause, stop: report });
    return report;
  }

  /** Another process that asks later is to be told what became of it. */
  async #leaveWord(): Promise<void> {
    const text = scriptText(CANCELLED_SCRIPT, [this.id]);
    await ask(this.#connection, { text, deadlineMs: WORD_MS, after: this.#following.after }).catch(() => undefined);
  }

  async #follow(): Promise<void> {
    const { id, mark } = this.#traces;
    const { stdout, stderr } = this.#received;
    const leftS = Math.ceil((this.#wantedUntil - this.#following.clock.monoMs()) / 1_000);
    const seconds = Math.max(0, Math.min(LOOK_S, leftS));
    const text = scriptText(FOLLOW_SCRIPT, [id, mark, String(stdout), String(stderr), String(seconds)]);
    const begun = this.#connection.exec(text, {
      attach: channel => {
        this.#look = follow(channel, {
          stdout: chunk => this.#take('stdout', chunk),
          stderr: chunk => this.#take('stderr', chunk),
        }).then(status => this.#looked(status));
        feed(channel);
      },
    });
    await begun;
  }

  #take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#received[stream] += chunk.length;
    if (this.#end === undefined) this.#streams.take(stream, chunk);
  }

  async #looked(status: Status): Promise<void> {
    this.#look = undefined;
    const end = this.#endBy(status);
    if (end !== undefined) return this.#finish(end);
    const wanted = this.#following.clock.monoMs() < this.#wantedUntil;
    // A link that is gone is dialled by the next call, which can tell why it fails.
    if (wanted && status.how === 'signalled') await this.#follow().catch(() => undefined);
  }

  /** The last word of `FOLLOW_SCRIPT`; none while it runs, or when nobody could say it. */
  #endBy(status: Status): End | undefined {
    if (status.how === 'exited') return status;
    if (status.how === 'unknown') return undefined;
    switch (status.signal.replace(/^SIG/, '')) {
      case 'USR1':
        return { how: 'cancelled', stop: ALREADY_ENDED };
      case 'ALRM':
        return { how: 'timed_out', stop: ALREADY_ENDED };
      case 'USR2':
        return { how: 'lost', why: this.#gone('ended there without a word: it was killed, or the host restarted') };
      case 'KILL':
        return { how: 'lost', why: this.#gone('is not known there any more') };
      default:
        return undefined;
    }
  }

  #gone(what: string): Failure {
    return new Failure('CONNECTION_LOST', `The detached command ${this.id} on ${this.host} ${what}.`);
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#endedAt = this.#following.clock.wallMs();
    this.#streams.finish();
    this.#following.ended(end);
    this.#settle(end);
  }
}
