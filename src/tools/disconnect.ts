import * as z from 'zod';
import type { Stop } from '../call.ts';
import { stopResult, stopShape, stopText } from './command-result.ts';
import { host } from './fields.ts';
import { defineTool } from './tool.ts';

/** `ssh_disconnect`: closes a connection and all that it carries. */
export const disconnect = defineTool({
  name: 'ssh_disconnect',
  title: 'Disconnect from a host',
  description:
    'Stops all of yours on a host, also what waits to be sent, says what that proved, and closes the connection when nobody else uses it.',
  risk: 'stop',
  input: z.strictObject({ host }),
  output: z.strictObject({
    host: z.string(),
    stopped: z.array(z.strictObject({ command_id: z.string(), ...stopShape.shape })),
  }),
  action: (args, { directory }): Stop => ({ kind: 'stop', what: 'connection', target: directory.target(args.host) }),
  run: async (permit, { fleet }) => {
    const { host: name, stopped } = await fleet.disconnect(permit);
    return { host: name, stopped: stopped.map(one => ({ command_id: one.command_id, ...stopResult(one) })) };
  },
  text: out =>
    [`disconnected from ${out.host}`, ...out.stopped.map(one => `${one.command_id}: ${stopText(one)}`)].join('\n'),
});
