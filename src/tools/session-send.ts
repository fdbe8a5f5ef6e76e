import * as z from 'zod';
import type { Run } from '../call.ts';
import { commandResult, commandShape, commandText, lostFailure } from './command-result.ts';
import { sessionId, timeoutMs, waitMs } from './fields.ts';
import { showText } from './shown.ts';
import { defineTool } from './tool.ts';
import { waitForEnd } from './wait.ts';

const WAIT_MS = 30_000;

const output = z.strictObject({
  session_id: z.string(),
  cwd: z.string().describe('The directory of the next line.'),
  ...commandShape.shape,
  command_id: z.string().optional().describe('Absent when the session did it by itself (cd, export, unset).'),
});

/** `ssh_session_send`: runs one line in a managed session. */
export const sessionSend = defineTool({
  name: 'ssh_session_send',
  title: 'Send a line to a session',
  description:
    'Runs one command line in a managed session and returns its own exit code, stdout and stderr. ' +
    'cd, export and unset change the session. One line at a time: a line that outlives wait_ms goes on, ssh_session_read follows it.',
  risk: 'execute',
  input: z.strictObject({
    session_id: sessionId,
    input: z.string().min(1).max(65_536).describe('The command line.'),
    timeout_ms: timeoutMs,
    wait_ms: waitMs(WAIT_MS),
  }),
  output,
  action: (args, { directory, grant }): Run => {
    const { id, target, cwd, home, env } = directory.session(grant, args.session_id);
    return {
      kind: 'exec',
      target,
      program: { text: args.input },
      cwd,
      home,
      env,
      timeoutMs: args.timeout_ms,
      session: id,
    };
  },
  run: async (permit, { fleet }, moment, args) => {
    const { session, line } = await fleet.send(permit, moment.signal);
    if (line.kind === 'done') return doneResult(session, line);
    await waitForEnd(line.command, args.wait_ms, moment);
    return { session_id: session.id, cwd: session.cwd, ...commandResult(line.command) };
  },
  text: out =>
    out.command_id === undefined
      ? [`exited ${out.exit_code} on ${out.host}, now in ${out.cwd}`, out.stdout, out.stderr].filter(Boolean).join('\n')
      : `${commandText({ ...out, command_id: out.command_id })}\nsession ${out.session_id} in ${out.cwd}`,
  failure: lostFailure,
});

/** What the session did by itself wrote little; what it refused may quote much. */
const DONE_CHARS = 4_000;

const doneResult = (
  session: { id: string; cwd: string; host: string },
  line: { code: number; stdout: string; stderr: string },
): z.output<typeof output> => {
  const stdout = showText(line.stdout, DONE_CHARS);
  const stderr = showText(line.stderr, DONE_CHARS);
  return {
    session_id: session.id,
    cwd: session.cwd,
    host: session.host,
    status: 'exited',
    exit_code: line.code,
    duration_ms: 0,
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_cursor: Buffer.byteLength(stdout.text),
    stderr_cursor: Buffer.byteLength(stderr.text),
    stdout_omitted: stdout.omitted,
    stderr_omitted: stderr.omitted,
  };
};
