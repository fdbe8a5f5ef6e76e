import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../call.ts';
import type { Config } from '../config/config.ts';
import { withSshHosts } from '../config/inventory.ts';
import { withoutVariables } from '../config/paths.ts';
import type { Failure } from '../errors.ts';
import type { Caps, LinkCaps } from '../ssh/caps.ts';
import { GRACE_MS } from '../ssh/command/reap.ts';
import type { Parts } from '../ssh/connection/connections.ts';
import type { LeaseTimes } from '../ssh/connection/warden.ts';
import { dialLimits, type Networks } from '../ssh/dial/networks.ts';
import { lookUp, tcp } from '../ssh/dial/tcp.ts';
import { chainTo, type Host } from '../ssh/host.ts';
import { didYouMean } from '../text/nearest.ts';
import { EXIT, type Io, Usage } from './io.ts';
import { logTo } from './log.ts';
import type { Options } from './options.ts';

/** How long a host may take to answer before it counts as unreachable. */
const CONNECT_TIMEOUT_MS = 20_000;

/** What connections need from this process. */
export const partsFor = (
  io: Io,
  config: Config,
  log: Log,
  policy: () => Networks | undefined = () => undefined,
): Parts => ({
  clock: io.clock,
  log,
  random: io.random,
  pause: ms => pause(ms),
  connect: tcp,
  lookUp,
  connectTimeoutMs: config.timeouts.connectMs ?? CONNECT_TIMEOUT_MS,
  knownHosts: config.knownHosts,
  programEnv: withoutVariables(io.env, config.secretVariables),
  ...dialLimits(() => config.networks, policy),
  caps: linkCapsOf(config),
});

const linkCapsOf = ({ limits: { linksPerHost }, timeouts: { idleMs } }: Config): Partial<LinkCaps> => ({
  ...(linksPerHost === undefined ? {} : { linksPerHost }),
  ...(idleMs === undefined ? {} : { idleConnectionMs: idleMs }),
});

/** How long remote work may outlive this process. */
const LEASE_MS = 20_000;

/** The lease of a configuration, and what INT, TERM and KILL are given whenever something is stopped. */
export const leaseOf = ({ timeouts: { leaseMs, intMs, termMs, killMs } }: Config): LeaseTimes => ({
  leaseMs: leaseMs ?? LEASE_MS,
  graceMs: [intMs ?? GRACE_MS[0], termMs ?? GRACE_MS[1], killMs ?? GRACE_MS[2]],
});

/** How much a grant may have open: what the configuration says, and the usual otherwise. */
export const capsOf = ({ limits }: Config): Partial<Caps> => {
  const { commands, detached, sessions, transfers, tunnels, linksPerHost: _links, ...same } = limits;
  const named = {
    ...same,
    ...{ commandsPerGrant: commands, detachedPerGrant: detached },
    ...{ sessionsPerGrant: sessions, transfersPerGrant: transfers, tunnelsPerGrant: tunnels },
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
};

/** The configuration with the hosts of ssh_config among its own; what is wrong there is said. */
export const withEveryHost = async (io: Io, config: Config, { logLevel }: Pick<Options, 'logLevel'>): Promise<Config> =>
  await withSshHosts(config, { env: io.env, uid: io.uid, log: logTo(io, logLevel) });

/** The host that a command line names, or one that leads to others; throws a `Usage` with the nearest. */
export const hostNamed = ({ hosts }: Pick<Config, 'hosts'>, name: string | undefined): Host => {
  const known = [...hosts, ...hosts.flatMap(chainTo)];
  const host = known.find(candidate => candidate.name === name);
  if (host !== undefined) return host;
  const names = [...new Set(known.map(candidate => candidate.name))];
  const near = didYouMean(name ?? '', names) || listed(names);
  throw new Usage(`no host is called ${JSON.stringify(name)}${near}`);
};

const MOST_LISTED = 20;

const listed = (names: readonly string[]): string => {
  if (names.length === 0) return '; none are';
  const more = names.length - MOST_LISTED;
  return `; there are ${names.slice(0, MOST_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

const NO: readonly string[] = ['HOST_KEY_UNKNOWN', 'HOST_KEY_CHANGED', 'HOST_KEY_REVOKED'];

/** The exit code of a failure: a key that is not trusted is a no, everything else is the surroundings'. */
export const exitOf = ({ code }: Failure): number => (NO.includes(code) ? EXIT.no : EXIT.environment);

/** A failure as data, for the operator. */
export const failureData = ({ code, message, operator, next }: Failure) => ({
  code,
  message: operator ?? message,
  next,
});
