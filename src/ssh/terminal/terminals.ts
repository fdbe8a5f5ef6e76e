import type { Outcome } from '../../audit/record.ts';
import { newSessionId, type Open, type Run, type SessionId, type Type } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Parts } from '../caps.ts';
import type { RemoteCommand } from '../command/command.ts';
import type { Commands, Leave } from '../command/commands.ts';
import type { StopReport } from '../command/end.ts';
import { outcomeOf } from '../command/outcome.ts';
import { overseenTerminal } from '../overseen.ts';
import { Registry } from '../registry.ts';
import { FORGOTTEN, type SessionPlaces } from '../session/session-places.ts';
import { RemoteTerminal } from './terminal.ts';
import { TerminalLine } from './terminal-line.ts';
import { answerTo } from './terminal-password.ts';

/** A session that begins on a terminal. */
export type OpenTerminal = Exclude<Open, { mode: 'managed' }>;

type Entry = { readonly terminal: RemoteTerminal; readonly openedMono: number; usedMono: number; callOff: () => void };

/** Safe text kept of one. */
const KEEP_BYTES = 262_144;

/** The sessions on terminals of this process: each a command with a terminal, kept by handle beyond its end. */
export class Terminals {
  readonly #parts: Parts;
  readonly #commands: Commands;
  readonly #places: SessionPlaces;
  readonly #registry = new Registry<SessionId, Entry>('session', FORGOTTEN);

  constructor(parts: Parts, commands: Commands, places: SessionPlaces) {
    this.#parts = parts;
    this.#commands = commands;
    this.#places = places;
  }

  /** Starts the program or the login shell on a terminal; rejects as `Commands.start` does, and `BUSY` when the grant has too many. */
  async open(
    leave: Leave,
    action: OpenTerminal,
    signal?: AbortSignal,
  ): Promise<{ readonly terminal: RemoteTerminal; readonly ended: Promise<Outcome> }> {
    const { caps, random } = this.#parts;
    const { target, size } = action;
    const { program, asked } = action.mode === 'program' ? action : { program: undefined, asked: undefined };
    const leavePlace = this.#places.take(leave.grant, action.target.host);
    try {
      // A startup file's output ends in anything but this character.
      const line = new TerminalLine(`\u0002${random(8).toString('hex')}`, size);
      const run: Run = {
        kind: 'exec',
        target,
        program: program ?? { text: '' },
        env: {},
        timeoutMs: caps.sessionLifeMs,
      };
      const inhabitant = program ?? 'shell';
      const keepBytes = Math.min(KEEP_BYTES, caps.keepBytes);
      const command = await this.#commands.start(leave, run, {
        terminal: { line, inhabitant, keepBytes },
        signals: [signal],
      });
      if (!command.accepted) throw await this.#takeBack(command);
      const connection = this.#commands.connectionTo(target);
      const id = newSessionId(random);
      const password = answerTo(program, connection.host.sudoPassword, error => this.#warn(target.host, error));
      const terminal = new RemoteTerminal({ id, target, asked, line, command, connection, password }, this.#parts);
      this.#keep(leave.grant, terminal, leavePlace);
      return { terminal, ended: outcomeOf(command) };
    } catch (error) {
      leavePlace();
      throw error;
    }
  }

  find(grant: string, id: string): RemoteTerminal | undefined {
    return this.#registry.find(grant, id)?.terminal;
  }

  get(grant: string, id: string): RemoteTerminal {
    const entry = this.#registry.get(grant, id);
    this.#use(entry);
    return entry.terminal;
  }

  of(grant: string): readonly RemoteTerminal[] {
    return this.#registry.of(grant).map(({ terminal }) => terminal);
  }

  /** How long a session of the grant was not used, and may still live. */
  lifeOf(grant: string, id: string): { readonly idleMs: number; readonly leftMs: number } {
    const { openedMono, usedMono } = this.#registry.get(grant, id);
    const now = this.#parts.clock.monoMs();
    return { idleMs: now - usedMono, leftMs: Math.max(0, openedMono + this.#parts.caps.sessionLifeMs - now) };
  }

  /** Types into one; says from where on the output is what came of it. */
  async type(grant: string, action: Type): Promise<{ readonly terminal: RemoteTerminal; readonly from: number }> {
    const terminal = this.get(grant, action.session);
    const from = terminal.transcript.length;
    await terminal.type(action.typed);
    return { terminal, from };
  }

  /** Ends one; its handle is unknown from then on. */
  async end(grant: string, id: string): Promise<{ readonly session: RemoteTerminal; readonly report: StopReport }> {
    const entry = this.#registry.get(grant, id);
    this.#remove(entry);
    return { session: entry.terminal, report: await entry.terminal.end('cancelled') };
  }

  /** Forgets those of a grant on one host, whose commands are stopped with all others there. */
  forgetOn(grant: string, host: string): void {
    for (const entry of this.#registry.of(grant)) if (entry.terminal.host === host) this.#remove(entry);
  }

  /** Forgets all of them, without touching what runs. */
  shutdown(): void {
    for (const entry of this.#registry.all()) this.#remove(entry);
  }

  #warn(host: string, error: unknown): void {
    const why = error instanceof Failure ? (error.operator ?? error.message) : String(error);
    this.#parts.log('warn', 'the password for sudo could not be had', { host, why });
  }

  /** Nobody types into what has yet to begin. */
  async #takeBack(command: RemoteCommand): Promise<Failure> {
    await command.stop('cancelled');
    return new Failure('BUSY', `All lanes to ${command.host} are taken, so the session was not started.`, {
      next: 'End something that runs there, then call again.',
    });
  }

  #keep(grant: string, terminal: RemoteTerminal, leavePlace: () => void): void {
    const { clock, overseer, redaction } = this.#parts;
    const now = clock.monoMs();
    const entry: Entry = { terminal, openedMono: now, usedMono: now, callOff: () => undefined };
    this.#registry.add(grant, terminal.id, entry);
    this.#use(entry);
    const end = async (): Promise<StopReport> => {
      this.#remove(entry);
      return await terminal.end('cancelled');
    };
    const life = { clock, openedMono: now, usedMono: () => entry.usedMono, end };
    overseer?.began(overseenTerminal(terminal, { grant, program: terminal.asked, redaction }, life));
    void terminal.command.ended.then(() => {
      leavePlace();
      this.#use(entry);
      this.#forgetOldest(grant);
    });
  }

  /** Those that have ended are kept to be read, as many as may be open. */
  #forgetOldest(grant: string): void {
    const ended = this.#registry.of(grant).filter(({ terminal }) => terminal.ended);
    const [oldest] = ended;
    if (ended.length > this.#parts.caps.sessionsPerGrant && oldest !== undefined) this.#remove(oldest);
  }

  /** It was used, or has ended: from now on it may be idle for so long. */
  #use(entry: Entry): void {
    entry.callOff();
    if (!this.#registry.all().includes(entry)) return;
    entry.usedMono = this.#parts.clock.monoMs();
    const { sessionIdleMs, keepEndedMs } = this.#parts.caps;
    entry.callOff = this.#parts.after(entry.terminal.ended ? keepEndedMs : sessionIdleMs, () => {
      this.#remove(entry);
      if (!entry.terminal.ended) void entry.terminal.end('cancelled');
    });
  }

  #remove(entry: Entry): void {
    entry.callOff();
    this.#registry.remove(entry.terminal.id);
  }
}
