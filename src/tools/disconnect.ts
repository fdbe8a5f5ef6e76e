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
    'Stops every command and session of yours on a host, says what that proved, and closes the connection when nobody else uses it.',
  risk: 'stop',
  input: z.strictObject({ host }),
  output: z.strictObject({ host: z.string(), stopped: z.array(stopShape) }),
  action: (args, { directory }): Stop => ({ kind: 'stop', what: 'connection', target: directory.target(args.host) }),
  run: async (permit, { fleet }) => {
    const { host: name, stopped } = await fleet.disconnect(permit);
    return { host: name, stopped: stopped.map(stopResult) };
  },
  text: out => [`disconnected from ${out.host}`, ...out.stopped.map(stopText)].join('\n'),
});
