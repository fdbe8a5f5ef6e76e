import * as z from 'zod';
import type { Stop } from '../call.ts';
import { defineTool } from './tool.ts';

/** `ssh_tunnel_stop`: ends a tunnel and every connection through it. */
export const tunnelStop = defineTool({
  name: 'ssh_tunnel_stop',
  title: 'Stop a tunnel',
  description: 'Ends a tunnel with its connections, and says what went through.',
  risk: 'stop',
  input: z.strictObject({ tunnel_id: z.string().max(64).describe('From ssh_tunnel_start.') }),
  output: z.strictObject({
    tunnel_id: z.string(),
    host: z.string(),
    connections: z.number().describe('All that there were.'),
    failed: z.number().describe('Those that could not be led on.'),
    bytes_out: z.number().describe('From the side that listens.'),
    bytes_in: z.number().describe('Back to it.'),
    reconnects: z.number(),
    why: z.string().optional().describe('Why it had ended, or why the last connection failed.'),
  }),
  action: (args): Stop => ({ kind: 'stop', what: 'tunnel', id: args.tunnel_id }),
  run: async (permit, { fleet }) => {
    const { id, host, total, failed, bytesOut, bytesIn, reconnects, why } = await fleet.closeTunnel(permit);
    return {
      ...{ tunnel_id: id, host, connections: total, failed, bytes_out: bytesOut, bytes_in: bytesIn, reconnects },
      ...(why === undefined ? {} : { why }),
    };
  },
  text: out =>
    `tunnel ${out.tunnel_id} on ${out.host} ended: ${out.connections} connections, ${out.failed} failed, ` +
    `${out.bytes_out} bytes out, ${out.bytes_in} bytes back, ${out.reconnects} reconnects${out.why === undefined ? '' : `; ${out.why}`}`,
});
