import * as z from 'zod';
import type { Run } from '../call.ts';
import type { Permit } from '../gate/permit.ts';
import type { Command } from '../ssh/fleet.ts';
import {
  type CommandResult,
  commandResult,
  commandShape,
  commandText,
  howText,
  lostFailure,
  refuseUnsent,
  standing,
} from './command-result.ts';
import { host, hosts, reason, timeoutMs, waitMs } from './fields.ts';
import { manyFailure, manyResult, manyShape, manyText } from './many-result.ts';
import { argv, command, programOf } from './program.ts';
import { type Caller, defineTool, type House } from './tool.ts';
import { waitForEnd } from './wait.ts';

const WAIT_MS = 30_000;

const input = z
  .strictObject({
    host: host.optional(),
    hosts: hosts.optional().describe('Instead of host: names, sets, "tag:NAME"; each is judged by itself.'),
    command: command.describe('A command line for the login shell.'),
    argv,
    cwd: z.string().min(1).max(4096).optional().describe('Where to run.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(65_536))
      .optional()
      .describe('Variables to add.'),
    stdin: z.string().max(1_048_576).optional().describe('Text for standard input.'),
    timeout_ms: timeoutMs,
    wait_ms: waitMs(WAIT_MS),
    detach: z.boolean().optional().describe('Let it outlive this server, where the policy allows; returns at once.'),
    reason,
  })
  .refine(value => (value.host === undefined) !== (value.hosts === undefined), {
    message: 'give either host or hosts',
    path: ['host'],
  })
  .refine(value => (value.command === undefined) !== (value.argv === undefined), {
    message: 'give either command or argv',
    path: ['command'],
  })
  .refine(value => value.detach !== true || value.stdin === undefined, {
    message: 'cannot be given to a detached command: put it into a file, or leave detach out',
    path: ['stdin'],
  });

const output = z.strictObject({ ...commandShape.partial().shape, results: manyShape });

const REQUIRED = Object.entries(commandShape.shape).flatMap(([name, field]) => (field.isOptional() ? [] : [name]));

const isOne = (out: z.output<typeof output>): out is CommandResult => out.command_id !== undefined;

const runOn = async (
  permit: Permit<Run>,
  { fleet }: House,
  moment: Caller,
  args: z.output<typeof input>,
): Promise<Command> => {
  const command = await fleet.run(permit, moment.signal);
  if (args.detach !== true) await waitForEnd(command, args.wait_ms, moment);
  refuseUnsent(command);
  return command;
};

/** `ssh_exec`: runs a command on one host, or on many at once. */
export const exec = defineTool({
  name: 'ssh_exec',
  title: 'Run a command over SSH',
  description:
    'Runs a command on a host, or on many (results, in the order asked): exit code, stdout, stderr. ' +
    'One that outlives wait_ms goes on: ssh_read_output follows it by command_id, ssh_cancel_command stops it. ' +
    'Queued: it waits for a lane of its host, and was not sent yet. ' +
    'What background work writes after the end is not kept: redirect it to a file.',
  risk: 'execute',
  input,
  output,
  forms: [REQUIRED, ['results']],
  action: (args, { directory }): Run => ({
    kind: 'exec',
    target: directory.target(args.host ?? ''),
    program: programOf(args),
    ...(args.cwd === undefined ? {} : { cwd: args.cwd }),
    env: args.env ?? {},
    ...(args.stdin === undefined ? {} : { stdin: args.stdin }),
    timeoutMs: args.timeout_ms,
    ...(args.detach === true ? { detach: true } : {}),
  }),
  run: async (permit, house, moment, args) => commandResult(await runOn(permit, house, moment, args)),
  many: {
    hosts: args => args.hosts,
    run: runOn,
    word: command => (command.state().end === undefined ? 'still runs' : howText(standing(command))),
    join: manyResult,
  },
  text: out => (isOne(out) ? commandText(out) : manyText(out.results ?? [])),
  failure: out => (isOne(out) ? lostFailure(out) : manyFailure(out.results ?? [])),
});
