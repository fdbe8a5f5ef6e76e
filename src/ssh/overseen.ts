import type { Clock, Program } from '../call.ts';
import { type Redaction, redacted } from '../text/redact.ts';
import { safeLine, safeText } from '../text/safe.ts';
import type { RemoteCommand } from './command/command.ts';
import type { DetachedCommand } from './command/detached.ts';
import type { End, StopReport } from './command/end.ts';
import { stoppedByOperator } from './command/outcome.ts';
import type { Overseen } from './overseer.ts';
import type { ManagedSession } from './session/session.ts';
import type { RemoteTerminal } from './terminal/terminal.ts';

/** What is not the thing's own: who asked for it, and for what. */
type Begun = { readonly grant: string; readonly program?: Program | undefined; readonly redaction: Redaction };

const SHOWN_CHARS = 500;
const READ_CHARS = 8_192;

/** A command on a channel of this process. */
export const overseenCommand = (command: RemoteCommand, begun: Begun): Overseen => ({
  id: command.id,
  kind: 'command',
  ...(command.session === undefined ? {} : { session: command.session }),
  grant: begun.grant,
  host: command.host,
  get what() {
    return whatOf(begun);
  },
  output: command.both,
  look: () => {
    const { end, durationMs, queued, leavings } = command.state();
    const status = queued === undefined ? statusOf(end) : 'queued';
    const over = end !== undefined && leavings?.open !== true;
    return { status, durationMs, ...(command.accepted ? { idleMs: command.idleMs } : {}), over };
  },
  end: async () => {
    stoppedByOperator(command);
    return await command.stop('cancelled');
  },
  ended: command.ended.then(statusOf),
});

/** A command that outlives this process. */
export const overseenDetached = (command: DetachedCommand, begun: Begun): Overseen => ({
  id: command.id,
  kind: 'command',
  detached: true,
  grant: begun.grant,
  host: command.host,
  get what() {
    return whatOf(begun);
  },
  output: command.both,
  look: () => {
    const { end, durationMs } = command.state();
    return { status: statusOf(end), durationMs, over: end !== undefined };
  },
  attend: ms => command.attend(ms),
  end: async () => {
    stoppedByOperator(command);
    return await command.stop('cancelled');
  },
  ended: command.ended.then(statusOf),
});

/** How a session lives beside what it does: kept by those who keep sessions. */
type Life = {
  readonly clock: Clock;
  readonly openedMono: number;
  readonly usedMono: () => number;
  readonly end: () => Promise<StopReport>;
};

/** A managed session; `open` says whether it still is, `ended` how it ended. */
export const overseenSession = (
  session: ManagedSession,
  { grant }: Pick<Begun, 'grant'>,
  { clock, openedMono, usedMono, end, open, ended }: Life & { open: () => boolean; ended: Promise<string> },
): Overseen => ({
  id: session.id,
  kind: 'session',
  mode: 'managed',
  grant,
  host: session.host,
  what: '',
  output: session.transcript,
  look: () => {
    const { running, cwd } = session;
    const now = clock.monoMs();
    return {
      status: running === undefined ? 'waiting' : 'running',
      durationMs: now - openedMono,
      idleMs: now - usedMono(),
      cwd: safeLine(cwd, SHOWN_CHARS),
      ...(running === undefined ? {} : { running: running.id }),
      over: !open(),
    };
  },
  end,
  ended,
});

/** A session on a terminal. */
export const overseenTerminal = (
  terminal: RemoteTerminal,
  begun: Begun,
  { clock, openedMono, usedMono, end }: Life,
): Overseen => ({
  id: terminal.id,
  kind: 'session',
  mode: terminal.mode,
  grant: begun.grant,
  host: terminal.host,
  get what() {
    return terminal.mode === 'terminal' ? 'login shell' : whatOf(begun);
  },
  output: terminal.transcript,
  look: () => {
    const { end: ending } = terminal.command.state();
    const now = clock.monoMs();
    return {
      status: statusOf(ending),
      durationMs: now - openedMono,
      idleMs: now - usedMono(),
      running: terminal.command.id,
      over: ending !== undefined,
    };
  },
  end: async () => {
    stoppedByOperator(terminal.command);
    return await end();
  },
  ended: terminal.command.ended.then(statusOf),
});

const statusOf = (end: End | undefined): string => end?.how ?? 'running';

const whatOf = ({ program, redaction }: Begun): string => {
  if (program === undefined) return '';
  const text = 'argv' in program ? program.argv.join(' ') : 'text' in program ? program.text : program.canonical;
  // No secret is cut in two where it could be seen.
  return safeLine(redacted(redaction, safeText(text.slice(0, READ_CHARS))), SHOWN_CHARS);
};
