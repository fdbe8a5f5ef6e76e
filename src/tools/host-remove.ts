import * as z from 'zod';
import type { Configure } from '../call.ts';
import { host, reason } from './fields.ts';
import { defineTool } from './tool.ts';

/** `ssh_host_remove`: takes away a host that was added here. */
export const hostRemove = defineTool({
  name: 'ssh_host_remove',
  title: 'Remove a host that was added',
  description: 'Takes a host off the list that ssh_host_add put there for you, and ends what runs there.',
  risk: 'change',
  input: z.strictObject({ name: host.describe('A host that ssh_host_add added.'), reason }),
  output: z.strictObject({ host: z.string(), removed: z.literal(true) }),
  action: (args, { directory, grant }): Configure => ({
    kind: 'configure',
    change: 'remove',
    target: directory.target(args.name),
    own: directory.addedBy(args.name) === grant,
  }),
  run: async (permit, { hosts }, _moment, args) => {
    await hosts.remove(permit);
    return { host: args.name, removed: true as const };
  },
  text: out => `removed ${out.host} from the list of hosts`,
});
