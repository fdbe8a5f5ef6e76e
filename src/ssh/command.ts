import type { ClientChannel } from 'ssh2';
import type { Clock, CommandId, SessionId } from '../call.ts';
import type { Failure } from '../errors.ts';
import { feed, follow, type Status } from './channel.ts';
import type { Connection } from './connection.ts';
import type { End, Standing, StopCause, StopReport } from './end.ts';
import { ALREADY_ENDED, held, isHeld, isProven, natural, unbegun } from './ending.ts';
import type { Command } from './fleet.ts';
import type { Mark } from './mark.ts';
import { Capture } from './output.ts';
import { type Eyes, type Reaped, reap } from './reap.ts';
import { stopTree } from './stop.ts';
import { within } from './timer.ts';

/** Takes what a stream brings: the safe text, and the bytes it stands for. */
export type Tee = (stream: 'stdout' | 'stderr', text: string, raw: Uint8Array) => void;

/** What is to run; `text` gives the whole command line, with the mark in it. */
export type Order = {
  readonly id: CommandId;
  readonly mark: Mark;
  readonly connection: Connection;
  readonly text: (giveUp: AbortSignal) => Promise<string>;
  readonly stdin?: string;
  readonly timeoutMs: number;
  /** How long what it leaves behind may hold its output, within the time-out. */
  readonly leavingsMs: number;
  readonly keepBytes: number;
  readonly session?: SessionId;
  readonly tee?: Tee;
  /** Any of them gives up, as long as nothing was sent. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** The one among them that means it is no longer allowed. */
  readonly revoked: AbortSignal;
};

/** What a command needs from outside; once halted, nobody will read what still comes. */
export type Means = Eyes & { readonly clock: Clock; readonly halted?: () => boolean };

/** A program has ended, and its output is quiet for so long, or has gone on for so long: what still holds it is not the program. */
const QUIET_MS = 250;
const DRAIN_MS = 10_000;
/** What is still on its way when a stopped tree is gone. */
const LAST_WORDS_MS = 250;

/** One command on one channel: both streams always read, its end told once, its stop proved. */
export class RemoteCommand implements Command {
  readonly id: CommandId;
  readonly host: string;
  readonly mark: Mark;
  readonly session?: SessionId;
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly ended: Promise<End>;
  readonly #order: Order;
  readonly #means: Means;
  readonly #takeBack: () => void;
  #settle: (end: End) => void = () => undefined;
  /** Settles when the host accepted it, or when it is clear that it was not sent or that nobody knows. */
  readonly #begun: Promise<void>;
  #begin: () => void = () => undefined;
  #queued = false;
  /** Why it is taken back. */
  #cause: StopCause | undefined;
  #discarded = 0;
  #channel: ClientChannel | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  /** What the host said of the end of the program, and what stands once the channel has closed. */
  #exited: Status | undefined;
  #status: Status | undefined;
  #startedAt: number;
  #startedMono: number;
  #durationMs: number | undefined;
  #end: End | undefined;
  #stopping: Promise<StopReport> | undefined;
  /** Calls off the timers of a program that has ended and whose output has not. */
  #drained: () => void = () => undefined;
  #quiet: () => void = () => undefined;

  /** `takeBack` gives up the start, as long as nothing was sent. */
  constructor(order: Order, means: Means, takeBack: () => void) {
    this.id = order.id;
    this.host = order.connection.host.name;
    this.mark = order.mark;
    if (order.session !== undefined) this.session = order.session;
    this.stdout = new Capture(order.keepBytes);
    this.stderr = new Capture(order.keepBytes);
    this.#order = order;
    this.#means = means;
    this.#takeBack = takeBack;
    this.#startedAt = means.clock.wallMs();
    this.#startedMono = means.clock.monoMs();
    this.ended = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.#begun = new Promise(resolve => {
      this.#begin = resolve;
    });
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  /** Whether the host took it. */
  get accepted(): boolean {
    return this.#channel !== undefined;
  }

  /** Whether the host took it, it waits for a lane, or it is over: it is more than about to be started. */
  get underway(): boolean {
    return this.accepted || this.#queued || this.#end !== undefined;
  }

  /** It has to wait for a lane. */
  queue(): void {
    this.#queued = true;
  }

  /** Its start failed, before it was sent or with an unknown fate: that is its end. */
  fail(why: Failure): void {
    this.#finish(unbegun(why, this.#cause ?? (this.#order.revoked.aborted ? 'revoked' : 'cancelled')));
    this.#begin();
  }

  /** The host accepted the command: from here on it may run. */
  attach(channel: ClientChannel): void {
    this.#channel = channel;
    this.#begin();
    this.#startedAt = this.#means.clock.wallMs();
    this.#startedMono = this.#means.clock.monoMs();
    const sink = {
      stdout: (chunk: Buffer) => this.#take('stdout', chunk),
      stderr: (chunk: Buffer) => this.#take('stderr', chunk),
      exited: (status: Status) => this.#drain(status),
    };
    this.#closed = follow(channel, sink).then(status => {
      this.#status = status;
      if (this.#stopping === undefined) this.#finish(natural(status, this.host));
    });
    feed(channel, this.#order.stdin);
  }

  state(): Standing {
    const end = this.#end;
    const durationMs = this.#durationMs ?? this.#means.clock.monoMs() - this.#startedMono;
    const waits = this.#queued && end === undefined && !this.accepted;
    return {
      end,
      durationMs,
      ...(waits ? { queued: this.#order.connection.channels() } : {}),
      ...(isHeld(end) ? { leavings: { open: this.#status === undefined, discarded: this.#discarded } } : {}),
    };
  }

  /**
   * The first cause wins and later ones share its report; after the end, what was not proved before is tried again. `look` is
   * a reaping under way that covers this command as well.
   */
  stop(cause: StopCause, look?: Promise<Reaped>): Promise<StopReport> {
    const end = this.#end;
    if (end !== undefined && isProven(end)) return Promise.resolve(ALREADY_ENDED);
    this.#stopping ??= this.#halt(cause, look);
    return this.#stopping;
  }

  async #halt(cause: StopCause, look: Promise<Reaped> | undefined): Promise<StopReport> {
    const early = !this.accepted;
    if (early) {
      this.#cause = cause;
      this.#takeBack();
      await this.#begun;
    }
    const channel = this.#channel;
    if (channel === undefined) return await this.#unclaimed();
    const { connection } = this.#order;
    const exited = this.#exited;
    const running = { connection, channel, closed: this.#closed, mark: this.mark };
    // A look that began before the host accepted it may not have seen it.
    const report = await stopTree(running, this.#means, early ? undefined : look);
    await within(this.#means.after, LAST_WORDS_MS, this.#closed);
    const status = this.#status;
    const byItself = report.outcome === 'confirmed' && report.signals.length === 0 && status !== undefined;
    const own = byItself ? status : exited;
    this.#finish(own === undefined ? { how: cause, stop: report } : natural(own, this.host));
    this.#stopping = undefined;
    channel.close();
    return byItself ? ALREADY_ENDED : report;
  }

  /** What the host never accepted was taken back, or its fate is unknown: then a look finds only what began already. */
  async #unclaimed(): Promise<StopReport> {
    const end = this.#end;
    const lost = end?.how === 'lost' && end.unsent !== true;
    const reaped = lost ? await reap(this.#order.connection, [this.mark], this.#means) : undefined;
    this.#stopping = undefined;
    if (reaped === undefined) return end !== undefined && 'stop' in end ? end.stop : ALREADY_ENDED;
    const { proven, ...found } = reaped;
    return { outcome: proven && found.signals.length > 0 ? 'confirmed' : 'unconfirmed', ...found };
  }

  #take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#end !== undefined || this.#means.halted?.() === true) {
      this.#discarded += chunk.length;
      return;
    }
    const text = this[stream].receive(chunk);
    this.#order.tee?.(stream, text, chunk);
    this.#quiet();
  }

  /** The program has ended: waits for its output to end too, or to fall silent while something else holds it open. */
  #drain(status: Status): void {
    this.#exited = status;
    const release = (): void => {
      if (this.#stopping === undefined) this.#finish(held(status, this.host));
    };
    const callOffDrain = this.#means.after(DRAIN_MS, release);
    let callOffQuiet = this.#means.after(QUIET_MS, release);
    this.#quiet = () => {
      callOffQuiet();
      callOffQuiet = this.#means.after(QUIET_MS, release);
    };
    this.#drained = () => {
      callOffDrain();
      callOffQuiet();
      this.#quiet = () => undefined;
    };
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#durationMs = this.#means.clock.monoMs() - this.#startedMono;
    this.#drained();
    if (isHeld(end)) this.#readOn(this.#durationMs);
    else this.#channel?.close();
    for (const stream of ['stdout', 'stderr'] as const)
      this.#order.tee?.(stream, this[stream].finish(), new Uint8Array(0));
    this.#settle(end);
  }

  /** What was left behind may go on for as long as the command might have: both streams stay read, and its lane taken. */
  #readOn(ranMs: number): void {
    const { timeoutMs, leavingsMs } = this.#order;
    const leftMs = Math.max(0, Math.min(leavingsMs, timeoutMs - ranMs));
    const callOff = this.#means.after(leftMs, () => this.#channel?.close());
    void this.#closed.then(callOff);
  }
}
