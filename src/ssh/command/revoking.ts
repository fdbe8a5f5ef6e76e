import type { Connection } from '../connection/connection.ts';
import type { RemoteCommand } from './command.ts';
import { isRunning } from './shelf.ts';

type Means = {
  readonly connectionOf: (command: RemoteCommand) => Connection | undefined;
  /** Stops commands of one connection by one look at its host. */
  readonly stop: (connection: Connection, commands: readonly RemoteCommand[]) => Promise<unknown>;
};

/** Ends commands that are no longer allowed, those of one connection together. */
export type Revoking = {
  /** Ends them now; says for each connection when that is done. */
  readonly now: (
    commands: readonly RemoteCommand[],
  ) => readonly { readonly connection: Connection; readonly stopped: Promise<unknown> }[];
  /** Ends one, with all that this turn revokes: one change of the policy is told to one command after the other. */
  readonly soon: (command: RemoteCommand) => void;
};

/** Begins with nothing to end. */
export const createRevoking = ({ connectionOf, stop }: Means): Revoking => {
  const revoked = new Set<RemoteCommand>();
  const now: Revoking['now'] = commands => {
    const connections = new Set(commands.flatMap(command => connectionOf(command) ?? []));
    return [...connections].map(connection => {
      const here = commands.filter(command => connectionOf(command) === connection);
      return { connection, stopped: stop(connection, here) };
    });
  };
  const soon = (command: RemoteCommand): void => {
    revoked.add(command);
    if (revoked.size > 1) return;
    queueMicrotask(() => {
      const running = [...revoked].filter(isRunning);
      revoked.clear();
      now(running);
    });
  };
  return { now, soon };
};
