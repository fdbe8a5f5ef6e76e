import * as z from 'zod';
import { NETWORKS } from '../policy/networks.ts';
import { isHostName } from '../ssh/host.ts';
import { approvalsSchema } from './approvals.ts';
import { oneOrMore } from './choice.ts';
import { isGrantName } from './grant.ts';
import { hostSchema } from './host-schema.ts';
import { named, path, section } from './section.ts';

const spanMs = z.int().min(100).max(600_000).optional();
const graceMs = z.int().min(50).max(60_000).optional();

const number = (least: number, most: number) => z.int().min(least).max(most).optional();

/** How much one grant may have open in one server, and how long; the policy limits what it may begin. */
const limits = section({
  commands: number(1, 1_000),
  commandsPerHost: number(1, 1_000),
  detached: number(0, 1_000),
  sessions: number(0, 1_000),
  sessionsPerHost: number(0, 1_000),
  transfers: number(1, 64),
  sessionIdleMs: number(1_000, 7 * 86_400_000),
  sessionLifeMs: number(1_000, 7 * 86_400_000),
  tunnels: number(0, 1_000),
  tunnelConnections: number(1, 1_000),
  tunnelIdleMs: number(1_000, 7 * 86_400_000),
  tunnelLifeMs: number(1_000, 7 * 86_400_000),
  keepBytes: number(4_096, 67_108_864),
  keepTotalBytes: number(65_536, 4_294_967_296),
  keepEndedMs: number(1_000, 86_400_000),
  linksPerHost: number(1, 10),
}).default({});

const LATER = ['output', 'console', 'http', 'disclose'];

const isSource = (value: unknown): boolean => typeof value === 'boolean' || (typeof value === 'string' && value !== '');

/**
 * config.json, version 1: strict, so that a key which does nothing is a problem and not a surprise. `whole` when every host
 * must say where it is, because there is no ssh_config that could.
 */
export const configSchema = (whole: boolean) =>
  section(
    {
      $schema: z.string().optional(),
      hosts: named(isHostName, 128, hostSchema(whole)).default({}),
      sshConfig: z.custom<boolean | string>(isSource, 'must be true, false or the path of a file').default(false),
      knownHosts: oneOrMore(path).default(['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']),
      networks: NETWORKS.default({}),
      grants: named(isGrantName, 64, section({ policy: path })).default({}),
      state: z.literal('sqlite', 'must be "sqlite": Redis is not available in this version').default('sqlite'),
      timeouts: section({
        connectMs: spanMs,
        leaseMs: z.int().min(5_000).max(600_000).optional(),
        intMs: graceMs,
        termMs: graceMs,
        killMs: graceMs,
        idleMs: z.int().min(1_000).max(86_400_000).optional(),
      }).default({}),
      limits,
      files: section({ root: oneOrMore(path) }).optional(),
      approvals: approvalsSchema.prefault({}),
    },
    LATER,
  );

/** A configuration as parsed, with its defaults. */
export type ParsedConfig = z.output<ReturnType<typeof configSchema>>;
