import * as z from 'zod';
import type { Run, Type } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Line, Session } from '../ssh/fleet.ts';
import { isKey } from '../text/key.ts';
import { commandResult, commandShape, commandText, lostFailure } from './command-result.ts';
import { cols, rows, sessionId, timeoutMs, waitMs } from './fields.ts';
import { showText } from './shown.ts';
import { terminalResult, terminalShape, terminalText } from './terminal-result.ts';
import { defineTool, type Moment } from './tool.ts';
import { waitForEnd } from './wait.ts';

const WAIT_MS = 30_000;

const input = z
  .strictObject({
    session_id: sessionId,
    input: z
      .string()
      .min(1)
      .max(65_536)
      .optional()
      .describe('managed: the command line. Otherwise typed as it is, without an Enter: add keys ["enter"].'),
    keys: z
      .array(z.string().max(12).refine(isKey, 'must be the name of a key'))
      .min(1)
      .max(256)
      .optional()
      .describe(
        'Pressed after input: a character, enter, tab, shift-tab, escape, backspace, delete, insert, space, ' +
          'up, down, left, right, home, end, page-up, page-down, f1 to f12, ctrl-a to ctrl-z, alt-x.',
      ),
    cols: cols.describe('A new width of the terminal, before anything is typed.'),
    rows: rows.describe('A new height.'),
    timeout_ms: timeoutMs.describe('managed: stop the line after this long.'),
    wait_ms: waitMs(WAIT_MS),
  })
  .refine(({ input, keys, cols, rows }) => [input, keys, cols, rows].some(value => value !== undefined), {
    message: 'give input, keys, or a new size',
    path: ['input'],
  });

const { host, status, ...shown } = commandShape.shape;
const output = z.strictObject({
  session_id: z.string(),
  mode: z.enum(['managed', 'program', 'terminal']),
  host,
  status,
  ...z.strictObject(shown).partial().shape,
  ...terminalShape.omit({ status: true }).partial().shape,
  cwd: z.string().optional().describe('managed: the directory of the next line.'),
  note: z.string().optional().describe('managed: what of the line the session did not keep.'),
  command_id: z.string().optional().describe('Absent when a managed session did it by itself (cd, export, unset).'),
});

/** `ssh_session_send`: runs one line in a managed session, or types into one on a terminal. */
export const sessionSend = defineTool({
  name: 'ssh_session_send',
  title: 'Send to a session',
  description:
    'managed: runs one command line, without stdin; returns exit code, stdout and stderr; directory and exports last. One at a time: ' +
    'one that outlives wait_ms goes on, ssh_session_read follows it. program, terminal: types input, then keys, waits until the terminal ' +
    'waits for somebody, and returns what was written and its state. No password can be typed.',
  risk: 'execute',
  input,
  output,
  action: (args, { directory, grant }): Run | Type => {
    const terminal = directory.terminal(grant, args.session_id);
    if (terminal !== undefined) return typeAction(terminal, args);
    const { id, target, cwd, home, env } = directory.session(grant, args.session_id);
    if (args.input === undefined || args.keys !== undefined) throw noLine();
    const { timeout_ms: timeoutMs } = args;
    return { kind: 'exec', target, program: { text: args.input }, cwd, home, env, timeoutMs, session: id };
  },
  run: async (permit, { fleet }, moment, args) => {
    const sent = await fleet.send(permit, moment.signal);
    if (sent.kind === 'line') return await lineResult(sent.session, sent.line, args.wait_ms, moment);
    return await terminalResult(sent.terminal, { from: sent.from, ms: args.wait_ms, signal: moment.signal });
  },
  text: out => (out.mode === 'managed' ? lineText(out) : terminalText(out)),
  failure: lostFailure,
});

type Args = z.output<typeof input>;

const typeAction = (
  { id, target, asked }: { id: Type['session']; target: Type['target']; asked: Run['program'] | undefined },
  { input: text, keys, cols, rows }: Args,
): Type => {
  const size = cols === undefined || rows === undefined ? undefined : { cols, rows };
  if (size === undefined && (cols ?? rows) !== undefined)
    throw new Failure('INVALID_INPUT', 'A size is cols and rows.', { next: 'Give both.' });
  const typed = {
    ...(size === undefined ? {} : { size }),
    ...(text === undefined ? {} : { text }),
    ...(keys === undefined ? {} : { keys }),
  };
  const where = { kind: 'type', target, session: id, typed } as const;
  return asked === undefined ? { ...where, mode: 'terminal' } : { ...where, mode: 'program', asked };
};

const noLine = (): Failure =>
  new Failure('INVALID_INPUT', 'A managed session runs lines, and has no terminal that keys could be pressed at.', {
    next: 'Give input alone; for keys start a session with mode program or terminal.',
  });

const lineResult = async (
  session: Session,
  line: Line,
  waitMs: number,
  moment: Moment,
): Promise<z.output<typeof output>> => {
  if (line.kind === 'done') return doneResult(session, line);
  await waitForEnd(line.command, waitMs, moment);
  const note = line.command.state().end === undefined ? undefined : await line.note;
  return {
    session_id: session.id,
    mode: session.mode,
    cwd: session.cwd,
    ...commandResult(line.command),
    ...(note === undefined ? {} : { note }),
  };
};

const lineText = (out: z.output<typeof output>): string => {
  const { command_id, ...rest } = out;
  const shown = commandShape.safeParse({ ...commandFields(rest), command_id });
  if (!shown.success)
    return [`exited ${out.exit_code} on ${out.host}, now in ${out.cwd}`, out.stdout, out.stderr]
      .filter(Boolean)
      .join('\n');
  const note = out.note === undefined ? '' : `\n${out.note}`;
  return `${commandText(shown.data)}\nsession ${out.session_id} in ${out.cwd}${note}`;
};

/** What is told of the command, without what is told of its session. */
const commandFields = (out: object): object =>
  Object.fromEntries(Object.entries(out).filter(([name]) => name in commandShape.shape));

/** What the session did by itself wrote little; what it refused may quote much. */
const DONE_CHARS = 4_000;

const doneResult = (
  session: Session,
  line: { readonly code: number; readonly stdout: string; readonly stderr: string },
): z.output<typeof output> => {
  const stdout = showText(line.stdout, DONE_CHARS);
  const stderr = showText(line.stderr, DONE_CHARS);
  return {
    session_id: session.id,
    mode: session.mode,
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
