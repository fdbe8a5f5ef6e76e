import * as z from 'zod';
import type { Connect } from '../call.ts';
import { host } from './fields.ts';
import { defineTool } from './tool.ts';

/** A login shell that starts faster costs nobody anything worth a word. */
const SLOW_SHELL_MS = 20;

/** `ssh_connect`: opens and describes a connection. */
export const connect = defineTool({
  name: 'ssh_connect',
  title: 'Connect to a host',
  description:
    'Opens the connection to a host and describes it: server version, host key, round-trip time. ' +
    'Optional: the other tools connect by themselves.',
  risk: 'change',
  input: z.strictObject({ host }),
  output: z.strictObject({
    host: z.string(),
    state: z.enum(['idle', 'connecting', 'ready', 'closed']),
    server: z.string(),
    host_key: z.string(),
    round_trip_ms: z.number(),
    shell_startup_ms: z
      .number()
      .optional()
      .describe('What the login shell takes before each command, when it is more than 20 ms.'),
  }),
  action: (args, { directory }): Connect => ({ kind: 'connect', target: directory.target(args.host) }),
  run: async (permit, { fleet }, moment) => {
    const view = await fleet.connect(permit, moment.signal);
    return {
      host: view.host,
      state: view.state,
      server: view.server,
      host_key: view.fingerprint,
      round_trip_ms: Math.round(view.roundTripMs * 10) / 10,
      ...slowShell(view.shellStartupMs),
    };
  },
  text: out =>
    `${out.state}: ${out.host}, ${out.server}, host key ${out.host_key}, round trip ${out.round_trip_ms} ms${
      out.shell_startup_ms === undefined
        ? ''
        : `, and its login shell takes ${out.shell_startup_ms} ms to start before each command: look into its startup files`
    }`,
});

const slowShell = (ms = 0): { shell_startup_ms?: number } =>
  ms > SLOW_SHELL_MS ? { shell_startup_ms: Math.round(ms) } : {};
