import type { Outcome } from '../../audit/record.ts';
import { newSessionId, type Open, type Run, type SessionId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Parts } from '../caps.ts';
import type { Commands, Leave, StartOptions } from '../command/commands.ts';
import type { StopCause, StopReport } from '../command/end.ts';
import { stoppedByOperator } from '../command/outcome.ts';
import type { Line } from '../fleet.ts';
import { unsent } from '../given-up.ts';
import { overseenSession } from '../overseen.ts';
import { Registry } from '../registry.ts';
import { type Ground, readGround, surveyAction } from './ground.ts';
import { ManagedSession } from './session.ts';
import { FORGOTTEN, type SessionPlaces } from './session-places.ts';
import { collect } from './step.ts';

type Entry = {
  readonly session: ManagedSession;
  readonly openedMono: number;
  usedMono: number;
  readonly settle: (outcome: Outcome) => void;
  readonly leavePlace: () => void;
  callOffIdle: () => void;
  callOffLife: () => void;
};

type By = { readonly by?: 'operator' };

/** A session that has just begun, and how it will have ended. */
export type Begun = { readonly session: ManagedSession; readonly ended: Promise<Outcome> };

const OPEN_MS = 30_000;
const never = (): AbortSignal => new AbortController().signal;

/** The managed sessions of this process: nothing of them lives on a host between two lines. */
export class Sessions {
  readonly #parts: Parts;
  readonly #commands: Commands;
  readonly #registry = new Registry<SessionId, Entry>('session', FORGOTTEN);
  readonly #places: SessionPlaces;

  constructor(parts: Parts, commands: Commands, places: SessionPlaces) {
    this.#parts = parts;
    this.#commands = commands;
    this.#places = places;
  }

  /** Asks the host where the account begins; `BUSY` when the grant has too many, `UNSUPPORTED` when the host has no usable shell. */
  async open(leave: Leave, action: Open, signal?: AbortSignal): Promise<Begun> {
    const { caps, random } = this.#parts;
    const { grant } = leave;
    const leavePlace = this.#places.take(grant, action.target.host);
    try {
      const ground = await this.#survey(leave, action, signal);
      const release = this.#commands.connectionTo(action.target).hold();
      const id = newSessionId(random);
      const session = new ManagedSession({
        id,
        target: action.target,
        ground,
        newName: () => random(16).toString('hex'),
        keepBytes: caps.keepBytes,
      });
      let settle: Entry['settle'] = () => undefined;
      const ended = new Promise<Outcome>(resolve => {
        settle = resolve;
      });
      void ended.then(release);
      this.#keep(grant, { session, settle, leavePlace }, ended);
      return { session, ended };
    } catch (error) {
      leavePlace();
      throw error;
    }
  }

  #keep(grant: string, made: Pick<Entry, 'session' | 'settle' | 'leavePlace'>, ended: Promise<Outcome>): void {
    const { caps, clock, after, overseer } = this.#parts;
    const now = clock.monoMs();
    const never = (): void => undefined;
    const entry: Entry = { ...made, openedMono: now, usedMono: now, callOffIdle: never, callOffLife: never };
    const { session } = made;
    this.#registry.add(grant, session.id, entry);
    this.#awaitIdle(entry);
    entry.callOffLife = after(caps.sessionLifeMs, () => void this.#close(entry, 'expired'));
    const life = {
      ...{ clock, openedMono: now, usedMono: () => entry.usedMono, ended: ended.then(({ how }) => how) },
      open: () => this.#registry.find(grant, session.id) !== undefined,
      end: () => this.#endByOperator(entry),
    };
    overseer?.began(overseenSession(session, { grant }, life));
  }

  /** How long a session of the grant was not used, and may still live. */
  lifeOf(grant: string, id: string): { readonly idleMs: number; readonly leftMs: number } {
    const { openedMono, usedMono } = this.#registry.get(grant, id);
    const now = this.#parts.clock.monoMs();
    return { idleMs: now - usedMono, leftMs: Math.max(0, openedMono + this.#parts.caps.sessionLifeMs - now) };
  }

  #endByOperator(entry: Entry): Promise<StopReport> {
    if (entry.session.running !== undefined) stoppedByOperator(entry.session.running);
    return this.#close(entry, 'ended', 'cancelled', { by: 'operator' });
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
    // What a rule says of a line's output and time is not said of the session's own steps, and what a line left is removed at any rate.
    const own: Leave = { grant: leave.grant, obligations: {}, revoked: leave.revoked };
    const leaveOf = ({ step, signals }: StartOptions = {}): Leave =>
      step !== true ? leave : signals === undefined ? { ...own, revoked: never() } : own;
    const line = await session.send(action, async (run, options) => {
      const command = await this.#commands.start(leaveOf(options), run, {
        ...options,
        asked: action.program,
        // What fetches the doing of a line that has ended is not given up with the call that sent it.
        signals: options?.signals === undefined ? [] : [...options.signals, signal],
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

  /** Ends those on a host that is gone, or another now. */
  revokeOn(host: string): void {
    for (const entry of this.#registry.all())
      if (entry.session.host === host) void this.#close(entry, 'revoked', 'revoked');
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

  async #survey(leave: Leave, action: Open, signal?: AbortSignal): Promise<Ground> {
    const { tee, bytes } = collect();
    const command = await this.#commands.start(leave, surveyAction(action, OPEN_MS), {
      tee,
      step: true,
      signals: [signal],
    });
    const end = await command.ended;
    const ground = end.how === 'exited' && end.code === 0 ? readGround(bytes()) : undefined;
    if (ground !== undefined) return ground;
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
    entry.usedMono = this.#parts.clock.monoMs();
    entry.callOffIdle = this.#parts.after(this.#parts.caps.sessionIdleMs, () => {
      if (entry.session.idle) void this.#close(entry, 'idle');
    });
  }

  #close(entry: Entry, how: string, cause: StopCause = 'cancelled', more: By = {}): Promise<StopReport> {
    this.#remove(entry, how, more);
    return entry.session.end(cause);
  }

  #remove(entry: Entry, how: string, more: By = {}): void {
    entry.callOffIdle();
    entry.callOffLife();
    entry.leavePlace();
    this.#registry.remove(entry.session.id);
    entry.settle({ how, ...more, duration_ms: Math.round(this.#parts.clock.monoMs() - entry.openedMono) });
  }
}
