import * as z from 'zod';
import type { Configure } from '../call.ts';
import { isPlainAddress } from '../policy/rules/newcomer.ts';
import { isHostName } from '../ssh/host.ts';
import { host, reason } from './fields.ts';
import { defineTool } from './tool.ts';

const name = z.string().refine(isHostName, 'must be letters, digits, ., _ and -, up to 128');

/** `ssh_host_add`: one more host, like one that is there. */
export const hostAdd = defineTool({
  name: 'ssh_host_add',
  title: 'Add a host',
  description:
    'Adds a host to the list: at an address of its own, with the account, the keys and the way of one that is there, but no password. ' +
    'Nothing connects to it before the operator has trusted its host key.',
  risk: 'change',
  input: z.strictObject({
    name: name.describe('What it is to be called.'),
    address: z
      .string()
      .max(253)
      .refine(isPlainAddress, 'must be a DNS name or an IP address, without user or port')
      .describe('Its DNS name or IP address.'),
    port: z.int().min(1).max(65_535).default(22).describe('Its SSH port.'),
    like: host.describe('The host whose account, keys and way it has.'),
    tags: z.array(name).max(16).optional().describe('Where the policy lets them be given.'),
    reason,
  }),
  output: z.strictObject({
    host: z.string(),
    user: z.string(),
    address: z.string(),
    port: z.number(),
    tags: z.array(z.string()),
    like: z.string(),
    logins: z.array(z.string()),
    via: z.string().optional(),
    key: z.literal('unknown'),
    next: z.string(),
  }),
  action: (args, { directory }): Configure => {
    const like = directory.target(args.like);
    const target = { host: args.name, user: like.user, address: args.address.toLowerCase(), port: args.port };
    return { kind: 'configure', change: 'add', target: { ...target, tags: [...new Set(args.tags)] }, like };
  },
  run: async (permit, { hosts }, _moment, args) => {
    const { target, logins, via } = await hosts.add(permit);
    return {
      ...{ host: target.host, user: target.user, address: target.address, port: target.port, tags: [...target.tags] },
      ...{ like: args.like, logins: [...logins], ...(via === undefined ? {} : { via }) },
      key: 'unknown' as const,
      next: `Nothing connects to it yet. Ask the operator to run: sallyport hosts trust ${target.host}`,
    };
  },
  text: out =>
    `added ${out.host}: ${out.user}@${out.address}:${out.port}, like ${out.like} (${out.logins.join(', ')}${out.via === undefined ? '' : `, via ${out.via}`})` +
    `${out.tags.length === 0 ? '' : ` [${out.tags.join(', ')}]`}, host key ${out.key}. ${out.next}`,
});
