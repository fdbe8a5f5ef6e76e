import * as z from 'zod';
import type { Observe } from '../call.ts';
import type { Command } from '../ssh/fleet.ts';
import { standing, standingShape, stopShape } from './command-result.ts';
import { cursor, maxBytes, sessionId, waitMs } from './fields.ts';
import { showFrom } from './shown.ts';
import { defineTool } from './tool.ts';
import { wait } from './wait.ts';

const WAIT_MS = 10_000;
const MAX_BYTES = 24_000;

const lastShape = z.strictObject({ command_id: z.string(), ...standingShape.shape, stop: stopShape.optional() });

/** `ssh_session_read`: what a session's lines wrote since a cursor. */
export const sessionRead = defineTool({
  name: 'ssh_session_read',
  title: 'Read a session',
  description:
    'Returns what the lines of a session wrote, stdout and stderr in the order they arrived, from a cursor on, ' +
    'and whether a line still runs. Waits up to wait_ms for new output while one does.',
  risk: 'read',
  input: z.strictObject({ session_id: sessionId, cursor, wait_ms: waitMs(WAIT_MS), max_bytes: maxBytes }),
  output: z.strictObject({
    session_id: z.string(),
    host: z.string(),
    cwd: z.string(),
    state: z.enum(['idle', 'running']),
    command_id: z.string().optional().describe('The line that runs.'),
    last: lastShape.optional().describe('How the last line that was a command ended.'),
    text: z.string(),
    cursor: z.number(),
    dropped: z.number(),
    more: z.boolean(),
  }),
  action: (args): Observe => ({ kind: 'observe', what: 'session', id: args.session_id }),
  run: async (permit, { fleet }, moment, args) => {
    const session = fleet.session(permit);
    const from = args.cursor ?? 0;
    const line = session.running;
    if (line !== undefined && session.transcript.length <= from) {
      const news = Promise.race([session.transcript.grown(from), line.ended]);
      await wait(news, args.wait_ms, moment.signal);
    }
    const piece = showFrom(session.transcript, from, args.max_bytes ?? MAX_BYTES);
    const running = session.running;
    return {
      session_id: session.id,
      host: session.host,
      cwd: session.cwd,
      state: running === undefined ? ('idle' as const) : ('running' as const),
      ...(running === undefined ? {} : { command_id: running.id }),
      ...lastOf(session.last),
      text: piece.text,
      cursor: piece.next,
      dropped: piece.dropped,
      more: piece.more,
    };
  },
  text: out =>
    `${out.state} on ${out.host} in ${out.cwd}; up to cursor ${out.cursor}` +
    `${out.command_id === undefined ? '' : `; ${out.command_id} runs`}` +
    `${out.last === undefined ? '' : `; the last line: ${out.last.status}${out.last.exit_code === undefined ? '' : ` ${out.last.exit_code}`} (${out.last.command_id})`}` +
    `${out.dropped === 0 ? '' : `; ${out.dropped} bytes before it are not kept`}\n${out.text}`,
});

const lastOf = (last: Command | undefined): { last?: z.output<typeof lastShape> } =>
  last === undefined ? {} : { last: { command_id: last.id, ...standing(last) } };
