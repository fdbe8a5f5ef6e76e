import * as z from 'zod';
import type { Forward } from '../call.ts';
import { Failure } from '../errors.ts';
import { CAPS } from '../ssh/caps.ts';
import { plainHost } from '../text/plain-host.ts';
import { safeLine } from '../text/safe.ts';
import { host, reason } from './fields.ts';
import { defineTool } from './tool.ts';

const port = z.int().min(1).max(65_535);

/** `ssh_tunnel_start`: leads what connects to one loopback to a place that the other side reaches. */
export const tunnelStart = defineTool({
  name: 'ssh_tunnel_start',
  title: 'Start a tunnel',
  description:
    'Forwards TCP from 127.0.0.1 of this server to what the host reaches (local), or the reverse (remote). ' +
    `Ends by ssh_tunnel_stop, by default after ${CAPS.tunnelIdleMs / 60_000} unused minutes or ${CAPS.tunnelLifeMs / 3_600_000} hours.`,
  risk: 'change',
  input: z.strictObject({
    host,
    direction: z.enum(['local', 'remote']).describe('Who listens: this server, or the host.'),
    listen_port: port.optional().describe('Any free one by default.'),
    to_host: z.string().min(1).max(255).describe('Where it leads, as who dials names it.'),
    to_port: port.describe('Its port.'),
    reason,
  }),
  output: z.strictObject({
    tunnel_id: z.string(),
    host: z.string(),
    direction: z.enum(['local', 'remote']),
    listen_address: z.literal('127.0.0.1').describe('Of this server, or of the host when it is remote.'),
    listen_port: z.number(),
    to_host: z.string(),
    to_port: z.number(),
    ends_in_ms: z.number().describe('How long it may live.'),
  }),
  action: (args, { directory }): Forward => ({
    kind: 'forward',
    target: directory.target(args.host),
    direction: args.direction,
    listenPort: args.listen_port ?? 0,
    to: { host: plain(args.to_host), port: args.to_port },
  }),
  run: async (permit, { fleet }, moment) => {
    const { id, host, direction, listenPort, to, endsInMs } = await fleet.openTunnel(permit, moment.signal);
    return {
      ...{ tunnel_id: id, host, direction, listen_address: '127.0.0.1' as const, listen_port: listenPort },
      ...{ to_host: to.host, to_port: to.port, ends_in_ms: endsInMs },
    };
  },
  text: out => {
    const listener = out.direction === 'local' ? 'this server' : out.host;
    const by = out.direction === 'local' ? `, by way of ${out.host}` : ' as this server reaches it';
    const where = `${out.listen_address}:${out.listen_port} of ${listener}`;
    return `tunnel ${out.tunnel_id}: ${where} leads to ${out.to_host}:${out.to_port}${by}; it ends in ${out.ends_in_ms} ms at the latest`;
  },
});

const SHOWN_CHARS = 60;

/** What is judged is what is dialled: nothing that some resolver reads otherwise. */
const plain = (text: string): string => {
  const place = plainHost(text);
  if (place !== undefined) return place;
  throw new Failure('INVALID_INPUT', `${JSON.stringify(safeLine(text, SHOWN_CHARS))} is no plain name or address.`, {
    next: 'Write to_host as a DNS name or as an IP address in full, without a port; the loopback as localhost.',
  });
};
