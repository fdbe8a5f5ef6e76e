import type { Clock, CommandId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Caps } from '../caps.ts';
import { Registry } from '../registry.ts';
import type { RemoteCommand } from './command.ts';

/** What is kept of the commands of a grant that have ended, and of the output of all of them, in bytes of memory. */
export type KeptOutput = {
  readonly ended: number;
  readonly bytes: number;
  readonly maxBytes: number;
};

type Means = { readonly clock: Clock; readonly caps: Caps; readonly forgotten: (command: RemoteCommand) => void };

/** The commands of this process by their handles: how many a grant may have, and how much of their output is kept. */
export class Shelf {
  readonly #means: Means;
  readonly #registry = new Registry<CommandId, RemoteCommand>('command', FORGOTTEN);
  readonly #endedAt = new Map<RemoteCommand, number>();

  /** `forgotten` is told of each whose handle is unknown from then on. */
  constructor(means: Means) {
    this.#means = means;
  }

  /** Makes room for one more on that host; `BUSY` when the grant has too many there or at all, or too much output of those that run. */
  makeRoom(grant: string, host: string): void {
    const { commandsPerGrant, commandsPerHost, keepTotalBytes } = this.#means.caps;
    const mine = this.of(grant);
    const running = mine.filter(isRunning);
    const here = running.filter(command => command.host === host).length;
    if (running.length >= commandsPerGrant) throw full(`${running.length} commands of this grant run or wait already.`);
    if (here >= commandsPerHost) throw full(`${here} commands of this grant run or wait on ${host} already.`);
    if (heldBy(running) >= keepTotalBytes)
      throw full(`The output of what runs takes the ${keepTotalBytes} bytes that are kept for this grant.`);
    if (mine.length >= commandsPerGrant) this.#forgetOldest(mine);
    this.#trim(grant);
  }

  add(grant: string, command: RemoteCommand): void {
    this.#registry.add(grant, command.id, command);
    void command.ended.then(() => {
      this.#endedAt.set(command, this.#means.clock.monoMs());
      this.#trim(grant);
    });
  }

  /** Takes one off. */
  remove(command: RemoteCommand): void {
    this.#registry.remove(command.id);
    this.#endedAt.delete(command);
  }

  get(grant: string, id: string): RemoteCommand {
    this.#expire();
    return this.#registry.get(grant, id);
  }

  find(grant: string, id: string): RemoteCommand | undefined {
    this.#expire();
    return this.#registry.find(grant, id);
  }

  /** Those of one grant, the oldest first. */
  of(grant: string): readonly RemoteCommand[] {
    this.#expire();
    return this.#registry.of(grant);
  }

  /** Those of every grant. */
  all(): readonly RemoteCommand[] {
    return this.#registry.all();
  }

  kept(grant: string): KeptOutput {
    const mine = this.of(grant);
    const ended = mine.filter(command => !isRunning(command)).length;
    return { ended, bytes: heldBy(mine), maxBytes: this.#means.caps.keepTotalBytes };
  }

  #forgetOldest(mine: readonly RemoteCommand[]): void {
    const oldest = mine.find(command => !isRunning(command));
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** The output of what ended first goes first; how it ended is still known. */
  #trim(grant: string): void {
    const mine = this.#registry.of(grant);
    let excess = heldBy(mine) - this.#means.caps.keepTotalBytes;
    for (const command of mine.filter(one => !isRunning(one)).sort(this.#byEnd)) {
      if (excess <= 0) return;
      excess -= command.streams.held;
      command.streams.clear();
    }
  }

  readonly #byEnd = (a: RemoteCommand, b: RemoteCommand): number =>
    (this.#endedAt.get(a) ?? Number.POSITIVE_INFINITY) - (this.#endedAt.get(b) ?? Number.POSITIVE_INFINITY);

  #expire(): void {
    const oldest = this.#means.clock.monoMs() - this.#means.caps.keepEndedMs;
    for (const [command, endedAt] of this.#endedAt) if (endedAt <= oldest) this.#forget(command);
  }

  #forget(command: RemoteCommand): void {
    this.remove(command);
    this.#means.forgotten(command);
  }
}

/** Where the handle of an ended command may have gone. */
const FORGOTTEN = 'A command that has ended is forgotten after a while, or when many have ended since.';

const heldBy = (commands: readonly RemoteCommand[]): number =>
  commands.reduce((bytes, command) => bytes + command.streams.held, 0);

const full = (message: string): Failure =>
  new Failure('BUSY', message, {
    next: 'Wait for one to end, or stop one with ssh_cancel_command (ssh_status lists them), then call again.',
  });

/** Whether a command has not ended yet. */
export const isRunning = (command: RemoteCommand): boolean => command.state().end === undefined;
