import type { Outcome } from '../audit/record.ts';
import { newSessionId, type Open, type Run, type SessionId } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Parts } from './caps.ts';
import type { Commands, Leave } from './commands.ts';
import type { StopCause, StopReport } from './end.ts';
import type { Line } from './fleet.ts';
import { unsent } from './given-up.ts';
import { Registry } from './registry.ts';
import { ManagedSession } from './session.ts';
import { isKeepable } from './step.ts';

type Entry = {
  readonly session: ManagedSession;
  readonly openedMono: number;
  readonly settle: (outcome: Outcome) => void;
  callOffIdle: () => void;
};

/** A session that has just begun, and how it will have ended. */
export type Begun = { readonly session: ManagedSession; readonly ended: Promise<Outcome> };

const OPEN_MS = 30_000;
const FORGOTTEN = 'A session is over once it was ended or nothing was sent to it for long.';

/** The managed sessions of this process: nothing of them lives on a host between two lines. */
export class Sessions {
  readonly #parts: Parts;
  readonly #commands: Commands;
  readonly #registry = new Registry<SessionId, Entry>('session', FORGOTTEN);
  readonly #opening = new Map<string, number>();

  constructor(parts: Parts, commands: Commands) {
    this.#parts = parts;
    this.#commands = commands;
  }

  /** Asks the host where the account begins; `BUSY` when the grant has too many, `UNSUPPORTED` when the host has no usable shell. */
  async open(leave: Leave, action: Open, signal?: AbortSignal): Promise<Begun> {
    const { caps, clock, random } = this.#parts;
    const { grant } = leave;
    const others = this.#opening.get(grant) ?? 0;
    if (this.#registry.of(grant).length + others >= caps.sessionsPerGrant)
      throw new Failure('BUSY', `${caps.sessionsPerGrant} sessions of this grant are open.`, {
        next: 'End one with ssh_session_end, then call again.',
      });
    this.#opening.set(grant, others + 1);
    try {
      const cwd = await this.#home(leave, action, signal);
      const id = newSessionId(random);
      const session = new ManagedSession({ id, target: action.target, cwd, keepBytes: caps.keepBytes });
      let settle: Entry['settle'] = () => undefined;
      const ended = new Promise<Outcome>(resolve => {
        settle = resolve;
      });
      const entry: Entry = { session, openedMono: clock.monoMs(), settle, callOffIdle: () => undefined };
      this.#registry.add(grant, id, entry);
      this.#awaitIdle(entry);
      return { session, ended };
    } finally {
      this.#opening.set(grant, (this.#opening.get(grant) ?? 1) - 1);
    }
  }

  get(grant: string, id: string): ManagedSession {
    return this.#registry.get(grant, id).session;
  }

  find(grant: string, id: string): ManagedSession | undefined {
    return this.#registry.find(grant, id)?.session;
  }

  of(grant: string): readonly ManagedSession[] {
    return this.#registry.of(grant).map(({ session }) => session);
  }

  /** Runs one line of the session that the action names. */
  async send(leave: Leave, action: Run, signal?: AbortSignal): Promise<{ session: ManagedSession; line: Line }> {
    const entry = this.#registry.get(leave.grant, action.session ?? '');
    const { session } = entry;
    const line = await session.send(action, async (run, options) => {
      const command = await this.#commands.start(leave, run, {
        ...options,
        signals: [...(options?.signals ?? []), signal],
      });
      void command.ended.then(() => this.#awaitIdle(entry));
      return command;
    });
    this.#awaitIdle(entry);
    return { session, line };
  }

  /** Ends one session; its handle is unknown from then on. */
  async end(grant: string, id: string): Promise<{ session: ManagedSession; report: StopReport }> {
    const entry = this.#registry.get(grant, id);
    return { session: entry.session, report: await this.#close(entry, 'ended') };
  }

  /** Ends a session, if it is still open, because it is no longer allowed. */
  revoke(id: SessionId): void {
    const entry = this.#registry.all().find(({ session }) => session.id === id);
    if (entry !== undefined) void this.#close(entry, 'revoked', 'revoked');
  }

  /** Ends the sessions of a grant on one host. */
  async endOn(grant: string, host: string): Promise<void> {
    const entries = this.#registry.of(grant).filter(({ session }) => session.host === host);
    await Promise.all(entries.map(entry => this.#close(entry, 'disconnected')));
  }

  /** Forgets all of them, without touching what runs. */
  shutdown(): void {
    for (const entry of this.#registry.all()) {
      this.#remove(entry, 'shut_down');
      entry.session.transcript.finish();
    }
  }

  async #home(leave: Leave, action: Open, signal?: AbortSignal): Promise<string> {
    const run: Run = {
      kind: 'exec',
      target: action.target,
      program: { argv: ['/bin/sh', '-c', 'pwd -P'] },
      env: {},
      timeoutMs: OPEN_MS,
    };
    const command = await this.#commands.start(leave, run, { step: true, signals: [signal] });
    const end = await command.ended;
    const cwd = command.stdout.read(0, 8192).text.replace(/\n$/, '');
    if (end.how === 'exited' && end.code === 0 && isKeepable(cwd)) return cwd;
    if (end.how === 'lost') throw end.why;
    if (end.how === 'revoked' || end.how === 'cancelled') throw unsent();
    const said = command.stderr.read(0, 300).text.trim();
    throw new Failure(
      'UNSUPPORTED',
      `${action.target.host} has no shell that a session can use${said === '' ? '' : `: ${said}`}.`,
      {
        next: 'Try ssh_exec with argv.',
      },
    );
  }

  #awaitIdle(entry: Entry): void {
    entry.callOffIdle();
    if (!this.#registry.all().includes(entry)) return;
    entry.callOffIdle = this.#parts.after(this.#parts.caps.sessionIdleMs, () => {
      if (entry.session.idle) void this.#close(entry, 'idle');
    });
  }

  #close(entry: Entry, how: string, cause: StopCause = 'cancelled'): Promise<StopReport> {
    this.#remove(entry, how);
    return entry.session.end(cause);
  }

  #remove(entry: Entry, how: string): void {
    entry.callOffIdle();
    this.#registry.remove(entry.session.id);
    entry.settle({ how, duration_ms: Math.round(this.#parts.clock.monoMs() - entry.openedMono) });
  }
}
