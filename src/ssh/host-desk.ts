import { Failure } from '../errors.ts';
import type { Parts } from './caps.ts';
import type { Commands } from './commands.ts';
import type { Connection } from './connection.ts';
import type { Fleet, HostView, Status } from './fleet.ts';
import type { Host } from './host.ts';
import type { Sessions } from './sessions.ts';

/** The part of the fleet that is about hosts and their connections, not about what runs on them. */
export type HostDesk = Pick<Fleet, 'hosts' | 'status' | 'connect' | 'disconnect'>;

/** Answers about hosts, and opens and closes their connections. */
export const createHostDesk = (
  parts: Parts,
  hosts: readonly Host[],
  commands: Commands,
  sessions: Sessions,
): HostDesk => ({
  hosts: async permit => {
    permit.spend();
    return await Promise.all(hosts.map(host => view(host, parts.connections.get(host.name))));
  },
  status: permit => {
    permit.spend();
    return statusOf(permit.grant, parts, commands, sessions);
  },
  connect: async (permit, signal) => {
    const { target } = permit.spend();
    const connection = commands.connectionTo(target);
    const peer = await connection.ready(signal === undefined ? {} : { signal });
    return { host: target.host, state: connection.state(), ...peer };
  },
  disconnect: async permit => {
    const action = permit.spend();
    if (action.what !== 'connection')
      throw new Failure('DEFECT', `A permit to stop a ${action.what} closes no connection.`);
    const { host } = action.target;
    const connection = commands.connectionTo(action.target);
    const mine = commands
      .of(permit.grant)
      .filter(command => command.host === host && command.state().end === undefined);
    const stopped = await commands.stopTogether(connection, mine, 'cancelled');
    await sessions.endOn(permit.grant, host);
    if (commands.runningOn(host).length === 0) connection.close();
    return { host, stopped };
  },
});

const view = async (host: Host, connection: Connection): Promise<HostView> => ({
  name: host.name,
  user: host.user,
  address: host.address,
  port: host.port,
  tags: host.tags,
  state: connection.state(),
  key: await connection.key(),
});

const statusOf = (grant: string, parts: Parts, commands: Commands, sessions: Sessions): Status => ({
  connections: parts.connections
    .all()
    .filter(connection => connection.state() !== 'idle')
    .map(connection => ({ host: connection.host.name, state: connection.state(), channels: connection.channels() })),
  commands: commands.of(grant).map(command => {
    const { end, durationMs } = command.state();
    return {
      command_id: command.id,
      host: command.host,
      status: end?.how ?? 'running',
      duration_ms: Math.round(durationMs),
    };
  }),
  sessions: sessions.of(grant).map(({ id, host, cwd, running }) => ({
    session_id: id,
    host,
    cwd,
    ...(running === undefined ? {} : { running: running.id }),
  })),
});
