import type {
  Action,
  Clock,
  CommandId,
  Connect,
  Log,
  Observe,
  Open,
  Random,
  Run,
  SessionId,
  Stop,
  Target,
} from '../call.ts';
import { Failure } from '../errors.ts';
import type { Permit } from '../gate/permit.ts';
import { CAPS, type Caps, type Parts } from './caps.ts';
import { Commands } from './commands.ts';
import type { Connections } from './connection.ts';
import { createDirectory } from './directory.ts';
import type { End, Standing, StopCause, Stopped, StopReport } from './end.ts';
import { once } from './giving-up.ts';
import type { Host } from './host.ts';
import { createHostDesk } from './host-desk.ts';
import { outcomeOf } from './outcome.ts';
import type { Grace } from './reap.ts';
import { Sessions } from './sessions.ts';
import { type After, after, within } from './timer.ts';

/** A bounded piece of safe text: `next` continues it, `dropped` bytes before it are gone, `more` says that bytes after it are kept. */
export type Piece = {
  readonly text: string;
  readonly from: number;
  readonly next: number;
  readonly dropped: number;
  readonly more: boolean;
};

/** One stream's output, made safe to read as it arrives; cursors are byte offsets into the safe UTF-8 text and stay valid. */
export type Output = {
  /** From `cursor` (or the oldest byte kept), at most `maxBytes`, never inside a character. */
  readonly read: (cursor: number, maxBytes: number) => Piece;
  /** Bytes of safe text so far: the cursor after the last. */
  readonly length: number;
  /** Raw bytes received, and their SHA-256 so far. */
  readonly received: () => { readonly bytes: number; readonly sha256: string };
  /** Resolves when bytes arrive after `cursor`, or when the stream has ended. */
  readonly grown: (cursor: number) => Promise<void>;
};

/** One command on one channel, from its start, which may have to wait for a lane, to its end. */
export type Command = {
  readonly id: CommandId;
  readonly host: string;
  readonly startedAt: number;
  readonly session?: SessionId;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Settles once, never rejects. */
  readonly ended: Promise<End>;
  readonly state: () => Standing;
  /** Takes back what was not sent, or stops the whole remote process tree and says what was proved; it then ends with `cause`. */
  readonly stop: (cause: StopCause) => Promise<StopReport>;
};

/** A managed session: lines that share a directory and an environment. */
export type Session = {
  readonly id: SessionId;
  readonly host: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What its lines wrote, stdout and stderr in the order of arrival. */
  readonly transcript: Output;
  /** The line that runs now. */
  readonly running: Command | undefined;
  /** The command line that ended last. */
  readonly last: Command | undefined;
};

/** What became of a line: a command, or something that the session itself did (`cd`, `export`, `unset`). */
export type Line =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'done'; readonly code: number; readonly stdout: string; readonly stderr: string };

/** A configured host as an agent may see it. */
export type HostView = {
  readonly name: string;
  readonly user: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly state: 'idle' | 'connecting' | 'ready' | 'closed';
  readonly key: 'pinned' | 'known' | 'unknown' | 'changed' | 'revoked';
};

/** An open connection: the server's own version text (made safe), its key's SHA-256, and the round trip. */
export type ConnectionView = {
  readonly host: string;
  readonly state: HostView['state'];
  readonly server: string;
  readonly fingerprint: string;
  readonly roundTripMs: number;
};

/** Everything of one grant that is open. */
export type Status = {
  readonly connections: readonly {
    readonly host: string;
    readonly state: HostView['state'];
    readonly channels: number;
  }[];
  readonly commands: readonly {
    readonly command_id: CommandId;
    readonly host: string;
    readonly status: string;
    readonly duration_ms: number;
    /** It waits for a lane, with so many channels of its host in use. */
    readonly queued?: number;
    /** Why nothing was sent. */
    readonly unsent?: string;
    /** Something that it left behind holds its output, and a lane. */
    readonly output_held?: true;
  }[];
  readonly sessions: readonly {
    readonly session_id: SessionId;
    readonly host: string;
    readonly cwd: string;
    readonly running?: CommandId;
  }[];
};

/** What a call may be about, for naming its action before the gate: reads configuration and our own handles, nothing remote. */
export type Directory = {
  /** `UNKNOWN_HOST`, with the nearest names, when it is not configured. */
  readonly target: (host: string) => Target;
  /** Where a line of this session would run; `UNKNOWN_ID` when the grant has no such session. */
  readonly session: (
    grant: string,
    id: string,
  ) => {
    readonly id: SessionId;
    readonly target: Target;
    readonly cwd: string;
    readonly home: string;
    readonly env: Readonly<Record<string, string>>;
  };
  /** Which host a handle of this grant belongs to, if there is one: for limits per host. */
  readonly hostOf: (grant: string, action: Action) => string | undefined;
};

/**
 * The only door to remote hosts: every method takes a permit. A handle of another grant answers as an unknown one.
 * `signal` gives up as long as nothing was sent; what was sent has to be stopped.
 */
export type Fleet = {
  readonly directory: Directory;
  readonly hosts: (permit: Permit<Observe>) => Promise<readonly HostView[]>;
  readonly status: (permit: Permit<Observe>) => Status;
  readonly connect: (permit: Permit<Connect>, signal?: AbortSignal) => Promise<ConnectionView>;
  readonly disconnect: (
    permit: Permit<Stop>,
  ) => Promise<{ readonly host: string; readonly stopped: readonly Stopped[] }>;
  /** Resolves when the host accepted the command, or as soon as it has to wait for a lane; rejects when it was not sent before. */
  readonly run: (permit: Permit<Run>, signal?: AbortSignal) => Promise<Command>;
  readonly command: (permit: Permit<Observe>) => Command;
  readonly cancel: (permit: Permit<Stop>) => Promise<{ readonly command: Command; readonly report: StopReport }>;
  readonly open: (permit: Permit<Open>, signal?: AbortSignal) => Promise<Session>;
  readonly send: (
    permit: Permit<Run>,
    signal?: AbortSignal,
  ) => Promise<{ readonly session: Session; readonly line: Line }>;
  readonly session: (permit: Permit<Observe>) => Session;
  readonly end: (permit: Permit<Stop>) => Promise<{ readonly session: Session; readonly report: StopReport }>;
  /** Ends remote work of this process as well as can be done within `budgetMs`, then drops every socket. */
  readonly shutdown: (budgetMs: number) => Promise<void>;
};

/** What a fleet is made of: silence, the real timers and the usual caps unless given. */
export type FleetParts = {
  readonly hosts: readonly Host[];
  readonly connections: Connections;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  readonly after?: After;
  readonly graceMs?: Grace;
  readonly caps?: Partial<Caps>;
};

/** A fleet over these hosts; nothing is dialled. */
export const createFleet = (parts: FleetParts): Fleet => {
  const usual = { log: () => undefined, after };
  const whole: Parts = { ...usual, ...parts, caps: { ...CAPS, ...parts.caps } };
  const commands = new Commands(whole);
  const sessions = new Sessions(whole, commands);
  return {
    directory: createDirectory(parts.hosts, commands, sessions),
    ...createHostDesk(whole, parts.hosts, commands, sessions),
    run: async (permit, signal) => {
      const command = await commands.start(permit, permit.spend(), { signals: [signal] });
      permit.livesUntil(outcomeOf(command));
      return command;
    },
    command: permit => commands.get(permit.grant, handleOf(permit, 'command')),
    cancel: async permit => {
      const command = commands.get(permit.grant, handleOf(permit, 'command'));
      return { command, report: await command.stop('cancelled') };
    },
    open: async (permit, signal) => {
      const { session, ended } = await sessions.open(permit, permit.spend(), signal);
      permit.livesUntil(ended);
      once(permit.revoked, () => sessions.revoke(session.id));
      return session;
    },
    send: async (permit, signal) => {
      const sent = await sessions.send(permit, permit.spend(), signal);
      if (sent.line.kind === 'command') permit.livesUntil(outcomeOf(sent.line.command));
      return sent;
    },
    session: permit => sessions.get(permit.grant, handleOf(permit, 'session')),
    end: async permit => await sessions.end(permit.grant, handleOf(permit, 'session')),
    shutdown: async budgetMs => await shutDown(whole, commands, sessions, budgetMs),
  };
};

/** The handle that a permitted look or stop is about. */
const handleOf = (permit: Permit<Observe> | Permit<Stop>, what: 'command' | 'session'): string => {
  const action = permit.spend();
  if (action.what === what && 'id' in action) return action.id;
  throw new Failure('DEFECT', `A permit to ${action.kind} ${action.what} was spent on a ${what}.`);
};

/** What telling the ends may take once every channel has closed. */
const LAST_MS = 20;

/** The reaper on each host goes on by itself when the sockets are dropped; commands have their ends before this resolves. */
const shutDown = async (parts: Parts, commands: Commands, sessions: Sessions, budgetMs: number): Promise<void> => {
  sessions.shutdown();
  await within(parts.after, budgetMs, commands.shutdown());
  parts.connections.closeAll();
  await within(parts.after, LAST_MS, commands.settled());
};
