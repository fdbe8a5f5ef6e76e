import * as z from 'zod';
import { isKey } from '../../text/key.ts';
import { strict } from '../../text/schema-problems.ts';
import { EFFECTS } from '../decision.ts';
import { ALWAYS, approval, duration, limit, sentence } from '../fields.ts';
import { compilePath } from '../synopsis/path.ts';
import { ACTIONS } from './action.ts';
import { isFloor, NAME } from './environment.ts';
import { strangeAddress } from './newcomer.ts';
import { sense } from './sense.ts';
import { when } from './when-schema.ts';

const host = z
  .string()
  .max(255)
  .regex(/^[^\s,]+$/, 'must be the name of a host or a set, a pattern of names with * and ?, or tag:NAME');
const commandText = z.string().max(65_536);
const synopsis = z.string().min(1).max(10_000);

/** A path pattern of a rule; `absolute` ones only, and `~` where the account's home is meant. */
const pathPattern = (home: boolean) =>
  z
    .string()
    .max(1000)
    .superRefine((text, context) => {
      if (home && text === '~') return;
      const pattern = compilePath(text);
      const message =
        typeof pattern === 'string' ? pattern : pattern.absolute ? undefined : 'must be absolute, such as /srv/app/**';
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

const variable = z
  .string()
  .regex(NAME, 'must be the name of an environment variable')
  .refine(name => !isFloor(name), 'can make a program run or read something else, and is never passed on');

const key = z
  .string()
  .refine(isKey, 'must be a character, or the name of a key such as "enter", "ctrl-c", "alt-x", "up", "f10"');

const port = z.union([
  z.int().min(1).max(65_535),
  z.string().regex(/^[1-9]\d{0,4}-[1-9]\d{0,4}$/, 'must be a port, or a range such as "8000-8099"'),
]);

const address = z
  .string()
  .max(255)
  .superRefine((text, context) => {
    const message = strangeAddress(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** Named sets of hosts. */
export const HOST_SETS = z.record(
  z.string().regex(/^[A-Za-z0-9_.-]+$/, 'must be letters, digits, "_", "." and "-"'),
  z.array(host).min(1),
);

/** One rule. */
export const RULE = strict({
  id: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be letters, digits, "_", "." and "-"'),
  effect: z.enum(EFFECTS),
  hosts: z.array(host).min(1).optional(),
  users: z.array(z.string().min(1).max(255)).min(1).optional(),
  actions: z.array(z.enum(ACTIONS)).min(1).optional(),
  commands: z.union([z.literal('any'), z.array(synopsis).min(1)]).optional(),
  stdin: z.boolean().optional(),
  detach: z.boolean().optional(),
  alone: z.boolean().optional(),
  glob: z.boolean().optional(),
  env: z.array(variable).optional(),
  cwd: z.array(pathPattern(true)).min(1).optional(),
  paths: z.array(pathPattern(false)).min(1).optional(),
  ports: z.array(port).min(1).optional(),
  addresses: z.array(address).min(1).optional(),
  directions: z
    .array(z.enum(['local', 'remote']))
    .min(1)
    .optional(),
  tags: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be letters, digits, "_", "." and "-"'))
    .min(1)
    .optional(),
  input: z.union([z.literal('any'), z.array(key).min(1)]).optional(),
  when: when.optional(),
  approval: approval.optional(),
  limits: z.array(limit).optional(),
  timeout: duration.optional(),
  output: strict({ max_bytes: z.int().min(1) }).optional(),
  reason: sentence.optional(),
  match: z.array(commandText).optional(),
  not_match: z.array(commandText).optional(),
}).superRefine(sense, ALWAYS);

/** A set of synopses of the document's own. */
export const PACK = strict({
  summary: z.string().max(1000).optional(),
  parameter: strict({
    name: z.string().regex(/^[a-z]+$/, 'must be small letters'),
    of: z.enum(['folders', 'names']),
    example: z.string().min(1).max(1000),
    fallback: z.string().min(1).max(1000).optional(),
  }).optional(),
  commands: z.array(synopsis).min(1),
  stdin: z.boolean().optional(),
  match: z.array(commandText).optional(),
  not_match: z.array(commandText).optional(),
});

/** What the document must decide. */
export const TEST = strict({
  tool: z.string(),
  host: z.string().min(1).max(255).optional(),
  tags: z.array(z.string()).optional(),
  user: z.string().optional(),
  at: z.iso.datetime({ offset: true, error: 'must be a time such as "2026-11-20T10:00:00Z"' }).optional(),
  args: z.record(z.string(), z.json()).optional(),
  session: strict({
    mode: z.enum(['managed', 'program', 'terminal']),
    command: commandText.optional(),
    argv: z.array(commandText).min(1).optional(),
  }).optional(),
  expect: z.enum(EFFECTS),
  rule: z.string().optional(),
}).refine(({ host, args = {} }) => !Object.hasOwn(args, 'hosts') || host !== undefined || Object.hasOwn(args, 'host'), {
  message: 'are each judged by themselves: give the test the host that it is about, as "host"',
  path: ['args', 'hosts'],
});

/** A rule as it was written. */
export type RawRule = z.output<typeof RULE>;
/** A pack as it was written. */
export type RawPack = z.output<typeof PACK>;
/** A test as it was written. */
export type RawTest = z.output<typeof TEST>;
/** Named sets of hosts as they were written. */
export type RawHostSets = z.output<typeof HOST_SETS>;
