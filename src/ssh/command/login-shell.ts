import { Failure } from '../../errors.ts';
import type { Connection } from '../connection/connection.ts';
import { unlessGivenUp } from '../given-up.ts';
import type { After } from '../timer.ts';
import { ask } from './channel.ts';

/** How the login shell of an account wants to be spoken to. */
export type LoginShell = 'posix' | 'other';

/** Names of shells that read `export NAME=value; …` and `|| exit` as POSIX says. */
export const POSIX_SHELLS: ReadonlySet<string> = new Set(
  'sh bash rbash dash ash zsh ksh ksh93 mksh lksh oksh yash'.split(' '),
);

/** Every shell we know prints this with its own path in it, or fails. */
const QUESTION = 'echo "sallyport:$SHELL:"';
const DEADLINE_MS = 10_000;

/** Asks the account for its login shell, with one short command; rejects as `Connection.exec` does. */
const askFor = async (connection: Connection, after: After, signal: AbortSignal): Promise<LoginShell> => {
  const { status, stdout } = await ask(connection, {
    text: QUESTION,
    timed: true,
    deadlineMs: DEADLINE_MS,
    after,
    signal,
  });
  const said = /sallyport:([^:\n]*):/.exec(stdout.toString('latin1'))?.[1] ?? '';
  const name = said.slice(said.lastIndexOf('/') + 1);
  return status.how === 'exited' && status.code === 0 && POSIX_SHELLS.has(name) ? 'posix' : 'other';
};

/** The login shell behind a connection; `giveUp` ends the waiting of one caller. */
export type LoginShells = (connection: Connection, giveUp: AbortSignal) => Promise<LoginShell>;

/** Asks each host once, by whoever comes first; an answer that never came is asked for again. `halt` ends the asking. */
export const createLoginShells = (after: After, halt: AbortSignal): LoginShells => {
  const known = new WeakMap<Connection, LoginShell>();
  const asking = new Map<Connection, Promise<LoginShell>>();
  const learn = async (connection: Connection): Promise<LoginShell> => {
    try {
      const shell = await askFor(connection, after, halt);
      known.set(connection, shell);
      return shell;
    } catch (error) {
      // The question was lost, not the command: that one is sent all the same, as any shell reads it.
      const unanswered = error instanceof Failure && ['CONNECTION_LOST', 'CANCELLED'].includes(error.code);
      if (unanswered && !halt.aborted) return 'other';
      throw error;
    } finally {
      asking.delete(connection);
    }
  };
  return async (connection, giveUp) => {
    const shell = known.get(connection);
    if (shell !== undefined) return shell;
    const answer = asking.get(connection) ?? learn(connection);
    asking.set(connection, answer);
    return await unlessGivenUp(answer, giveUp);
  };
};
