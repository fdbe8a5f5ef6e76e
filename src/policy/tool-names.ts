import type { Input } from '../call.ts';

/** Every tool that a document may speak of, built or not. */
export const TOOL_NAMES: readonly string[] = [
  'ssh_exec',
  'ssh_read_output',
  'ssh_cancel_command',
  'ssh_session_start',
  'ssh_session_send',
  'ssh_session_read',
  'ssh_session_end',
  'ssh_upload',
  'ssh_download',
  'ssh_tunnel_start',
  'ssh_tunnel_stop',
  'ssh_connect',
  'ssh_disconnect',
  'ssh_list_hosts',
  'ssh_status',
  'ssh_host_add',
  'ssh_host_remove',
  'ssh_get_monitoring_url',
];

/** What other SSH servers call a tool, and what does the same here. */
export const REPLACED_BY: Readonly<Record<string, string>> = {
  ssh_exec_raw: 'ssh_exec with argv',
  ssh_poll_task: 'ssh_read_output',
  ssh_list_sessions: 'ssh_status',
  ssh_session_list: 'ssh_status',
  ssh_tunnel_list: 'ssh_status',
  ssh_version: 'ssh_status',
  add_credential: 'ssh_host_add',
  list_credentials: 'ssh_list_hosts',
  remove_credential: 'ssh_host_remove',
  scp_copy: 'ssh_upload or ssh_download',
  rsync_copy: 'ssh_upload or ssh_download',
};

/** The names that a document may use, and what others call them. */
export type Known = {
  readonly tools: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly read?: ReadArguments;
};

/** What a tool's conditions see of a call with these arguments on this host: with the defaults that the server fills in. */
export type ReadArguments = (tool: string, args: Input, host: string) => Input;

/** All of ours. */
export const KNOWN: Known = { tools: TOOL_NAMES, aliases: REPLACED_BY };

/** The tools that stop something, and the tool that starts what each of them stops. */
export const STOPS: Readonly<Record<string, string>> = {
  ssh_cancel_command: 'ssh_exec',
  ssh_session_end: 'ssh_session_start',
  ssh_tunnel_stop: 'ssh_tunnel_start',
  ssh_disconnect: 'ssh_connect',
};
