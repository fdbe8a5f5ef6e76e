import type { Program, SessionId, Size, Target, Typed } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { keysOf } from '../../text/key.ts';
import type { Redaction } from '../../text/redact.ts';
import type { RemoteCommand } from '../command/command.ts';
import type { StopCause, StopReport } from '../command/end.ts';
import { isProven } from '../command/ending.ts';
import type { Output } from '../command/growing-text.ts';
import { type Eyes, reap } from '../command/reap.ts';
import type { Connection } from '../connection/connection.ts';
import type { Command } from '../fleet.ts';
import { bytesOfKey, bytesOfText } from './keys.ts';
import type { TerminalLine } from './terminal-line.ts';
import type { PasswordAnswer } from './terminal-password.ts';
import { type Screen, TerminalScreen } from './terminal-screen.ts';
import { settled, type Waiting } from './terminal-settle.ts';
import { LINE_BYTES, lookAtTty, type TtyReport } from './tty.ts';
import { stateOf, type TtyState } from './tty-state.ts';

/** What a look at a terminal found: its state, the programs in its foreground by the names that the host gives them, and whether one computes. */
export type TerminalLook = {
  readonly state: TtyState;
  readonly foreground: readonly string[];
  readonly busy: boolean;
};

/** A session on a terminal: one program, or the login shell. */
export type Terminal = {
  readonly id: SessionId;
  readonly host: string;
  readonly mode: 'program' | 'terminal';
  readonly size: Size;
  /** What runs on it, with the whole of its output; its end is the session's. */
  readonly command: Command;
  readonly transcript: Output;
  /** Asks the terminal's host what goes on; never rejects. */
  readonly look: () => Promise<TerminalLook>;
  /** Waits until it is quiet and waits for somebody, `ms` at most, and looks. */
  readonly settled: (waiting: Waiting) => Promise<TerminalLook>;
  /** The screen as a person would see it; `UNSUPPORTED` where no emulator is installed. */
  readonly screen: () => Promise<Screen>;
};

/** What one terminal is made of. */
export type Inside = {
  readonly id: SessionId;
  readonly target: Target;
  /** The program as it was asked for, for judging what is typed; undefined for the login shell. */
  readonly asked: Program | undefined;
  readonly line: TerminalLine;
  readonly command: RemoteCommand;
  readonly connection: Connection;
  /** What answers a question for a password, if anything does. */
  readonly password: PasswordAnswer | undefined;
};

/** What a terminal needs from outside. */
type Means = Eyes & { readonly redaction: Redaction };

/** Bytes that may wait for a host that takes none. */
const MOST_WAITING = 1_048_576;
/** At a password these go away from it. */
const LEAVING: ReadonlySet<string> = new Set(['ctrl-c', 'ctrl-d', 'ctrl-z', 'ctrl-\\']);

/** A terminal of a host, with the command that lives on it. */
export class RemoteTerminal implements Terminal {
  readonly id: SessionId;
  readonly host: string;
  readonly target: Target;
  readonly mode: 'program' | 'terminal';
  readonly asked: Program | undefined;
  readonly command: RemoteCommand;
  readonly #line: TerminalLine;
  readonly #connection: Connection;
  readonly #eyes: Means;
  readonly #password: PasswordAnswer | undefined;
  readonly #screen: TerminalScreen;
  #looking: Promise<TtyReport | undefined> | undefined;

  constructor({ id, target, asked, line, command, connection, password }: Inside, eyes: Means) {
    this.id = id;
    this.host = target.host;
    this.target = target;
    this.mode = asked === undefined ? 'terminal' : 'program';
    this.asked = asked;
    this.command = command;
    this.#line = line;
    this.#connection = connection;
    this.#password = password;
    this.#eyes = eyes;
    this.#screen = new TerminalScreen(line, eyes);
    void command.ended.then(() => this.#screen.free());
  }

  get size(): Size {
    return this.#line.size;
  }

  get transcript(): Output {
    return this.command.stdout;
  }

  get ended(): boolean {
    return this.command.state().end !== undefined;
  }

  async look(): Promise<TerminalLook> {
    const look = this.#lookFrom(await this.#report());
    const answered = await this.#password?.to(look, text => this.#line.write(text));
    return answered === true ? { ...look, state: 'running' } : look;
  }

  async settled(waiting: Waiting): Promise<TerminalLook> {
    return await settled(this, waiting, this.#eyes.after);
  }

  async screen(): Promise<Screen> {
    return await this.#screen.read();
  }

  /**
   * Types what was permitted, after a change of the size where one is asked for. Refuses to answer a password (`PASSWORD_ASKED`), what the
   * terminal would cut (`INVALID_INPUT`), and to type where nobody reads any more (`UNKNOWN_ID`, `BUSY`).
   */
  async type({ size, text = '', keys = [] }: Typed): Promise<void> {
    if (this.ended) throw this.#over();
    const named = [...keysOf(text), ...keys];
    if (named.length > 0) this.#allow(await this.#report(), text, named);
    if (this.ended) throw this.#over();
    if (size !== undefined) this.#line.resize(size);
    const { modes } = this.#line;
    this.#line.write(bytesOfText(text, modes) + keys.map(key => bytesOfKey(key, modes)).join(''));
  }

  /** Stops what runs and what it left behind, also behind itself; says what that proved. */
  async end(cause: StopCause): Promise<StopReport> {
    const { end } = this.command.state();
    if (end === undefined || 'stop' in end || !isProven(end)) return await this.command.stop(cause);
    const { proven, ...found } = await reap(this.#connection, [this.command.mark], this.#eyes);
    const nothing = found.signals.length === 0;
    return { outcome: proven ? (nothing ? 'already_ended' : 'confirmed') : 'unconfirmed', ...found };
  }

  /** One look for all who ask while it is under way. */
  #report(): Promise<TtyReport | undefined> {
    const { tty } = this.#line;
    if (tty === undefined || this.ended) return Promise.resolve(undefined);
    this.#looking ??= lookAtTty(this.#connection, tty, this.#eyes).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  #lookFrom(report: TtyReport | undefined): TerminalLook {
    if (this.ended) return { state: 'ended', foreground: [], busy: false };
    const shell = this.mode === 'terminal' ? this.#line.tty?.leader : undefined;
    const foreground = [...new Set(report?.foreground.map(({ name }) => name))];
    const busy = report?.foreground.some(({ state }) => state === 'R' || state === 'D') === true;
    return { state: stateOf(report, this.#line.modes, shell), foreground, busy };
  }

  #allow(report: TtyReport | undefined, text: string, named: readonly string[]): void {
    if (this.#lookFrom(report).state === 'password' && !named.every(key => LEAVING.has(key)))
      throw new Failure('PASSWORD_ASKED', `A password is asked for in session ${this.id}; nothing was typed.`);
    const longest = text.split(/[\r\n]/).reduce((most, line) => Math.max(most, Buffer.byteLength(line)), 0);
    if (report?.lines === true && longest > LINE_BYTES)
      throw new Failure('INVALID_INPUT', `The terminal takes lines of ${LINE_BYTES} bytes and would cut this one.`, {
        next: 'Send it to a file with ssh_exec and stdin, or in shorter lines.',
      });
    if (this.#line.waiting > MOST_WAITING)
      throw new Failure('BUSY', `${this.host} has not taken what was typed before.`, {
        next: 'Wait, or end the session with ssh_session_end.',
      });
  }

  #over(): Failure {
    return new Failure('UNKNOWN_ID', `What ran in session ${this.id} has ended; nothing was typed.`, {
      next: 'Read its last output with ssh_session_read, and start another session.',
    });
  }
}
