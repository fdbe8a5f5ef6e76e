import type {
  Clock,
  CommandId,
  Connect,
  Forward,
  Log,
  Observe,
  Open,
  Random,
  Run,
  SessionId,
  Stop,
  Transfer,
  Type,
} from '../call.ts';
import type { Permit } from '../gate/permit.ts';
import type { Handles } from '../state/handles.ts';
import { memoryStore } from '../state/memory.ts';
import { CAPS, type Caps, type Parts } from './caps.ts';
import { createCommandDesk } from './command/command-desk.ts';
import { Commands } from './command/commands.ts';
import { DetachedCommands } from './command/detached-commands.ts';
import type { End, Standing, StopCause, Stopped, StopReport } from './command/end.ts';
import type { GrowingText, Output } from './command/growing-text.ts';
import type { Grace } from './command/reap.ts';
import type { Connections } from './connection/connection.ts';
import { createDirectory, type Directory } from './directory.ts';
import { heldSecrets } from './held-secrets.ts';
import { createHostDesk } from './host-desk.ts';
import type { Inventory } from './inventory.ts';
import type { Overseer } from './overseer.ts';
import { createSessionDesk } from './session/session-desk.ts';
import { SessionPlaces } from './session/session-places.ts';
import { Sessions } from './session/sessions.ts';
import type { Terminal } from './terminal/terminal.ts';
import { Terminals } from './terminal/terminals.ts';
import { type After, after, within } from './timer.ts';
import type { Files } from './transfer/files.ts';
import type { TransferMoment, Transferred } from './transfer/transfer.ts';
import { Transfers } from './transfer/transfers.ts';
import type { TunnelView } from './tunnel/tunnel.ts';
import { Tunnels } from './tunnel/tunnels.ts';
import type { ConnectionView, HostView, Status } from './views.ts';

/** One command on one channel, from its start, which may have to wait for a lane, to its end. */
export type Command = {
  readonly id: CommandId;
  readonly host: string;
  readonly startedAt: number;
  readonly session?: SessionId;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Both in the order in which they arrived here, which across two streams of SSH need not be the order in which they were written. */
  readonly both: GrowingText;
  /** It outlives this process, and its host keeps what it writes. */
  readonly detached?: true;
  /** Settles once, never rejects. */
  readonly ended: Promise<End>;
  readonly state: () => Standing;
  /** Takes back what was not sent, or stops the whole remote process tree and says what was proved; it then ends with `cause`. */
  readonly stop: (cause: StopCause) => Promise<StopReport>;
};

/** A managed session: lines that share a directory and an environment. */
export type Session = {
  readonly mode: 'managed';
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
  /** What that line did to directory and environment and the session does not keep. */
  readonly note: string | undefined;
};

/**
 * What became of a line: a command, or something that the session itself did (`cd`, `export`, `unset`). `note` settles when
 * the session stands as the ended line left it, and says what it could not keep; it never rejects.
 */
export type Line =
  | { readonly kind: 'command'; readonly command: Command; readonly note: Promise<string | undefined> }
  | { readonly kind: 'done'; readonly code: number; readonly stdout: string; readonly stderr: string };

/** What became of something sent to a session: a line of a managed one, or typed; what came of that begins at `from`. */
export type Sent =
  | { readonly kind: 'line'; readonly session: Session; readonly line: Line }
  | { readonly kind: 'typed'; readonly terminal: Terminal; readonly from: number };

/**
 * The only door to remote hosts: every method takes a permit. A handle of another grant answers as an unknown one.
 * `signal` gives up as long as nothing was sent; what was sent has to be stopped.
 */
export type Fleet = {
  readonly directory: Directory;
  /** Resolves when the hosts have been read once; never rejects. To be awaited before an action is named. */
  readonly ready: () => Promise<void>;
  readonly hosts: (permit: Permit<Observe>) => Promise<readonly HostView[]>;
  readonly status: (permit: Permit<Observe>) => Promise<Status>;
  readonly connect: (permit: Permit<Connect>, signal?: AbortSignal) => Promise<ConnectionView>;
  readonly disconnect: (
    permit: Permit<Stop>,
  ) => Promise<{ readonly host: string; readonly stopped: readonly Stopped[] }>;
  /** Resolves when the host accepted the command, or as soon as it has to wait for a lane; rejects when it was not sent before. */
  readonly run: (permit: Permit<Run>, signal?: AbortSignal) => Promise<Command>;
  /** The command of a handle; what a detached one has written is fetched for as long as `waitMs` says. Rejects with `UNKNOWN_ID`. */
  readonly command: (permit: Permit<Observe>, waitMs?: number) => Promise<Command>;
  readonly cancel: (permit: Permit<Stop>) => Promise<{ readonly command: Command; readonly report: StopReport }>;
  readonly open: (permit: Permit<Open>, signal?: AbortSignal) => Promise<Session | Terminal>;
  /** Runs a line in a managed session, or types into one on a terminal. */
  readonly send: (permit: Permit<Run | Type>, signal?: AbortSignal) => Promise<Sent>;
  readonly session: (permit: Permit<Observe>) => Session | Terminal;
  readonly end: (
    permit: Permit<Stop>,
  ) => Promise<{ readonly session: Session | Terminal; readonly report: StopReport }>;
  /** Copies, and resolves when all of it is there; given up by `signal`, nothing unfinished stands under its final name. */
  readonly transfer: (permit: Permit<Transfer>, moment: TransferMoment) => Promise<Transferred>;
  /** Resolves when the listening side listens. */
  readonly openTunnel: (permit: Permit<Forward>, signal?: AbortSignal) => Promise<TunnelView>;
  /** Resolves when nothing of it is open any more. */
  readonly closeTunnel: (permit: Permit<Stop>) => Promise<TunnelView>;
  /** Ends what runs on hosts that may not be dialled any more. */
  readonly rejudge: () => void;
  /** Ends remote work of this process as well as can be done within `budgetMs`, then drops every socket. */
  readonly shutdown: (budgetMs: number) => Promise<void>;
};

/** What a fleet is made of: silence, the real timers and the usual caps unless given. */
export type FleetParts = {
  readonly inventory: Inventory;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  readonly after?: After;
  readonly graceMs?: Grace;
  readonly caps?: Partial<Caps>;
  /** Is told of all that begins, for the operator of this machine. */
  readonly overseer?: Overseer;
  /** Where detached commands are found again; in memory unless given. */
  readonly handles?: Handles;
  /** The folders of this machine that transfers may touch; none unless given. */
  readonly files?: Files;
};

/** A fleet over these hosts; nothing is dialled. */
export const createFleet = (parts: FleetParts): Fleet => {
  const whole = wholeOf(parts);
  const commands = new Commands(whole);
  const places = new SessionPlaces(whole.caps);
  const sessions = new Sessions(whole, commands, places);
  const terminals = new Terminals(whole, commands, places);
  const detached = new DetachedCommands(whole, commands, parts.handles ?? memoryStore(parts.clock));
  parts.overseer?.fetching(async grant => await detached.of(grant));
  const tunnels = new Tunnels(whole, target => commands.connectionTo(target));
  const transfers = new Transfers(whole, parts.files, target => commands.connectionTo(target));
  const open: Opened = { commands, detached, sessions, terminals, tunnels, transfers };
  parts.inventory.onChange(names => revokeOn(names, open));
  return {
    directory: createDirectory(parts.inventory, open),
    ready: parts.inventory.ready,
    ...createHostDesk(whole, parts.inventory, open),
    ...createSessionDesk(sessions, terminals),
    ...createCommandDesk(commands, detached),
    transfer: async (permit, moment) => await transfers.run(permit, moment),
    openTunnel: async (permit, signal) => await tunnels.open(permit, signal),
    closeTunnel: async permit => await tunnels.close(permit),
    rejudge: () => {
      tunnels.rejudge();
      revokeOn(parts.connections.rejudge(), open);
    },
    shutdown: async budgetMs => await shutDown(whole, open, budgetMs),
  };
};

const wholeOf = (parts: FleetParts): Parts => {
  const usual = { log: () => undefined, after, redaction: heldSecrets(parts.inventory) };
  return { ...usual, ...parts, caps: { ...CAPS, ...parts.caps } };
};

/** What has been started here and may be open. */
export type Opened = {
  readonly commands: Commands;
  readonly detached: DetachedCommands;
  readonly sessions: Sessions;
  readonly terminals: Terminals;
  readonly tunnels: Tunnels;
  readonly transfers: Transfers;
};

/** What was judged for a host that is gone, or another now, has no ground any more. */
const revokeOn = (names: readonly string[], { commands, sessions, tunnels, transfers }: Opened): void => {
  for (const name of names) {
    tunnels.revokeOn(name);
    transfers.revokeOn(name);
    sessions.revokeOn(name);
    commands.revokeOn(name);
  }
};

/** What telling the ends may take once every channel has closed. */
const LAST_MS = 20;

/** The reaper on each host goes on by itself when the sockets are dropped; commands have their ends before this resolves. */
const shutDown = async (
  parts: Parts,
  { commands, sessions, terminals, tunnels, transfers }: Opened,
  budgetMs: number,
): Promise<void> => {
  tunnels.shutdown();
  sessions.shutdown();
  terminals.shutdown();
  await within(parts.after, budgetMs, Promise.all([commands.shutdown(), transfers.shutdown()]));
  parts.connections.closeAll();
  await within(parts.after, LAST_MS, Promise.all([commands.settled(), tunnels.settled()]));
};
