import * as z from 'zod';
import type { Observe } from '../call.ts';
import type { GrowingText } from '../ssh/command/growing-text.ts';
import {
  binaryOf,
  binaryShape,
  binaryText,
  limitText,
  lostFailure,
  refuseUnsent,
  standing,
  standingShape,
  stopShape,
} from './command-result.ts';
import { commandId, cursor, maxBytes, waitMs } from './fields.ts';
import { showFrom } from './shown.ts';
import { defineTool } from './tool.ts';
import { wait } from './wait.ts';

const WAIT_MS = 10_000;
const MAX_BYTES = 24_000;
const STREAMS = ['stdout', 'stderr', 'both'] as const;

/** `ssh_read_output`: more of what a command wrote. */
export const readOutput = defineTool({
  name: 'ssh_read_output',
  title: 'Read more output of a command',
  description:
    'Returns output of a command from a cursor on, waiting up to wait_ms for more while it runs. ' +
    'Nothing is lost between reads while it is kept; dropped counts what is not.',
  risk: 'read',
  input: z.strictObject({
    command_id: commandId,
    stream: z
      .enum(STREAMS)
      .optional()
      .describe('Default stdout; both: in the order of arrival, with cursors of their own.'),
    cursor,
    wait_ms: waitMs(WAIT_MS),
    max_bytes: maxBytes,
  }),
  output: z.strictObject({
    host: z.string(),
    command_id: z.string(),
    ...standingShape.shape,
    stop: stopShape.optional(),
    stream: z.enum(STREAMS),
    text: z.string(),
    cursor: z.number().describe('Pass it to the next call.'),
    dropped: z.number().describe('Bytes before text that are not kept any more.'),
    more: z.boolean().describe('Whether more is there to be read at once.'),
    binary: binaryShape.optional().describe('The stream is no text: its size and hash as received.'),
  }),
  action: (args): Observe => ({ kind: 'observe', what: 'command', id: args.command_id }),
  run: async (permit, { fleet }, moment, args) => {
    const command = await fleet.command(permit, args.wait_ms);
    const stream = args.stream ?? 'stdout';
    const output = command[stream];
    const from = args.cursor ?? 0;
    await waitForMore(output, command.ended, from, args.wait_ms, moment.signal);
    refuseUnsent(command);
    const piece = showFrom(output, from, args.max_bytes ?? MAX_BYTES);
    return {
      host: command.host,
      command_id: command.id,
      ...standing(command),
      stream,
      text: piece.text,
      cursor: piece.next,
      dropped: piece.dropped,
      more: piece.more,
      ...(stream !== 'both' && command[stream].binary ? { binary: binaryOf(command[stream]) } : {}),
    };
  },
  text: out =>
    [
      `${statusText(out)} on ${out.host}; ${out.stream} up to cursor ${out.cursor}` +
        `${out.more ? ', more to be read' : ''}${out.dropped === 0 ? '' : `; ${out.dropped} bytes before it are not kept`}` +
        `${out.binary === undefined ? '' : `; it is ${binaryText(out.binary)}`}`,
      out.text,
      ...(out.output_limit === undefined ? [] : [limitText(out.output_limit)]),
    ].join('\n'),
  failure: lostFailure,
});

const statusText = (out: { status: string; exit_code?: number | undefined; queued?: number | undefined }): string => {
  if (out.queued !== undefined) return `not sent yet (${out.queued} channels in use)`;
  return out.status === 'exited' ? `exited ${out.exit_code}` : out.status;
};

/** Returns at once when bytes are there or the command is over. */
const waitForMore = async (
  output: GrowingText,
  ended: Promise<unknown>,
  from: number,
  ms: number,
  signal: AbortSignal,
): Promise<void> => {
  if (output.length > from) return;
  await wait(Promise.race([output.grown(from), ended]), ms, signal);
};
