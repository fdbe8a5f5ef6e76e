import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../call.ts';
import type { Config } from '../config/config.ts';
import type { Failure } from '../errors.ts';
import type { Caps } from '../ssh/caps.ts';
import type { Host } from '../ssh/host.ts';
import type { Parts } from '../ssh/host-connection.ts';
import { GRACE_MS } from '../ssh/reap.ts';
import { tcp } from '../ssh/tcp.ts';
import type { LeaseTimes } from '../ssh/warden.ts';
import { didYouMean } from '../text/nearest.ts';
import { EXIT, type Io, Usage } from './io.ts';

/** How long a host may take to answer before it counts as unreachable. */
const CONNECT_TIMEOUT_MS = 20_000;

/** What connections need from this process. */
export const partsFor = (io: Io, config: Config, log: Log): Parts => ({
  clock: io.clock,
  log,
  random: io.random,
  pause: ms => pause(ms),
  connect: tcp,
  connectTimeoutMs: config.timeouts.connectMs ?? CONNECT_TIMEOUT_MS,
  knownHosts: config.knownHosts,
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
  const { commands, detached, sessions, ...same } = limits;
  const named = { ...same, commandsPerGrant: commands, detachedPerGrant: detached, sessionsPerGrant: sessions };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
};

/** The host that a command line names; throws a `Usage` with the nearest. */
export const hostNamed = ({ hosts }: Config, name: string | undefined): Host => {
  const host = hosts.find(candidate => candidate.name === name);
  if (host !== undefined) return host;
  const names = hosts.map(candidate => candidate.name);
  const near = didYouMean(name ?? '', names) || (names.length === 0 ? '; none are' : `; there are ${names.join(', ')}`);
  throw new Usage(`no host is called ${JSON.stringify(name)}${near}`);
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
