import * as z from 'zod';
import type { Observe } from '../call.ts';
import { defineTool } from './tool.ts';

const limitShape = z.strictObject({
  rule: z.string(),
  used: z.number(),
  max: z.number(),
  retry_after_ms: z.number().optional(),
});

const output = z.strictObject({
  version: z.string(),
  grant: z.string(),
  policy: z.string(),
  connections: z.array(
    z.strictObject({
      host: z.string(),
      state: z.enum(['idle', 'connecting', 'ready', 'closed']),
      channels: z.number(),
    }),
  ),
  commands: z.array(
    z.strictObject({
      command_id: z.string(),
      host: z.string(),
      status: z.string(),
      duration_ms: z.number(),
      queued: z.number().optional().describe('It waits for a lane, with so many channels of the host in use.'),
      unsent: z.string().optional().describe('The code of the failure that kept it from being sent.'),
      output_held: z.literal(true).optional().describe('Something it left behind holds its output, and a lane.'),
    }),
  ),
  sessions: z.array(
    z.strictObject({ session_id: z.string(), host: z.string(), cwd: z.string(), running: z.string().optional() }),
  ),
  limits: z.array(limitShape).describe('Limits of the policy that count for all of this grant, and how much is used.'),
});

/** What the status alone does not say of a command. */
const aside = ({ queued, unsent, output_held }: z.output<typeof output>['commands'][number]): string => {
  if (queued !== undefined) return ', waits for a lane';
  if (unsent !== undefined) return `, nothing was sent (${unsent})`;
  return output_held === undefined ? '' : ', what it left behind holds a lane';
};

/** `ssh_status`: everything that is open, and what is left of the limits. */
export const status = defineTool({
  name: 'ssh_status',
  title: 'Show what is open',
  description:
    'Shows everything of yours that is open (connections, commands, sessions), the limits left, the version and the policy in force.',
  risk: 'read',
  input: z.strictObject({}),
  output,
  action: (): Observe => ({ kind: 'observe', what: 'status' }),
  run: async (permit, { fleet, gate, version }) => {
    const grant = permit.grant;
    const { connections, commands, sessions } = fleet.status(permit);
    const account = await gate.account(grant);
    return {
      version,
      grant,
      policy: account.policy,
      connections: connections.map(one => ({ ...one })),
      commands: commands.map(one => ({ ...one })),
      sessions: sessions.map(one => ({ ...one })),
      limits: account.limits.map(one => ({ ...one })),
    };
  },
  text: out =>
    [
      `sallyport ${out.version}, grant ${out.grant}, policy ${out.policy}`,
      ...out.connections.map(one => `connection ${one.host}: ${one.state}, ${one.channels} channels`),
      ...out.commands.map(
        one => `command ${one.command_id} on ${one.host}: ${one.status}, ${one.duration_ms} ms${aside(one)}`,
      ),
      ...out.sessions.map(
        one =>
          `session ${one.session_id} on ${one.host} in ${one.cwd}${one.running === undefined ? '' : `, runs ${one.running}`}`,
      ),
      ...out.limits.map(
        one =>
          `limit ${one.rule}: ${one.used} of ${one.max} used${one.retry_after_ms === undefined ? '' : `, free in ${one.retry_after_ms} ms`}`,
      ),
    ].join('\n'),
});
