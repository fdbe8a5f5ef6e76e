import type { OpenThing } from '../console/answers.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, writeJson } from './io.ts';
import { liveServers, openIn, type Server } from './servers.ts';
import { tableOf } from './table.ts';

/** `sessions list`: everything open in every server that lives; 4 when one of them does not answer. */
export const sessionsList = async (io: Io, { options }: Request): Promise<number> => {
  const { answering, silent } = await liveServers(io, options);
  const code = silent.length === 0 ? EXIT.ok : EXIT.environment;
  if (options.json) {
    const servers = answering.map(({ listing: { server, connections } }) => ({ ...server, connections }));
    writeJson(io, { servers, open: openIn(answering), silent });
    return code;
  }
  const rows = [...openIn(answering).map(rowOf), ...answering.flatMap(connectionRows)];
  if (rows.length > 0) print(io, tableOf([HEAD, ...rows]));
  else say(io, answering.length === 0 ? 'No server is running here.' : 'Nothing is open.');
  return code;
};

const HEAD = ['ID', 'KIND', 'HOST', 'GRANT', 'STATUS', 'FOR', 'IDLE', 'WHAT'];

const rowOf = (thing: OpenThing): readonly string[] => [
  thing.id,
  kindOf(thing),
  thing.host,
  thing.grant,
  thing.status,
  spanOf(thing.duration_ms),
  thing.idle_ms === undefined ? '' : spanOf(thing.idle_ms),
  whatOf(thing),
];

const whatOf = ({ what, cwd, progress }: OpenThing): string =>
  [what || (cwd === undefined ? '' : `in ${cwd}`), ...(progress === undefined ? [] : [`(${progress})`])].join(' ');

const kindOf = ({ kind, mode, detached, session_id }: OpenThing): string => {
  if (detached === true) return 'detached command';
  if (session_id !== undefined) return 'line of a session';
  return kind === 'session' ? `${mode} session` : kind;
};

const connectionRows = ({ listing }: Server): readonly (readonly string[])[] =>
  listing.connections.map(({ host, state, channels }) => [
    ...['-', 'connection', host, listing.server.grant, state, '', ''],
    `${channels} channels, process ${listing.server.pid}`,
  ]);

/** `4s`, `3m05s`, `2h10m`, `1d02h`. */
const spanOf = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (number: number): string => String(number).padStart(2, '0');
  const [minutes, hours, days] = [60, 3_600, 86_400].map(unit => Math.floor(seconds / unit));
  if (days !== undefined && days > 0) return `${days}d${two((hours ?? 0) % 24)}h`;
  if (hours !== undefined && hours > 0) return `${hours}h${two((minutes ?? 0) % 60)}m`;
  return minutes !== undefined && minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
};
