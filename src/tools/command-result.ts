import * as z from 'zod';
import { Failure } from '../errors.ts';
import { CAPS } from '../ssh/caps.ts';
import type { StopReport } from '../ssh/command/end.ts';
import type { Output } from '../ssh/command/growing-text.ts';
import type { Command } from '../ssh/fleet.ts';
import { showBoth } from './shown.ts';

/** What was proved about a stop, on the wire. */
export const stopShape = z.strictObject({
  outcome: z.enum(['confirmed', 'already_ended', 'unconfirmed']),
  signals: z.array(z.string()),
  remaining: z.array(z.strictObject({ pid: z.number(), command: z.string() })),
  unlisted: z.number().optional().describe('How many more remain than are listed.'),
});

/** How a command stands, on the wire. */
export const STATUSES = ['exited', 'signalled', 'running', 'cancelled', 'timed_out', 'revoked', 'lost'] as const;

/** How a command stands, beside its output. */
export const standingShape = z.strictObject({
  status: z.enum(STATUSES),
  exit_code: z.number().optional(),
  signal: z.string().optional(),
  output_held: z
    .literal(true)
    .optional()
    .describe('The program ended; something it left behind held its output, and what that writes is not kept.'),
  discarded: z
    .number()
    .optional()
    .describe('Bytes that were written after the end, or beyond output_limit, and not kept.'),
  queued: z
    .number()
    .optional()
    .describe('Nothing was sent yet: it waits for a free lane, with so many channels of the host in use.'),
  unsent: z.literal(true).optional().describe('The host never got the command.'),
  output_limit: z
    .number()
    .optional()
    .describe('It wrote more bytes than this to both streams and was stopped for it; the rest is not kept.'),
});

/** A stream that is no text. */
export const binaryShape = z.strictObject({
  bytes: z.number(),
  sha256: z.string().optional(),
});

/** How a command stands and what it wrote: the shape of `ssh_exec`'s result. */
export const commandShape = z.strictObject({
  host: z.string(),
  command_id: z.string().describe('Handle for ssh_read_output and ssh_cancel_command.'),
  ...standingShape.shape,
  duration_ms: z.number(),
  stdout: z.string(),
  stderr: z.string(),
  stdout_cursor: z.number().describe('Where ssh_read_output goes on.'),
  stderr_cursor: z.number(),
  stdout_omitted: z.number().describe('Bytes that are not in stdout above.'),
  stderr_omitted: z.number(),
  stdout_binary: binaryShape.optional().describe('stdout is no text: its size and hash as received.'),
  stderr_binary: binaryShape.optional(),
  stop: stopShape.optional(),
});

/** A command's standing and output as JSON. */
export type CommandResult = z.output<typeof commandShape>;

/** The stop report as JSON. */
export const stopResult = (report: StopReport): z.output<typeof stopShape> => ({
  outcome: report.outcome,
  signals: [...report.signals],
  remaining: report.remaining.map(({ pid, command }) => ({ pid, command })),
  ...(report.unlisted === undefined ? {} : { unlisted: report.unlisted }),
});

/** Throws why a command was never sent: a call about it could not do what it was asked. One that was taken back is no failure. */
export const refuseUnsent = (command: Command): void => {
  const { end } = command.state();
  if (end?.how === 'lost' && end.unsent === true) throw end.why;
  if (end?.how === 'revoked' && end.unsent === true)
    throw new Failure('CANCELLED', 'It was revoked before anything was sent.');
};

/** A command as it stands now, with so many characters of output; throws like `refuseUnsent`. */
export const commandResult = (command: Command, chars?: number): CommandResult => {
  refuseUnsent(command);
  const { stdout, stderr } = showBoth(command.stdout, command.stderr, chars);
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
    ...(command.stdout.binary ? { stdout_binary: binaryOf(command.stdout) } : {}),
    ...(command.stderr.binary ? { stderr_binary: binaryOf(command.stderr) } : {}),
  };
};

/** What can be said of a stream that is no text. */
export const binaryOf = (output: Output): z.output<typeof binaryShape> => {
  const received = output.received();
  return { bytes: received.bytes, ...('sha256' in received ? { sha256: received.sha256 } : {}) };
};

/** The same in words. */
export const binaryText = ({ bytes, sha256 }: z.output<typeof binaryShape>): string =>
  `binary data, ${bytes} bytes${sha256 === undefined ? '' : `, SHA-256 ${sha256}`}`;

/** How a command stands, on the wire. */
export type Standing = z.output<typeof standingShape> & Pick<CommandResult, 'stop'>;

/** The status, and what belongs to it: a code, a signal, or what a stop proved. */
export const standing = (command: Command): Standing => {
  const { end, queued, leavings, outputLimit } = command.state();
  const limit =
    outputLimit === undefined ? {} : { output_limit: outputLimit.maxBytes, discarded: outputLimit.discarded };
  if (end === undefined) return { status: 'running', ...(queued === undefined ? {} : { queued }), ...limit };
  const held = leavings === undefined ? {} : { output_held: true as const, discarded: leavings.discarded };
  const unsent = 'unsent' in end ? { unsent: end.unsent } : {};
  switch (end.how) {
    case 'exited':
      return { status: end.how, exit_code: end.code, ...limit, ...held };
    case 'signalled':
      return { status: end.how, signal: end.signal, ...limit, ...held };
    case 'lost':
      return { status: end.how, ...unsent, ...limit };
    default:
      return { status: end.how, ...unsent, ...limit, stop: stopResult(end.stop) };
  }
};

/** A lost command is the one end that is a failure: nobody knows whether it ran to its end. */
export const lostFailure = (result: { status: string; host: string }): Failure | undefined =>
  result.status === 'lost'
    ? new Failure('CONNECTION_LOST', `The connection to ${result.host} was lost while the command ran.`)
    : undefined;

/** The same facts for a reader: status first, then the streams. */
export const commandText = (result: CommandResult): string =>
  [
    plainText(result),
    result.output_held ? HELD : undefined,
    result.output_limit === undefined ? undefined : limitText(result.output_limit),
    result.queued === undefined
      ? undefined
      : `Nothing was sent yet: it waits for a free lane, because ${result.queued} channels to ${result.host} are in use (ssh_status lists what is yours). It begins by itself; ssh_cancel_command takes it back.`,
    result.status === 'running' && result.queued === undefined
      ? `It still runs: ssh_read_output (command_id ${result.command_id}, cursor ${result.stdout_cursor}) waits for more, ssh_cancel_command stops it.`
      : undefined,
  ]
    .filter(part => part !== undefined)
    .join('\n');

/** How it stands, and its streams, without what could be done about it. */
export const plainText = (result: Plain): string =>
  [
    headline(result),
    streamText('stdout', result.stdout ?? '', result.stdout_binary),
    streamText('stderr', result.stderr ?? '', result.stderr_binary),
  ]
    .filter(part => part !== undefined)
    .join('\n');

/** What a text is made of, as far as it is there. */
type Plain = { readonly [Key in keyof CommandResult]?: CommandResult[Key] | undefined };

const streamText = (name: string, text: string, binary: CommandResult['stdout_binary']): string | undefined => {
  if (binary !== undefined) return `${name} (${binaryText(binary)}; a part of it, made readable):\n${text}`;
  return text === '' ? undefined : `${name}:\n${text}`;
};

/** What a limit that was passed means for the reader. */
export const limitText = (maxBytes: number): string =>
  `It wrote more than the ${maxBytes} bytes that it may, and was stopped; the rest is not kept. ` +
  'Ask for less (head, tail, grep), or write to a file on the host and read parts of that.';

/** What it means that output is held. */
export const HELD =
  'The program has ended, but something it left behind still holds its output, and with it one of the few lanes of the host. ' +
  'What that writes from now on is read and not kept: redirect it to a file to keep it. It can write until the time-out of the ' +
  `command, ${CAPS.leavingsMs / 60_000} minutes at most; then its output is closed. ssh_cancel_command stops it.`;

const headline = (result: Plain): string => {
  const stop = result.unsent ? '; taken back, nothing was sent' : result.stop ? `; ${stopText(result.stop)}` : '';
  const left = (result.stdout_omitted ?? 0) + (result.stderr_omitted ?? 0);
  const omitted = left === 0 ? '' : `; ${left} bytes of output not shown`;
  return `${howText(result)} on ${result.host} after ${result.duration_ms} ms (${result.command_id})${stop}${omitted}`;
};

/** The status in words. */
export const howText = ({ status, exit_code, signal }: Plain): string => {
  if (status === 'exited') return `exited ${exit_code}`;
  return status === 'signalled' ? `ended by signal ${signal}` : String(status);
};

/** What a stop proved, in words. */
export const stopText = (stop: z.output<typeof stopShape>): string => {
  const sent = stop.signals.length === 0 ? '' : ` after ${stop.signals.join(', ')}`;
  if (stop.outcome === 'already_ended') return 'it had already ended';
  if (stop.outcome === 'confirmed') return `stopped${sent}, nothing of it is alive`;
  const left = stop.remaining.map(({ pid, command }) => `${pid} ${command}`).join('; ');
  const more = stop.unlisted === undefined ? '' : `; and ${stop.unlisted} more`;
  return `stop not confirmed${sent}${left === '' ? '' : `, still there: ${left}${more}`}`;
};
