import type { ClientChannel } from 'ssh2';
import type { Clock, CommandId, SessionId } from '../call.ts';
import { Failure } from '../errors.ts';
import { feed, follow, type Status } from './channel.ts';
import type { Connection } from './connection.ts';
import type { End, StopCause, StopReport } from './end.ts';
import type { Command } from './fleet.ts';
import type { Mark } from './mark.ts';
import { Capture } from './output.ts';
import type { Eyes, Reaped } from './reap.ts';
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
  readonly keepBytes: number;
  readonly session?: SessionId;
  readonly tee?: Tee;
  /** Any of them gives up, as long as nothing was sent. */
  readonly signals: readonly (AbortSignal | undefined)[];
};

/** What a command needs from outside. */
export type Means = Eyes & { readonly clock: Clock };

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
  #settle: (end: End) => void = () => undefined;
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

  constructor(order: Order, means: Means) {
    this.id = order.id;
    this.host = order.connection.host.name;
    this.mark = order.mark;
    if (order.session !== undefined) this.session = order.session;
    this.stdout = new Capture(order.keepBytes);
    this.stderr = new Capture(order.keepBytes);
    this.#order = order;
    this.#means = means;
    this.#startedAt = means.clock.wallMs();
    this.#startedMono = means.clock.monoMs();
    this.ended = new Promise(resolve => {
      this.#settle = resolve;
    });
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  /** Whether the host took it. */
  get accepted(): boolean {
    return this.#channel !== undefined;
  }

  /** The host accepted the command: from here on it may run. */
  attach(channel: ClientChannel): void {
    this.#channel = channel;
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

  state(): { readonly end: End | undefined; readonly durationMs: number } {
    const durationMs = this.#durationMs ?? this.#means.clock.monoMs() - this.#startedMono;
    return { end: this.#end, durationMs };
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
    const channel = this.#channel;
    if (channel === undefined) return ALREADY_ENDED;
    const { connection } = this.#order;
    const exited = this.#exited;
    const running = { connection, channel, closed: this.#closed, mark: this.mark };
    const report = await stopTree(running, this.#means, look);
    await within(this.#means.after, LAST_WORDS_MS, this.#closed);
    const status = this.#status;
    const byItself = report.outcome === 'confirmed' && report.signals.length === 0 && status !== undefined;
    const own = byItself ? status : exited;
    this.#finish(own === undefined ? { how: cause, stop: report } : natural(own, this.host));
    this.#stopping = undefined;
    return byItself ? ALREADY_ENDED : report;
  }

  #take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#end !== undefined) return;
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
    this.#channel?.close();
    for (const stream of ['stdout', 'stderr'] as const) this.#order.tee?.(stream, this[stream].finish(), NOTHING);
    this.#settle(end);
  }
}

const NOTHING = new Uint8Array(0);
const ALREADY_ENDED: StopReport = { outcome: 'already_ended', signals: [], remaining: [] };

const natural = (status: Status, host: string): End => {
  if (status.how !== 'unknown') return status;
  const message = `The channel to ${host} closed without saying how the command ended.`;
  return { how: 'lost', why: new Failure('CONNECTION_LOST', message) };
};

const held = (status: Status, host: string): End => {
  const end = natural(status, host);
  return end.how === 'exited' || end.how === 'signalled' ? { ...end, outputHeld: true } : end;
};

/** Whether this end leaves nothing of the command alive that a stop could still find. */
const isProven = (end: End): boolean => {
  if (end.how === 'lost') return false;
  return 'stop' in end ? end.stop.outcome !== 'unconfirmed' : end.outputHeld !== true;
};
