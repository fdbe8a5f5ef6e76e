import * as z from 'zod';
import type { Open } from '../call.ts';
import { CAPS } from '../ssh/caps.ts';
import { host, reason } from './fields.ts';
import { defineTool } from './tool.ts';

/** `ssh_session_start`: opens a managed session. */
export const sessionStart = defineTool({
  name: 'ssh_session_start',
  title: 'Start a session on a host',
  description:
    'Opens a managed session: the lines that ssh_session_send runs in it share a directory and an environment. ' +
    `It ends by ssh_session_end, after ${CAPS.sessionIdleMs / 60_000} minutes without a line, or with this server.`,
  risk: 'change',
  input: z.strictObject({
    host,
    mode: z.enum(['managed']).optional().describe('managed: every line is a command of its own (default).'),
    reason,
  }),
  output: z.strictObject({ session_id: z.string(), host: z.string(), mode: z.enum(['managed']), cwd: z.string() }),
  action: (args, { directory }): Open => ({ kind: 'open', mode: 'managed', target: directory.target(args.host) }),
  run: async (permit, { fleet }, moment) => {
    const session = await fleet.open(permit, moment.signal);
    return { session_id: session.id, host: session.host, mode: 'managed' as const, cwd: session.cwd };
  },
  text: out => `session ${out.session_id} on ${out.host} in ${out.cwd}`,
});
