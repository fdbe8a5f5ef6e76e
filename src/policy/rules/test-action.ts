import type { Action, Forward, Input, Open, Program, Target, Transfer, Type } from '../../call.ts';
import { newSessionId } from '../../call.ts';
import { plainHost } from '../../text/plain-host.ts';
import type { RawTest } from './schema.ts';
import type { TestCall } from './tests.ts';

/** What a tool would declare for these arguments, as far as rules look at it. */
export const actionOf = ({ tool, session }: TestCall, args: Input, target: Target): Action => {
  switch (tool) {
    case 'ssh_exec':
      return { kind: 'exec', target, program: programOf(args.command, args.argv), ...detailsOf(args) };
    case 'ssh_session_send':
      if (session !== undefined && session.mode !== 'managed') return typeAction(session, args, target);
      return { kind: 'exec', target, program: programOf(args.input, undefined), session: SESSION, ...detailsOf(args) };
    case 'ssh_session_start':
      return openAction(args, target);
    case 'ssh_host_add':
      return { kind: 'configure', change: 'add', target: newcomerOf(args, target), like: likeOf(args, target) };
    case 'ssh_host_remove':
      return { kind: 'configure', change: 'remove', target: { ...target, host: textOf(args.name) }, own: true };
    case 'ssh_upload':
    case 'ssh_download':
      return transferAction(tool, args, target);
    case 'ssh_tunnel_start':
      return forwardAction(args, target);
    case 'ssh_connect':
      return { kind: 'connect', target };
    default:
      return { kind: 'observe', what: 'status' };
  }
};

const transferAction = (tool: 'ssh_upload' | 'ssh_download', args: Input, target: Target): Transfer => {
  const what = {
    kind: 'transfer',
    target,
    remotePath: textOf(args.remote_path),
    resume: args.resume === true,
  } as const;
  if (typeof args.content === 'string') return { ...what, direction: 'upload', from: { content: args.content } };
  if (tool === 'ssh_download' && typeof args.local_path !== 'string')
    return { ...what, direction: 'download', to: 'text', offset: 0, maxBytes: 0 };
  const direction = tool === 'ssh_upload' ? 'upload' : 'download';
  const tree = { links: 'skip', deleteExtra: args.delete_extra === true } as const;
  const localPath = textOf(args.local_path);
  return { ...what, direction, localPath, ...(args.recursive === true ? { tree } : {}) };
};

const forwardAction = (args: Input, target: Target): Forward => ({
  ...{ kind: 'forward', target, direction: args.direction === 'remote' ? 'remote' : 'local' },
  listenPort: numberOf(args.listen_port),
  to: { host: plainHost(textOf(args.to_host)) ?? '', port: numberOf(args.to_port) },
});

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const SESSION = newSessionId(bytes => Buffer.alloc(bytes));
const TIMEOUT_MS = 600_000;
const SIZE = { cols: 120, rows: 40 } as const;

const openAction = ({ mode, command, argv }: Input, target: Target): Open => {
  if (mode === 'terminal') return { kind: 'open', mode, target, size: SIZE };
  if (mode !== 'program') return { kind: 'open', mode: 'managed', target };
  const asked = programOf(command, argv);
  return { kind: 'open', mode, target, size: SIZE, program: asked, asked };
};

const typeAction = (
  { mode, command, argv }: NonNullable<RawTest['session']>,
  { input, keys }: Input,
  target: Target,
): Type => {
  const typed = {
    ...(typeof input === 'string' ? { text: input } : {}),
    ...(Array.isArray(keys) ? { keys: keys.map(String) } : {}),
  };
  const where = { kind: 'type', target, session: SESSION, typed } as const;
  return mode === 'program' ? { ...where, mode, asked: programOf(command, argv) } : { ...where, mode: 'terminal' };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const newcomerOf = ({ name, address, port, tags }: Input, { user }: Target): Target => ({
  ...{ host: textOf(name), user, address: textOf(address).toLowerCase() },
  port: typeof port === 'number' ? port : 22,
  tags: Array.isArray(tags) ? tags.map(String) : [],
});

const likeOf = ({ like }: Input, target: Target): Target => ({ ...target, host: textOf(like) });

const programOf = (command: unknown, argv: unknown): Program => {
  const [first, ...rest] = Array.isArray(argv) ? argv.map(String) : [];
  return first === undefined ? { text: typeof command === 'string' ? command : '' } : { argv: [first, ...rest] };
};

const detailsOf = ({ cwd, env, stdin, detach, timeout_ms: timeout }: Input) => ({
  ...(typeof cwd === 'string' ? { cwd } : {}),
  env:
    typeof env === 'object' && env !== null
      ? Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]))
      : {},
  ...(typeof stdin === 'string' ? { stdin } : {}),
  ...(detach === true ? { detach: true as const } : {}),
  timeoutMs: typeof timeout === 'number' ? timeout : TIMEOUT_MS,
});
