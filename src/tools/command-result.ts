import * as z from 'zod';
import { Failure } from '../errors.ts';
import type { StopReport } from '../ssh/end.ts';
import type { Command } from '../ssh/fleet.ts';
import { showBoth } from './shown.ts';

/** What was proved about a stop, on the wire. */
export const stopShape = z.strictObject({
  outcome: z.enum(['confirmed', 'already_ended', 'unconfirmed']),
  signals: z.array(z.string()),
  remaining: z.array(z.strictObject({ pid: z.number(), command: z.string() })),
});

/** How a command stands, on the wire. */
export const STATUSES = ['exited', 'signalled', 'running', 'cancelled', 'timed_out', 'revoked', 'lost'] as const;

/** Set when the program has ended and what it left behind still held its output. */
export const heldShape = z
  .literal(true)
  .optional()
  .describe('The program ended; something it left behind holds its output.');

/** How a command stands and what it wrote: the shape of `ssh_exec`'s result. */
export const commandShape = z.strictObject({
  host: z.string(),
  command_id: z.string().describe('Handle for ssh_read_output and ssh_cancel_command.'),
  status: z.enum(STATUSES),
  exit_code: z.number().optional(),
  signal: z.string().optional(),
  duration_ms: z.number(),
  stdout: z.string(),
  stderr: z.string(),
  stdout_cursor: z.number().describe('Where ssh_read_output goes on.'),
  stderr_cursor: z.number(),
  stdout_omitted: z.number().describe('Bytes that are not in stdout above.'),
  stderr_omitted: z.number(),
  output_held: heldShape,
  stop: stopShape.optional(),
});

/** A command's standing and output as JSON. */
export type CommandResult = z.output<typeof commandShape>;

/** The stop report as JSON. */
export const stopResult = (report: StopReport): z.output<typeof stopShape> => ({
  outcome: report.outcome,
  signals: [...report.signals],
  remaining: report.remaining.map(({ pid, command }) => ({ pid, command })),
});

/** A command as it stands now. */
export const commandResult = (command: Command): CommandResult => {
  const { stdout, stderr } = showBoth(command.stdout, command.stderr);
  return {
    host: command.host,
    command_id: command.id,
    ...standing(command),
    duration_ms: Math.round(command.state().durationMs),
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_cursor: stdout.cursor,
    stderr_cursor: stderr.cursor,
    stdout_omitted: stdout.omitted,
    stderr_omitted: stderr.omitted,
  };
};

/** How a command stands, on the wire. */
export type Standing = Pick<CommandResult, 'status' | 'exit_code' | 'signal' | 'output_held' | 'stop'>;

/** The status, and what belongs to it: a code, a signal, or what a stop proved. */
export const standing = (command: Command): Standing => {
  const { end } = command.state();
  if (end === undefined) return { status: 'running' };
  switch (end.how) {
    case 'exited':
      return { status: end.how, exit_code: end.code, ...held(end.outputHeld) };
    case 'signalled':
      return { status: end.how, signal: end.signal, ...held(end.outputHeld) };
    case 'lost':
      return { status: end.how };
    default:
      return { status: end.how, stop: stopResult(end.stop) };
  }
};

const held = (outputHeld: true | undefined): { output_held?: true } => (outputHeld ? { output_held: true } : {});

/** A lost command is the one end that is a failure: nobody knows whether it ran to its end. */
export const lostFailure = (result: { status: string; host: string }): Failure | undefined =>
  result.status === 'lost'
    ? new Failure('CONNECTION_LOST', `The connection to ${result.host} was lost while the command ran.`)
    : undefined;

/** The same facts for a reader: status first, then the streams. */
export const commandText = (result: CommandResult): string =>
  [
    headline(result),
    result.stdout === '' ? undefined : `stdout:\n${result.stdout}`,
    result.stderr === '' ? undefined : `stderr:\n${result.stderr}`,
    result.output_held
      ? `The program has ended, but something it left behind still holds its output: ssh_cancel_command stops that too.`
      : undefined,
    result.status === 'running'
      ? `It still runs: ssh_read_output (command_id ${result.command_id}, cursor ${result.stdout_cursor}) waits for more, ssh_cancel_command stops it.`
      : undefined,
  ]
    .filter(part => part !== undefined)
    .join('\n');

const headline = (result: CommandResult): string => {
  const how =
    result.status === 'exited'
      ? `exited ${result.exit_code}`
      : result.status === 'signalled'
        ? `ended by signal ${result.signal}`
        : result.status;
  const stop = result.stop === undefined ? '' : `; ${stopText(result.stop)}`;
  const left = result.stdout_omitted + result.stderr_omitted;
  const omitted = left === 0 ? '' : `; ${left} bytes of output not shown`;
  return `${how} on ${result.host} after ${result.duration_ms} ms (${result.command_id})${stop}${omitted}`;
};

/** What a stop proved, in words. */
export const stopText = (stop: z.output<typeof stopShape>): string => {
  const sent = stop.signals.length === 0 ? '' : ` after ${stop.signals.join(', ')}`;
  if (stop.outcome === 'already_ended') return 'it had already ended';
  if (stop.outcome === 'confirmed') return `stopped${sent}, nothing of it is alive`;
  const left = stop.remaining.map(({ pid, command }) => `${pid} ${command}`).join('; ');
  return `stop not confirmed${sent}${left === '' ? '' : `, still there: ${left}`}`;
};
