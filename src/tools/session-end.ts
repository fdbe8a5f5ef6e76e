import * as z from 'zod';
import type { Stop } from '../call.ts';
import { stopResult, stopShape, stopText } from './command-result.ts';
import { sessionId } from './fields.ts';
import { defineTool } from './tool.ts';

/** `ssh_session_end`: ends a session and what runs in it. */
export const sessionEnd = defineTool({
  name: 'ssh_session_end',
  title: 'End a session',
  description: 'Ends a session and stops the line that runs in it, and says what that proved.',
  risk: 'stop',
  input: z.strictObject({ session_id: sessionId }),
  output: z.strictObject({ session_id: z.string(), host: z.string(), ...stopShape.shape }),
  action: (args): Stop => ({ kind: 'stop', what: 'session', id: args.session_id }),
  run: async (permit, { fleet }) => {
    const { session, report } = await fleet.end(permit);
    return { session_id: session.id, host: session.host, ...stopResult(report) };
  },
  text: out =>
    `session ${out.session_id} on ${out.host} ended: ${out.outcome === 'already_ended' ? 'no line was running' : stopText(out)}`,
});
