import type { Audit } from '../audit/record.ts';
import type { Log } from '../call.ts';
import type { Listener } from '../console/listener.ts';
import { openControl } from '../console/open.ts';
import type { StopReport } from '../ssh/command/end.ts';
import type { Connections } from '../ssh/connection/connection.ts';
import type { Overseen, Overseer } from '../ssh/overseer.ts';
import { after } from '../ssh/timer.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import { placesIn } from './record.ts';

type Parts = {
  readonly grant: string;
  readonly overseer: Overseer;
  readonly connections: Connections;
  readonly audit: Audit;
  readonly log: Log;
};

/** The control socket of this process, for `sallyport sessions`: opened when it is asked for, and gone with the process. */
export const controlOf = (io: Io, { paths }: Options, { grant, overseer, connections, audit, log }: Parts) => {
  const { clock, random, uid, version } = io;
  let listener: Listener | undefined;
  io.atExit(() => listener?.close());
  const record = (one: Overseen, report: StopReport): void =>
    audit.note({ event: 'operator', detail: detailOf(one, report) });
  const open = async (): Promise<void> => {
    try {
      listener = await openControl({
        ...{ folder: placesIn(paths.state).control, pid: process.pid, uid, clock, random, log, after },
        server: { pid: process.pid, version, grant },
        ...{ overseer, record, connections: () => opened(connections) },
      });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      log('warn', 'there is no control socket: sallyport sessions will not see this server', { cause });
    }
  };
  return { open };
};

const opened = (connections: Connections) =>
  connections
    .all()
    .filter(connection => connection.state() !== 'idle')
    .map(connection => ({ host: connection.host.name, state: connection.state(), channels: connection.channels() }));

const detailOf = (one: Overseen, { outcome, signals, remaining }: StopReport) => ({
  ended: one.id,
  grant: one.grant,
  host: one.host,
  outcome,
  signals,
  remaining: remaining.length,
});
