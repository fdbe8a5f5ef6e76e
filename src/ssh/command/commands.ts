import { setMaxListeners } from 'node:events';
import { newCommandId, type Program, type Run, type Target } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Obligations } from '../../policy/decision.ts';
import type { Parts } from '../caps.ts';
import type { Connection, Peer } from '../connection/connection.ts';
import { once } from '../giving-up.ts';
import { overseenCommand } from '../overseen.ts';
import { type Inhabitant, terminalText } from '../terminal/terminal-launch.ts';
import type { TerminalLine } from '../terminal/terminal-line.ts';
import type { Order, RemoteCommand } from './command.ts';
import type { StopCause, StopReport } from './end.ts';
import { launchText } from './launch.ts';
import { createLoginShells, type LoginShells } from './login-shell.ts';
import { createMarks, type Mark } from './mark.ts';
import { createProofs, type Proofs } from './proof.ts';
import { reap } from './reap.ts';
import { createRevoking } from './revoking.ts';
import { isRunning, type KeptOutput, Shelf } from './shelf.ts';
import { startCommand } from './start-command.ts';
import type { Tee } from './streams.ts';

/** For whom a command runs, what it must keep to, and what ends it when it is no longer allowed; a permit is one. */
export type Leave = { readonly grant: string; readonly obligations: Obligations; readonly revoked: AbortSignal };

/** What gives up as long as nothing was sent, who else takes the output, and whether it is only a step of ours: one that exits is not kept. */
export type StartOptions = {
  readonly tee?: Tee;
  readonly signals?: readonly (AbortSignal | undefined)[];
  readonly step?: boolean;
  /** What was asked for, where more is sent than that. */
  readonly asked?: Program | undefined;
  /** The terminal to run on, what is to run there, and how much of its output is kept. */
  readonly terminal?: { readonly line: TerminalLine; readonly inhabitant: Inhabitant; readonly keepBytes: number };
};

/** The commands of this process: started under a mark, kept by handle, stopped alone or together. */
export class Commands {
  readonly #parts: Parts;
  readonly #newMark: () => Mark;
  readonly #shelf: Shelf;
  /** Marks that may be alive on a host: asked for, and not known to have ended. */
  readonly #alive = new Map<Mark, Connection>();
  readonly #revoking = createRevoking({
    connectionOf: ({ mark }) => this.#alive.get(mark),
    stop: (connection, commands) => this.stopTogether(connection, commands, 'revoked'),
  });
  readonly #halt = new AbortController();
  readonly #shellOf: LoginShells;
  readonly #proved: Proofs;

  constructor(parts: Parts) {
    // Every start listens to it until it is sent: as many as may wait, and no leak.
    setMaxListeners(0, this.#halt.signal);
    this.#parts = parts;
    this.#shelf = new Shelf({ ...parts, forgotten: ({ mark }) => this.#release(mark) });
    this.#newMark = createMarks(parts.random);
    this.#shellOf = createLoginShells(parts.after, this.#halt.signal);
    this.#proved = createProofs({ newMark: this.#newMark, after: parts.after, halt: this.#halt.signal });
  }

  /**
   * Runs the action as it is given, known by its handle from now on; resolves when the host accepted it or it waits for a lane.
   * Rejects with `BUSY` when the grant has too many that run, and as `Connection.exec` does: the handle is unknown then.
   */
  async start(leave: Leave, action: Run, options: StartOptions = {}): Promise<RemoteCommand> {
    if (this.#halt.signal.aborted) throw goingDown();
    const { grant } = leave;
    const order = this.#order(leave, action, options);
    this.#shelf.makeRoom(grant, action.target.host);
    this.#expect(order.mark, order.connection);
    const { command, underway } = startCommand(order, { ...this.#parts, halted: () => this.#halt.signal.aborted });
    this.#keep(grant, command, options.step === true);
    try {
      await underway;
    } catch (error) {
      this.#shelf.remove(command);
      throw this.#halt.signal.aborted ? goingDown() : error;
    }
    void command.ended.then(once(leave.revoked, () => this.#revoking.soon(command)));
    if (options.step !== true && options.terminal === undefined)
      this.#show(grant, command, options.asked ?? action.program);
    return command;
  }

  #order(
    { grant, obligations, revoked }: Leave,
    action: Run,
    { tee, signals = [], step, terminal }: StartOptions,
  ): Order {
    const { caps, random, redaction } = this.#parts;
    const maxBytes = step === true ? undefined : obligations.maxOutputBytes;
    const connection = this.connectionTo(action.target);
    const mark = this.#newMark();
    // Refuses what cannot be sent before anything is dialled, and is right for any login shell.
    const anyText =
      terminal === undefined
        ? launchText({ ...action, mark }, 'other')
        : terminalText(terminal.inhabitant, mark, terminal.line.nonce);
    return {
      id: newCommandId(random),
      mark,
      connection,
      by: { grant, session: action.session },
      ...('canonical' in action.program
        ? { suits: (peer: Peer, giveUp: AbortSignal) => this.#proved(connection, giveUp, peer) }
        : {}),
      text: async giveUp => {
        if ('canonical' in action.program) {
          await this.proved(connection, giveUp);
          return anyText;
        }
        if (terminal !== undefined) return anyText;
        const shell = await this.#shellOf(connection, giveUp);
        return shell === 'posix' ? launchText({ ...action, mark }, shell) : anyText;
      },
      ...(action.stdin === undefined ? {} : { stdin: action.stdin }),
      ...(action.session === undefined ? {} : { session: action.session }),
      ...(tee === undefined ? {} : { tee }),
      ...(terminal === undefined ? {} : { terminal: terminal.line }),
      timeoutMs: Math.min(action.timeoutMs, obligations.timeoutMs ?? action.timeoutMs),
      leavingsMs: caps.leavingsMs,
      keepBytes: terminal?.keepBytes ?? caps.keepBytes,
      maxOutputBytes: Math.min(caps.maxOutputBytes, maxBytes ?? caps.maxOutputBytes),
      redaction,
      signals: [this.#halt.signal, revoked, ...signals],
      revoked,
    };
  }

  /** Resolves when a host passes canonical text on unchanged; rejects as `Proofs` do. */
  async proved(connection: Connection, giveUp: AbortSignal, peer?: Peer): Promise<void> {
    await this.#proved(connection, giveUp, peer);
  }

  get(grant: string, id: string): RemoteCommand {
    return this.#shelf.get(grant, id);
  }

  find(grant: string, id: string): RemoteCommand | undefined {
    return this.#shelf.find(grant, id);
  }

  of(grant: string): readonly RemoteCommand[] {
    return this.#shelf.of(grant);
  }

  /** What is kept of those of a grant that have ended. */
  kept(grant: string): KeptOutput {
    return this.#shelf.kept(grant);
  }

  /** Those that need the connection to a host: that are to be sent, that run, or that left something behind which holds their output. */
  needing(host: string): readonly RemoteCommand[] {
    return this.#shelf
      .all()
      .filter(command => command.host === host && (isRunning(command) || command.state().leavings?.open === true));
  }

  /**
   * Stops commands of one host by one look at it, so that many take no longer than one; their reports are in the same order.
   * What was not sent is taken back in this very turn, before a stop frees a lane for it.
   */
  stopTogether(connection: Connection, commands: readonly RemoteCommand[], cause: StopCause): Promise<StopReport[]> {
    const marks = commands.filter(({ accepted }) => accepted).map(({ mark }) => mark);
    const look = marks.length === 0 ? undefined : reap(connection, marks, this.#parts);
    return Promise.all(commands.map(command => command.stop(cause, look)));
  }

  /** Ends what needs the connection to a host that is gone or another now, and then that connection. */
  revokeOn(host: string): void {
    for (const { connection, stopped } of this.#revoking.now(this.needing(host)))
      void stopped.then(() => connection.close());
  }

  /** The connection to the account that was judged; `UNKNOWN_HOST` when it is configured otherwise by now. */
  connectionTo(target: Target): Connection {
    const connection = this.#parts.connections.get(target.host);
    const { user, address, port } = connection.host;
    if (user === target.user && address === target.address && port === target.port) return connection;
    throw new Failure('UNKNOWN_HOST', `${target.host} was configured anew in the meantime.`, { next: 'Call again.' });
  }

  /** Begins nothing more, and stops on every host what this process may have alive there. */
  async shutdown(): Promise<void> {
    this.#halt.abort();
    const running = this.#shelf.all().filter(isRunning);
    const hosts = new Set(this.#alive.values());
    await Promise.all(
      [...hosts].map(async connection => {
        const commands = running.filter(({ host }) => host === connection.host.name);
        const marks = [...this.#alive].filter(([, at]) => at === connection).map(([mark]) => mark);
        const look = reap(connection, marks, this.#parts);
        await Promise.all([look, ...commands.map(command => command.stop('cancelled', look))]);
      }),
    );
  }

  /** Resolves when every command that ran has its end. */
  async settled(): Promise<void> {
    await Promise.all(this.#shelf.all().map(({ ended }) => ended));
  }

  #keep(grant: string, command: RemoteCommand, step: boolean): void {
    this.#shelf.add(grant, command);
    void command.ended.then(end => {
      if (end.how !== 'lost' || end.unsent === true) this.#release(command.mark);
      if (step && end.how === 'exited') this.#forget(command);
      if ('stop' in end && end.stop.outcome === 'unconfirmed') this.#warn(command, end.stop);
    });
  }

  #warn(command: RemoteCommand, { signals, remaining }: StopReport): void {
    const { id, host } = command;
    this.#parts.log('warn', 'a stop was not confirmed', { host, command_id: id, signals, remaining });
  }

  #forget(command: RemoteCommand): void {
    this.#shelf.remove(command);
    this.#release(command.mark);
  }

  /** Nothing of it is to be stopped any more. */
  #release(mark: Mark): void {
    this.#alive.get(mark)?.release(mark);
    this.#alive.delete(mark);
  }

  #expect(mark: Mark, connection: Connection): void {
    this.#alive.set(mark, connection);
    const [oldest] = this.#alive.keys();
    if (this.#alive.size > MOST_ALIVE && oldest !== undefined) this.#alive.delete(oldest);
  }

  #show(grant: string, command: RemoteCommand, program: Program): void {
    const { overseer, redaction } = this.#parts;
    overseer?.began(overseenCommand(command, { grant, program, redaction }));
  }
}

/** As many marks as fit into one command line; those of commands whose end was never learned are the only ones that pile up. */
const MOST_ALIVE = 1_000;

const goingDown = (): Failure => new Failure('SHUTTING_DOWN', 'The server is ending, and begins nothing more.');
