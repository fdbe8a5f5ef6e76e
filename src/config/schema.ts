import * as z from 'zod';
import { isFingerprint, isHostName } from '../ssh/host.ts';
import { unknownKey } from '../text/schema-problems.ts';
import { oneOf, oneOrMore } from './choice.ts';
import { isGrantName } from './grant.ts';

const LITERAL =
  'a secret is never written here: say where it lies, as {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}';
const PLACE = 'must be {"env": "NAME"}, {"command": ["program", "argument"]} or {"file": "path"}';
const LOGIN = 'must be {"agent": true}, {"key": "path"} or {"password": SECRET}';

/** An object with these members only; those of `later` are named as what they are: promised, and not here yet. */
const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape, later: readonly string[] = []) =>
  z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .map(key =>
              later.includes(key) ? 'is not available in this version' : unknownKey(key, Object.keys(shape)),
            )
            .join('\n')
        : undefined,
  });

const path = z.string().min(1);
const program = z
  .string()
  .min(1)
  .refine(
    text => !text.includes('/') || text.startsWith('/') || text.startsWith('~/'),
    'must be an absolute path, one under ~/, or a name found on PATH',
  );

const secret = oneOf(
  {
    env: section({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable') }),
    command: section({ command: z.tuple([program], z.string()) }),
    file: section({ file: path }),
  },
  value => (typeof value === 'object' ? PLACE : LITERAL),
);

const login = oneOf(
  {
    agent: section({ agent: z.literal(true) }),
    key: section({ key: path, passphrase: secret.optional() }),
    password: section({ password: secret }),
  },
  () => LOGIN,
);

const fingerprint = z.string().refine(isFingerprint, 'must be SHA256: and 43 characters, as ssh-keygen -l prints it');

const host = section(
  {
    address: z
      .string()
      .regex(/^[A-Za-z0-9_.:%-]{1,255}$/, 'must be a DNS name or an IP address, without brackets, user or port')
      .refine(text => !text.startsWith('-'), 'an address does not begin with a dash'),
    port: z.int().min(1).max(65535).default(22),
    user: z
      .string()
      .regex(/^[^\s\p{C}:/]{1,128}$/u, 'must be the name of an account')
      .refine(text => !text.startsWith('-'), 'an account does not begin with a dash'),
    auth: oneOrMore(login).default([{ agent: true }]),
    hostKey: oneOrMore(fingerprint).optional(),
    sudoPassword: secret.optional(),
    tags: z.array(z.string().refine(isHostName, 'must be letters, digits, ., _ and -')).default([]),
  },
  ['via', 'shell', 'transport', 'limits'],
);

/** Members by names of one form. A bad name hides no problem of its member, as a record's own check of its keys would. */
const named = <Member extends z.ZodType>(isName: (text: string) => boolean, most: number, member: Member) =>
  z.record(z.string(), member).superRefine(
    (members, context) => {
      const message = `must be a name of letters, digits, ., _ and -, up to ${most}`;
      for (const name of Object.keys(members).filter(text => !isName(text)))
        context.addIssue({
          code: 'invalid_key',
          origin: 'record',
          issues: [{ code: 'custom', message, path: [] }],
          path: [name],
        });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );

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
  sessionIdleMs: number(1_000, 7 * 86_400_000),
  sessionLifeMs: number(1_000, 7 * 86_400_000),
  keepBytes: number(4_096, 67_108_864),
  keepTotalBytes: number(65_536, 4_294_967_296),
  keepEndedMs: number(1_000, 86_400_000),
}).default({});

/** config.json, version 1: strict, so that a key which does nothing is a problem and not a surprise. */
export const configSchema = section(
  {
    $schema: z.string().optional(),
    hosts: named(isHostName, 128, host).default({}),
    knownHosts: oneOrMore(path).default(['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']),
    grants: named(isGrantName, 64, section({ policy: path })).default({}),
    state: z.literal('sqlite', 'must be "sqlite": Redis is not available in this version').default('sqlite'),
    timeouts: section({
      connectMs: spanMs,
      leaseMs: z.int().min(5_000).max(600_000).optional(),
      intMs: graceMs,
      termMs: graceMs,
      killMs: graceMs,
    }).default({}),
    limits,
  },
  ['sshConfig', 'files', 'output', 'console', 'http', 'disclose'],
);

/** A configuration as parsed, with its defaults. */
export type ParsedConfig = z.output<typeof configSchema>;
/** One host as parsed. */
export type ParsedHost = z.output<typeof host>;
/** One way to log in, as parsed. */
export type ParsedLogin = z.output<typeof login>;
/** Where a secret lies, as parsed. */
export type ParsedSecret = z.output<typeof secret>;
