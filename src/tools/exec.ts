import * as z from 'zod';
import type { Program, Run } from '../call.ts';
import { CAPS } from '../ssh/caps.ts';
import { commandResult, commandShape, commandText, lostFailure } from './command-result.ts';
import { host, reason, timeoutMs, waitMs } from './fields.ts';
import { defineTool } from './tool.ts';
import { waitForEnd } from './wait.ts';

const WAIT_MS = 30_000;

const input = z
  .strictObject({
    host,
    command: z.string().min(1).max(65_536).optional().describe('A command line for the login shell of the account.'),
    argv: z
      .array(z.string().max(65_536))
      .min(1)
      .max(1024)
      .optional()
      .describe('Instead of command: the program and its arguments, passed on exactly, without a shell.'),
    cwd: z.string().min(1).max(4096).optional().describe('Directory to run in.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(65_536))
      .optional()
      .describe('Environment variables to add.'),
    stdin: z.string().max(1_048_576).optional().describe('Text for standard input, which is closed when absent.'),
    timeout_ms: timeoutMs,
    wait_ms: waitMs(WAIT_MS),
    reason,
  })
  .refine(value => (value.command === undefined) !== (value.argv === undefined), {
    message: 'give either command or argv',
    path: ['command'],
  });

/** `ssh_exec`: runs one command on one host. */
export const exec = defineTool({
  name: 'ssh_exec',
  title: 'Run a command over SSH',
  description:
    'Runs a command on a configured host over SSH and returns its exit code, stdout and stderr. ' +
    'A command that outlives wait_ms goes on and is handed over with a command_id: read it with ssh_read_output, stop it with ssh_cancel_command. ' +
    'A host runs five at a time: a command that has to wait for a lane is handed over too, marked queued, and nothing was sent yet. ' +
    'Output that background work writes after the command ended is not kept: redirect it to a file. ' +
    `Of the commands that have ended, the last ${CAPS.commandsPerGrant} can be read, for ${CAPS.keepEndedMs / 60_000} minutes.`,
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
  }),
  run: async (permit, { fleet }, moment, args) => {
    const command = await fleet.run(permit, moment.signal);
    await waitForEnd(command, args.wait_ms, moment);
    return commandResult(command);
  },
  text: commandText,
  failure: lostFailure,
});

const programOf = ({ command, argv }: z.output<typeof input>): Program => {
  const [first, ...rest] = argv ?? [];
  return first === undefined ? { text: command ?? '' } : { argv: [first, ...rest] };
};
