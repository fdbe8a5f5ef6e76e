import * as z from 'zod';
import type { Observe } from '../call.ts';
import { defineTool } from './tool.ts';

/** `ssh_list_hosts`: what may be reached. */
export const listHosts = defineTool({
  name: 'ssh_list_hosts',
  title: 'List the hosts',
  description:
    'Lists the configured hosts with user, address, tags, connection state and whether the host key is known. Connects to none of them.',
  risk: 'read',
  input: z.strictObject({}),
  output: z.strictObject({
    hosts: z.array(
      z.strictObject({
        name: z.string(),
        user: z.string(),
        address: z.string(),
        port: z.number(),
        tags: z.array(z.string()),
        state: z.enum(['idle', 'connecting', 'ready', 'closed']),
        key: z.enum(['pinned', 'known', 'unknown', 'changed', 'revoked']),
      }),
    ),
  }),
  action: (): Observe => ({ kind: 'observe', what: 'hosts' }),
  run: async (permit, { fleet }) => ({
    hosts: (await fleet.hosts(permit)).map(view => ({ ...view, tags: [...view.tags] })),
  }),
  text: out =>
    out.hosts.length === 0
      ? 'No hosts are configured. The operator adds them to config.json.'
      : out.hosts
          .map(view => {
            const tags = view.tags.length === 0 ? '' : ` [${view.tags.join(', ')}]`;
            return `${view.name}: ${view.user}@${view.address}:${view.port}${tags}, ${view.state}, host key ${view.key}`;
          })
          .join('\n'),
});
