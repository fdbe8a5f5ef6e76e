import * as z from 'zod';
import type { Run } from '../call.ts';
import { commandResult, commandShape, commandText, lostFailure } from './command-result.ts';
import { host, reason, timeoutMs, waitMs } from './fields.ts';
import { argv, command, programOf } from './program.ts';
import { defineTool } from './tool.ts';
import { waitForEnd } from './wait.ts';

const WAIT_MS = 30_000;

const input = z
  .strictObject({
    host,
    command: command.describe('A command line for the login shell of the account.'),
    argv,
    cwd: z.string().min(1).max(4096).optional().describe('Directory to run in.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(65_536))
      .optional()
      .describe('Environment variables to add.'),
    stdin: z.string().max(1_048_576).optional().describe('Text for standard input, closed when absent.'),
    timeout_ms: timeoutMs,
    wait_ms: waitMs(WAIT_MS),
    detach: z
      .boolean()
      .optional()
      .describe(
        'Let it outlive this server, where the policy allows it: returns at once, and the host keeps its output.',
      ),
    reason,
  })
  .refine(value => (value.command === undefined) !== (value.argv === undefined), {
    message: 'give either command or argv',
    path: ['command'],
  })
  .refine(value => value.detach !== true || value.stdin === undefined, {
    message: 'cannot be given to a detached command: put it into a file, or leave detach out',
    path: ['stdin'],
  });

/** `ssh_exec`: runs one command on one host. */
export const exec = defineTool({
  name: 'ssh_exec',
  title: 'Run a command over SSH',
  description:
    'Runs a command on a configured host over SSH and returns its exit code, stdout and stderr. ' +
    'A command that outlives wait_ms goes on and is handed over with a command_id: read it with ssh_read_output, stop it with ssh_cancel_command. ' +
    'A host runs five at a time: one that has to wait is handed over too, marked queued: nothing was sent yet. ' +
    'Output that background work writes after the command ended is not kept: redirect it to a file.',
  risk: 'execute',
  input,
  output: commandShape,
  action: (args, { directory }): Run => ({
    kind: 'exec',
    target: directory.target(args.host),
    program: programOf(args),
    ...(args.cwd === undefined ? {} : { cwd: args.cwd }),
    env: args.env ?? {},
    ...(args.stdin === undefined ? {} : { stdin: args.stdin }),
    timeoutMs: args.timeout_ms,
    ...(args.detach === true ? { detach: true } : {}),
  }),
  run: async (permit, { fleet }, moment, args) => {
    const command = await fleet.run(permit, moment.signal);
    if (args.detach !== true) await waitForEnd(command, args.wait_ms, moment);
    return commandResult(command);
  },
  text: commandText,
  failure: lostFailure,
});
