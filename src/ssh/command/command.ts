import type { Clock, CommandId, SessionId } from '../../call.ts';
import type { Failure } from '../../errors.ts';
import type { Connection, Party, Peer } from '../connection/connection.ts';
import type { Command } from '../fleet.ts';
import type { TerminalLine } from '../terminal/terminal-line.ts';
import { within } from '../timer.ts';
import { type Channel, feed, follow, type Status } from './channel.ts';
import { type Drain, drain } from './drain.ts';
import type { End, Standing, StopCause, StopReport } from './end.ts';
import { ALREADY_ENDED, held, isHeld, isOfStopping, isProven, natural, unbegun } from './ending.ts';
import type { GrowingText } from './growing-text.ts';
import type { Mark } from './mark.ts';
import type { Capture } from './output.ts';
import { type Eyes, type Reaped, reap } from './reap.ts';
import { stopTree } from './stop.ts';
import { type Keeping, type StreamName, Streams } from './streams.ts';

/** What is to run; `text` gives the whole command line, with the mark in it. */
export type Order = Keeping & {
  readonly id: CommandId;
  readonly mark: Mark;
  readonly connection: Connection;
  readonly by: Party;
  readonly suits?: ((peer: Peer, giveUp: AbortSignal) => Promise<void>) | undefined;
  readonly text: (giveUp: AbortSignal) => Promise<string>;
  readonly stdin?: string;
  /** The terminal that it runs on; without it, its streams are pipes. */
  readonly terminal?: TerminalLine;
  readonly timeoutMs: number;
  /** How long what it leaves behind may hold its output, within the time-out. */
  readonly leavingsMs: number;
  readonly session?: SessionId;
  /** Any of them gives up, as long as nothing was sent. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** The one among them that means it is no longer allowed. */
  readonly revoked: AbortSignal;
};

/** What a command needs from outside; once halted, nobody will read what still comes. */
export type Means = Eyes & { readonly clock: Clock; readonly halted?: () => boolean };

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
  readonly both: GrowingText;
  readonly ended: Promise<End>;
  readonly #order: Order;
  readonly #means: Means;
  readonly streams: Streams;
  readonly #takeBack: () => void;
  #settle: (end: End) => void = () => undefined;
  /** Settles when the host accepted it, or when it is clear that it was not sent or that nobody knows. */
  readonly #begun: Promise<void>;
  #begin: () => void = () => undefined;
  #queued = false;
  /** Why it is taken back. */
  #cause: StopCause | undefined;
  #channel: Channel | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  /** What the host said of the end of the program, and what stands once the channel has closed. */
  #exited: Status | undefined;
  #status: Status | undefined;
  #startedAt: number;
  #startedMono: number;
  #heardMono = 0;
  #durationMs: number | undefined;
  #end: End | undefined;
  #stopping: Promise<StopReport> | undefined;
  /** The program has ended, and its output has not. */
  #draining: Drain | undefined;

  /** `takeBack` gives up the start, as long as nothing was sent. */
  constructor(order: Order, means: Means, takeBack: () => void) {
    this.id = order.id;
    this.host = order.connection.host.name;
    this.mark = order.mark;
    if (order.session !== undefined) this.session = order.session;
    this.streams = new Streams(order);
    this.stdout = this.streams.stdout;
    this.stderr = this.streams.stderr;
    this.both = this.streams.both;
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

  /** Since the host was last heard of it. */
  get idleMs(): number {
    return this.#means.clock.monoMs() - Math.max(this.#startedMono, this.#heardMono);
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
  attach(channel: Channel): void {
    this.#channel = channel;
    this.#begin();
    this.#startedAt = this.#means.clock.wallMs();
    this.#startedMono = this.#means.clock.monoMs();
    const { terminal, stdin } = this.#order;
    const sink = {
      stdout: (chunk: Buffer) => this.#take('stdout', terminal?.receive(chunk) ?? chunk),
      stderr: (chunk: Buffer) => this.#take('stderr', chunk),
      exited: (status: Status) => this.#drain(status),
    };
    this.#closed = follow(channel, sink).then(status => {
      this.#status = status;
      if (this.#stopping === undefined) this.#finish(natural(status, this.host));
    });
    if (terminal === undefined) feed(channel, stdin);
    else terminal.opened(channel);
  }

  state(): Standing {
    const end = this.#end;
    const durationMs = this.#durationMs ?? this.#means.clock.monoMs() - this.#startedMono;
    const waits = this.#queued && end === undefined && !this.accepted;
    const { discarded, limit } = this.streams;
    return {
      end,
      durationMs,
      ...(waits ? { queued: this.#order.connection.channels() } : {}),
      ...(isHeld(end) ? { leavings: { open: this.#status === undefined, discarded } } : {}),
      ...(limit === undefined ? {} : { outputLimit: limit }),
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
    const untouched = report.outcome === 'confirmed' && report.signals.length === 0;
    const byItself = untouched && status !== undefined && !isOfStopping(status);
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

  #take(stream: StreamName, chunk: Buffer): void {
    this.#heardMono = this.#means.clock.monoMs();
    if (this.#end !== undefined || this.#means.halted?.() === true) {
      this.streams.discard(chunk.length);
      return;
    }
    if (!this.streams.take(stream, chunk)) void this.stop('cancelled');
    this.#draining?.heard();
  }

  /** The program has ended: waits for its output to end too, or to fall silent while something else holds it open. */
  #drain(status: Status): void {
    this.#exited = status;
    this.#draining = drain(this.#means.after, () => {
      if (this.#stopping === undefined) this.#finish(held(status, this.host));
    });
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#durationMs = this.#means.clock.monoMs() - this.#startedMono;
    this.#draining?.callOff();
    if (isHeld(end)) this.#readOn(this.#durationMs);
    else this.#channel?.close();
    this.streams.finish();
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
