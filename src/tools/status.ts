import * as z from 'zod';
import type { Observe } from '../call.ts';
import {
  transferLine,
  transferOpen,
  transferOpenShape,
  tunnelLine,
  tunnelOpen,
  tunnelOpenShape,
} from './status-flows.ts';
import { defineTool } from './tool.ts';

const limitShape = z.strictObject({
  rule: z.string(),
  used: z.number(),
  max: z.number(),
  retry_after_ms: z.number().optional(),
});

const approvalShape = z.strictObject({
  id: z.string(),
  host: z.string(),
  tool: z.string(),
  by: z.enum(['client', 'operator']),
  answered: z.boolean().describe('Make the same call again.'),
  expires_in_ms: z.number(),
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
      leased: z.boolean().describe('Whether commands there end by themselves when this server is gone.'),
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
      detached: z.literal(true).optional().describe('It outlives this server; its output is kept on the host.'),
      output_held: z.literal(true).optional().describe('Something it left behind holds its output, and a lane.'),
    }),
  ),
  sessions: z.array(
    z.strictObject({
      session_id: z.string(),
      host: z.string(),
      mode: z.enum(['managed', 'program', 'terminal']),
      cwd: z.string().optional(),
      running: z.string().optional(),
      idle_ms: z.number().describe('Since it was last used.'),
      ends_in_ms: z.number().describe('How long it may still live, however much it is used.'),
    }),
  ),
  transfers: z.array(transferOpenShape),
  tunnels: z.array(tunnelOpenShape),
  kept: z
    .strictObject({ commands: z.number(), bytes: z.number(), max_bytes: z.number() })
    .describe(
      'Ended commands that can still be read, and the memory that output takes: what ended first loses its own.',
    ),
  approvals: z.array(approvalShape).optional().describe('Questions that wait.'),
  limits: z.array(limitShape).describe('Limits of the policy that count for all of this grant, and how much is used.'),
});

/** What the status alone does not say of a command. */
const aside = ({ queued, unsent, detached, output_held }: z.output<typeof output>['commands'][number]): string => {
  if (queued !== undefined) return ', waits for a lane';
  if (detached !== undefined) return ', detached';
  if (unsent !== undefined) return `, nothing was sent (${unsent})`;
  return output_held === undefined ? '' : ', what it left behind holds a lane';
};

/** `ssh_status`: everything that is open, and what is left of the limits. */
export const status = defineTool({
  name: 'ssh_status',
  title: 'Show what is open',
  description:
    'Shows all of yours that is open (connections, commands, sessions, transfers, tunnels), the limits left, the version and the policy.',
  risk: 'read',
  input: z.strictObject({}),
  output,
  action: (): Observe => ({ kind: 'observe', what: 'status' }),
  run: async (permit, { fleet, gate, version }) => {
    const grant = permit.grant;
    const { connections, commands, sessions, transfers, tunnels, kept } = await fleet.status(permit);
    const account = await gate.account(grant);
    return {
      version,
      grant,
      policy: account.policy,
      connections: connections.map(one => ({ ...one })),
      commands: commands.map(one => ({ ...one })),
      sessions: sessions.map(one => ({ ...one })),
      transfers: transfers.map(transferOpen),
      tunnels: tunnels.map(tunnelOpen),
      kept,
      ...(account.approvals === undefined ? {} : { approvals: account.approvals.map(one => ({ ...one })) }),
      limits: account.limits.map(one => ({ ...one })),
    };
  },
  text: out =>
    [
      `sallyport ${out.version}, grant ${out.grant}, policy ${out.policy}`,
      ...out.connections.map(
        one =>
          `connection ${one.host}: ${one.state}, ${one.channels} channels${one.state === 'ready' && !one.leased ? ', no lease' : ''}`,
      ),
      ...out.commands.map(
        one => `command ${one.command_id} on ${one.host}: ${one.status}, ${one.duration_ms} ms${aside(one)}`,
      ),
      ...out.sessions.map(
        one =>
          `session ${one.session_id} on ${one.host}${one.cwd === undefined ? `, ${one.mode}` : ` in ${one.cwd}`}${one.running === undefined ? '' : `, runs ${one.running}`}, unused for ${one.idle_ms} ms, ends in ${one.ends_in_ms} ms at the latest`,
      ),
      ...out.transfers.map(transferLine),
      ...out.tunnels.map(tunnelLine),
      `kept: ${out.kept.commands} ended commands, ${out.kept.bytes} of ${out.kept.max_bytes} bytes of output`,
      ...(out.approvals ?? []).map(
        one =>
          `approval ${one.id} for ${one.tool} on ${one.host}: ${one.answered ? 'answered, make the same call again' : `waits for the ${one.by}`}, ${one.expires_in_ms} ms left`,
      ),
      ...out.limits.map(
        one =>
          `limit ${one.rule}: ${one.used} of ${one.max} used${one.retry_after_ms === undefined ? '' : `, free in ${one.retry_after_ms} ms`}`,
      ),
    ].join('\n'),
});
