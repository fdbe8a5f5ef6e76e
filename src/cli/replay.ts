import * as z from 'zod';
import type { Host } from '../ssh/host.ts';
import { transferTry } from './file-tries.ts';
import type { Try } from './tries.ts';

const action = z.object({
  kind: z.string(),
  host: z.string().optional(),
  user: z.string().optional(),
  command: z.string().optional(),
  argv: z.array(z.string()).optional(),
  cwd: z.string().optional(),
  env: z.array(z.string()).optional(),
  stdin: z.unknown().optional(),
  session: z.string().optional(),
  detach: z.boolean().optional(),
  timeout_ms: z.number().optional(),
  change: z.enum(['add', 'remove']).optional(),
  address: z.string().optional(),
  port: z.number().optional(),
  like: z.string().optional(),
  tags: z.array(z.string()).optional(),
  direction: z.string().optional(),
  remote_path: z.string().optional(),
  access: z.string().optional(),
  path: z.string().optional(),
  local_path: z.string().optional(),
  content: z.object({ bytes: z.number() }).optional(),
  tree: z.object({ delete_extra: z.boolean() }).optional(),
  listen_port: z.number().optional(),
  to_host: z.string().optional(),
  to_port: z.number().optional(),
});

const record = z.object({
  time: z.iso.datetime().optional(),
  event: z.enum(['admitted', 'refused']),
  tool: z.string(),
  action: action.optional(),
});

type Action = z.output<typeof action>;

/** The calls of an audit file; those are left out of which it does not keep what they were to do. */
export type Replay = { readonly tries: readonly Try[]; readonly skipped: number };

/** Reads every `admitted` and `refused` record; hosts have the tags that they are configured with now. */
export const replayOf = (text: string, hosts: readonly Host[]): Replay => {
  const tries: Try[] = [];
  let skipped = 0;
  for (const line of text.split('\n')) {
    const parsed = record.safeParse(jsonOf(line));
    if (!parsed.success) continue;
    const { tool, time, action } = parsed.data;
    if (action === undefined || isPayment(action)) {
      skipped += 1;
      continue;
    }
    const { host, user } = action;
    const tags = hosts.find(({ name }) => name === host)?.tags ?? [];
    const call = {
      tool,
      ...(host === undefined ? {} : { host }),
      ...(user === undefined ? {} : { user }),
      tags: [...tags],
      ...(time === undefined ? {} : { at: time }),
      args: argumentsOf(action),
    };
    tries.push({ call, hosts: host === undefined ? [] : [host] });
  }
  return { tries, skipped };
};

const jsonOf = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Bytes that a transfer was refused say nothing of what it was to do. */
const isPayment = ({ kind, remote_path, path }: Action): boolean =>
  kind === 'transfer' && remote_path === undefined && path === undefined;

const argumentsOf = (action: Action) => {
  if (action.change !== undefined) return newcomerOf(action);
  if (action.kind === 'transfer') return filesOf(action);
  return action.kind === 'forward' ? tunnelOf(action) : argsOf(action);
};

/** A transfer, or what one was refused on its way; of a text only the size is known, which is all that is judged of it. */
const filesOf = ({ access, path, remote_path, local_path, content, tree }: Action) => ({
  ...(access === undefined || path === undefined ? {} : transferTry(access, path).args),
  ...(remote_path === undefined ? {} : { remote_path }),
  ...(local_path === undefined ? {} : { local_path }),
  ...(content === undefined ? {} : { content: '', size: content.bytes }),
  ...(tree === undefined ? {} : { recursive: true, delete_extra: tree.delete_extra }),
});

const tunnelOf = ({ direction = 'local', listen_port = 0, to_host = '', to_port = 0 }: Action) => ({
  ...{ direction, listen_port, to_host, to_port },
});

/** The arguments as far as the record keeps them: of variables their names, of input that there was some. */
const argsOf = ({ host, user, session, command, argv, cwd, env, stdin, detach, timeout_ms }: Action) => ({
  ...(session === undefined ? (host === undefined ? {} : { host }) : { session_id: session }),
  ...(command === undefined ? {} : { [session === undefined ? 'command' : 'input']: command }),
  ...(argv === undefined ? {} : { argv }),
  ...(cwd === undefined || (session !== undefined && isHome(cwd, user)) ? {} : { cwd }),
  ...(env === undefined ? {} : { env: Object.fromEntries(env.map(name => [name, ''])) }),
  ...(stdin === undefined ? {} : { stdin: '' }),
  ...(detach === undefined ? {} : { detach }),
  ...(timeout_ms === undefined ? {} : { timeout_ms }),
});

/** A host that was to be added, or removed. */
const newcomerOf = ({ change, host = '', address, port, like, tags }: Action) => ({
  name: host,
  ...(change === 'remove' || address === undefined ? {} : { address }),
  ...(change === 'remove' || port === undefined ? {} : { port }),
  ...(like === undefined ? {} : { like }),
  ...(tags === undefined ? {} : { tags }),
});

/** A session's line in the account's own directory is judged as one that names none; the record keeps only its path. */
const isHome = (cwd: string, user: string | undefined): boolean =>
  cwd === (user === 'root' ? '/root' : `/home/${user}`);
