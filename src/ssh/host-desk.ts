import type { CommandId } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Parts } from './caps.ts';
import type { Stopped, StopReport } from './command/end.ts';
import type { Connection } from './connection/connection.ts';
import type { Command, Fleet, Opened } from './fleet.ts';
import { givingUpWith } from './giving-up.ts';
import type { Host } from './host.ts';
import type { Inventory } from './inventory.ts';
import type { HostView, Status } from './views.ts';

/** The part of the fleet that is about hosts and their connections, not about what runs on them. */
export type HostDesk = Pick<Fleet, 'hosts' | 'status' | 'connect' | 'disconnect'>;

/** Answers about hosts, and opens and closes their connections. */
export const createHostDesk = (parts: Parts, inventory: Inventory, open: Opened): HostDesk => ({
  hosts: async permit => {
    permit.spend();
    return await Promise.all(inventory.all().map(host => view(host, parts.connections.get(host.name))));
  },
  status: async permit => {
    permit.spend();
    return statusOf(permit.grant, parts, open, await open.detached.of(permit.grant));
  },
  connect: async (permit, signal) => {
    const { target } = permit.spend();
    const connection = open.commands.connectionTo(target);
    const givingUp = givingUpWith(permit.revoked, signal);
    try {
      const { login: _login, address: _address, ...peer } = await connection.ready({ signal: givingUp.signal });
      const startupMs = await connection.startup(givingUp.signal);
      const shell = startupMs === undefined ? {} : { shellStartupMs: startupMs };
      return { host: target.host, state: connection.state(), ...peer, ...shell };
    } finally {
      givingUp.release();
    }
  },
  disconnect: async permit => {
    const action = permit.spend();
    if (action.what !== 'connection')
      throw new Failure('DEFECT', `A permit to stop a ${action.what} closes no connection.`);
    const { host } = action.target;
    const { commands, sessions, terminals, transfers } = open;
    const connection = commands.connectionTo(action.target);
    const own = new Set(commands.of(permit.grant));
    const mine = commands.needing(host).filter(command => own.has(command));
    const stopping = commands.stopTogether(connection, mine, 'cancelled');
    const ending = transfers.endOn(permit.grant, host);
    terminals.forgetOn(permit.grant, host);
    await open.tunnels.endOn(permit.grant, host);
    await sessions.endOn(permit.grant, host);
    const reports = await stopping;
    await ending;
    const free = commands.needing(host).length === 0 && !transfers.uses(host);
    if (free && !connection.carriesLinks()) connection.close();
    return { host, stopped: mine.flatMap(({ id }, at) => stoppedAs(id, reports[at])) };
  },
});

const stoppedAs = (id: CommandId, report: StopReport | undefined): readonly Stopped[] =>
  report === undefined ? [] : [{ command_id: id, ...report }];

const view = async (host: Host, connection: Connection): Promise<HostView> => ({
  name: host.name,
  user: host.user,
  address: host.address,
  port: host.port,
  tags: host.tags,
  ...(host.via === undefined ? {} : { via: host.via.name }),
  ...(host.transport === 'openssh' ? { transport: host.transport } : {}),
  state: connection.state(),
  key: await connection.key(),
});

const statusOf = (
  grant: string,
  parts: Parts,
  { commands, sessions, terminals, tunnels, transfers }: Opened,
  detached: readonly Command[],
): Status => ({
  connections: parts.connections
    .all()
    .filter(connection => connection.state() !== 'idle')
    .map(connection => ({
      host: connection.host.name,
      state: connection.state(),
      channels: connection.channels(),
      leased: connection.leased(),
    })),
  commands: [...commands.of(grant).filter(({ underway }) => underway), ...detached].map((command: Command) => {
    const { end, durationMs, queued, leavings } = command.state();
    return {
      command_id: command.id,
      host: command.host,
      status: end?.how ?? 'running',
      duration_ms: Math.round(durationMs),
      ...(queued === undefined ? {} : { queued }),
      ...(end?.how === 'lost' && end.unsent === true ? { unsent: end.why.code } : {}),
      ...(leavings?.open === true ? { output_held: true } : {}),
      ...(command.detached === true ? { detached: true } : {}),
    };
  }),
  sessions: [
    ...sessions.of(grant).map(({ id, host, mode, cwd, running }) => ({
      ...{ session_id: id, host, mode, cwd, ...lifeOf(sessions, grant, id) },
      ...(running === undefined ? {} : { running: running.id }),
    })),
    ...terminals.of(grant).map(({ id, host, mode, command, ended }) => ({
      ...{ session_id: id, host, mode, ...lifeOf(terminals, grant, id) },
      ...(ended ? {} : { running: command.id }),
    })),
  ],
  transfers: transfers.of(grant),
  tunnels: tunnels.of(grant),
  kept: keptOf(commands, grant),
});

const lifeOf = (kept: Pick<Opened['sessions'] | Opened['terminals'], 'lifeOf'>, grant: string, id: string) => {
  const { idleMs, leftMs } = kept.lifeOf(grant, id);
  return { idle_ms: Math.round(idleMs), ends_in_ms: Math.round(leftMs) };
};

const keptOf = (commands: Opened['commands'], grant: string): Status['kept'] => {
  const { ended, bytes, maxBytes } = commands.kept(grant);
  return { commands: ended, bytes, max_bytes: maxBytes };
};
