import { setTimeout as pause } from 'node:timers/promises';
import type { Listing, OpenThing } from '../console/answers.ts';
import { type SocketName, socketsIn } from '../console/folder.ts';
import { listingOf } from '../console/talk.ts';
import { didYouMean } from '../text/nearest.ts';
import { counted, type Io, say } from './io.ts';
import type { Options } from './options.ts';
import { placesIn } from './record.ts';

/** A server process that answers, and all that it has open. */
export type Server = SocketName & { readonly folder: string; readonly listing: Listing };

/** Servers of one state folder. */
export type Servers = {
  readonly answering: readonly Server[];
  /** Processes that have a socket and do not answer. */
  readonly silent: readonly number[];
};

const PATIENCE_MS = 5_000;
/** Turned away at the door, we come again: places there are free again after a while. */
const TRIES = 30;
const PAUSE_MS = 200;

/** Asks every server that writes to this state folder; says on stderr which do not answer. */
export const liveServers = async (io: Io, { paths }: Options): Promise<Servers> => {
  const folder = placesIn(paths.state).control;
  const found = await Promise.all(
    socketsIn(folder, io.uid).map(async socket => ({ ...socket, folder, listing: await ask(folder, socket.name) })),
  );
  const answering = found.flatMap(({ listing, ...socket }) =>
    typeof listing === 'object' ? [{ ...socket, listing }] : [],
  );
  const silent = found.filter(({ listing }) => listing === 'silent' || listing === 'turned_away').map(({ pid }) => pid);
  for (const pid of silent) say(io, `The server with process ${pid} does not answer.`);
  return { answering, silent };
};

const ask = async (folder: string, name: string): ReturnType<typeof listingOf> => {
  for (let tries = 1; ; tries += 1) {
    const listing = await listingOf(folder, name, PATIENCE_MS);
    if (listing !== 'turned_away' || tries === TRIES) return listing;
    await pause(PAUSE_MS);
  }
};

/** Everything that these have open, once each: servers of one grant all know its detached commands. */
export const openIn = (servers: readonly Server[]): readonly OpenThing[] => [
  ...new Map(servers.flatMap(({ listing }) => listing.open).map(thing => [thing.id, thing])).values(),
];

/** The server that has this open; says on stderr, with the nearest, when none has. */
export const serverOf = (io: Io, servers: readonly Server[], id: string): Server | undefined => {
  const server = servers.find(({ listing }) => listing.open.some(thing => thing.id === id));
  if (server !== undefined) return server;
  const ids = openIn(servers).map(thing => thing.id);
  const there =
    ids.length === 0 ? '; nothing is' : `; ${counted(ids.length, 'other thing')} ${ids.length === 1 ? 'is' : 'are'}`;
  say(io, `Nothing that is open is called ${JSON.stringify(id)}${didYouMean(id, ids) || there}`);
  return undefined;
};
