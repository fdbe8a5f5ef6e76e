import type { Action, Call, Input, Program } from '../../src/call.ts';
import { isSessionId } from '../../src/call.ts';

const targetOf = (host: string) => ({ host, user: 'deploy', address: '192.0.2.1', port: 22, tags: [] });

/** What a tool would declare for these arguments, as far as the policy looks at it. */
export const actionFor = (tool: string, input: Input, host?: string): Action => {
  const named = typeof input.host === 'string' ? input.host : host;
  const program = programFor(input);
  const session = typeof input.session_id === 'string' ? input.session_id : undefined;
  if (tool === 'ssh_session_end') return { kind: 'stop', what: 'session', id: session ?? '' };
  if (tool === 'ssh_session_read') return { kind: 'observe', what: 'session', id: session ?? '' };
  if (tool === 'ssh_cancel_command') return { kind: 'stop', what: 'command', id: String(input.command_id) };
  if (tool === 'ssh_read_output') return { kind: 'observe', what: 'command', id: String(input.command_id) };
  if (tool === 'ssh_list_hosts') return { kind: 'observe', what: 'hosts' };
  if (tool === 'ssh_status' || named === undefined) return { kind: 'observe', what: 'status' };
  if (tool === 'ssh_disconnect') return { kind: 'stop', what: 'connection', target: targetOf(named) };
  if (tool === 'ssh_connect') return { kind: 'connect', target: targetOf(named) };
  if (tool === 'ssh_session_start') return { kind: 'open', mode: 'managed', target: targetOf(named) };
  const run: Action = { kind: 'exec', target: targetOf(named), program, timeoutMs: 600_000, ...detailsFor(input) };
  return session !== undefined && isSessionId(session) ? { ...run, session } : run;
};

const programFor = ({ command, argv }: Input): Program => {
  const [first, ...rest] = Array.isArray(argv) ? argv.map(String) : [];
  if (first !== undefined) return { argv: [first, ...rest] };
  return { text: typeof command === 'string' ? command : 'true' };
};

const detailsFor = ({ cwd, env, stdin, detach }: Input) => ({
  ...(detach === true ? { detach: true as const } : {}),
  ...(typeof cwd === 'string' ? { cwd } : {}),
  ...(typeof stdin === 'string' ? { stdin } : {}),
  env:
    typeof env === 'object' && env !== null
      ? Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]))
      : {},
});

/** A call as the gate would hand it to the policy. */
export const callFor = (
  tool: string,
  input: Input,
  more: { grant?: string | undefined; host?: string | undefined; at?: number } = {},
): Call => ({
  id: 'call_1',
  grant: more.grant ?? 'local',
  tool,
  input,
  action: actionFor(tool, input, more.host),
  at: more.at ?? Date.parse('2026-11-20T10:00:00Z'),
});
