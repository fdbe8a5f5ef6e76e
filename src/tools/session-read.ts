import * as z from 'zod';
import type { Observe } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Command, Session } from '../ssh/fleet.ts';
import type { Terminal } from '../ssh/terminal/terminal.ts';
import type { Screen } from '../ssh/terminal/terminal-screen.ts';
import { TTY_STATES } from '../ssh/terminal/tty-state.ts';
import { standing, standingShape, stopShape } from './command-result.ts';
import { cursor, maxBytes, sessionId, waitMs } from './fields.ts';
import { showFrom } from './shown.ts';
import { terminalResult, terminalShape, terminalText } from './terminal-result.ts';
import { defineTool } from './tool.ts';
import { wait } from './wait.ts';

const WAIT_MS = 10_000;
const MAX_BYTES = 24_000;
/** Characters of one screen as JSON. */
const SCREEN_CHARS = 24_000;

const lastShape = z.strictObject({ command_id: z.string(), ...standingShape.shape, stop: stopShape.optional() });

const screenShape = z.strictObject({
  lines: z.array(z.string()).describe('From the top; empty ones at the end are left out.'),
  omitted: z.number().describe('Lines at the end that are too much for one answer.'),
  cursor: z.strictObject({ row: z.number(), column: z.number(), visible: z.boolean() }).describe('Counted from 0.'),
  alternate: z.boolean().describe('Whether it is the screen of a full-screen program.'),
  title: z.string(),
});

const input = z.strictObject({
  session_id: sessionId,
  cursor,
  view: z.enum(['text', 'screen']).default('text').describe('screen: what a person would see on the terminal now.'),
  wait_ms: waitMs(WAIT_MS),
  max_bytes: maxBytes,
});

const { text, cursor: next, dropped, more, ...ofTerminal } = terminalShape.shape;
const output = z.strictObject({
  session_id: z.string(),
  host: z.string(),
  mode: z.enum(['managed', 'program', 'terminal']),
  ...z.strictObject(ofTerminal).partial().shape,
  cwd: z.string().optional(),
  state: z
    .enum(['idle', ...TTY_STATES])
    .describe(`${terminalShape.shape.state.description ?? ''} A managed session is idle or running.`),
  command_id: z.string().optional().describe('The line or the program that runs.'),
  last: lastShape.optional().describe('managed: how the last line that was a command ended.'),
  screen: screenShape.optional(),
  text: text.optional(),
  cursor: next,
  dropped,
  more,
});
type Out = z.output<typeof output>;

/** `ssh_session_read`: what a session wrote since a cursor, or the screen of its terminal. */
export const sessionRead = defineTool({
  name: 'ssh_session_read',
  title: 'Read a session',
  description:
    'Returns what a session wrote from a cursor on, and how it stands, waiting up to wait_ms for more while something runs.',
  risk: 'read',
  input,
  output,
  action: (args): Observe => ({ kind: 'observe', what: 'session', id: args.session_id }),
  run: async (permit, { fleet }, moment, args): Promise<Out> => {
    const session = fleet.session(permit);
    if (session.mode !== 'managed') return await readTerminal(session, args, moment.signal);
    if (args.view === 'screen') throw noScreen();
    return await readManaged(session, args, moment.signal);
  },
  text: out => (out.mode === 'managed' ? managedText(out) : screenText(out)),
});

type Args = z.output<typeof input>;

const readTerminal = async (terminal: Terminal, args: Args, signal: AbortSignal): Promise<Out> => {
  const from = args.cursor ?? 0;
  const { transcript } = terminal;
  const ms = args.view === 'screen' || transcript.length > from ? 0 : args.wait_ms;
  const screen = args.view === 'screen' ? await terminal.screen() : undefined;
  const maxBytes = args.max_bytes ?? MAX_BYTES;
  const { text, ...result } = await terminalResult(terminal, { from, ms, signal, maxBytes });
  if (screen === undefined) return { ...result, text };
  return { ...result, cursor: transcript.length, dropped: 0, more: false, screen: shownScreen(screen) };
};

const shownScreen = ({ lines, cursor, alternate, title }: Screen): z.output<typeof screenShape> => ({
  ...fitting(lines),
  cursor: { ...cursor },
  alternate,
  title,
});

/** As many lines as an answer holds. */
const fitting = (lines: readonly string[]): { lines: string[]; omitted: number } => {
  let left = SCREEN_CHARS;
  const shown = lines.findIndex(line => {
    left -= JSON.stringify(line).length + 1;
    return left < 0;
  });
  const count = shown === -1 ? lines.length : shown;
  return { lines: lines.slice(0, count), omitted: lines.length - count };
};

const screenText = ({ screen, ...out }: Out): string => {
  const standing = terminalText(out);
  if (screen === undefined) return standing;
  const { row, column } = screen.cursor;
  const title = screen.title === '' ? '' : `, titled ${screen.title}`;
  return `${standing}screen ${out.cols}x${out.rows}, cursor at row ${row}, column ${column}${title}:\n${screen.lines.join('\n')}`;
};

const readManaged = async (session: Session, args: Args, signal: AbortSignal): Promise<Out> => {
  const from = args.cursor ?? 0;
  const line = session.running;
  if (line !== undefined && session.transcript.length <= from) {
    const news = Promise.race([session.transcript.grown(from), line.ended]);
    await wait(news, args.wait_ms, signal);
  }
  const piece = showFrom(session.transcript, from, args.max_bytes ?? MAX_BYTES);
  const running = session.running;
  return {
    session_id: session.id,
    host: session.host,
    mode: session.mode,
    cwd: session.cwd,
    state: running === undefined ? 'idle' : 'running',
    ...(running === undefined ? {} : { command_id: running.id }),
    ...lastOf(session.last),
    text: piece.text,
    cursor: piece.next,
    dropped: piece.dropped,
    more: piece.more,
  };
};

const managedText = (out: Out): string =>
  `${out.state} on ${out.host} in ${out.cwd}; up to cursor ${out.cursor}` +
  `${out.command_id === undefined ? '' : `; ${out.command_id} runs`}` +
  `${out.last === undefined ? '' : `; the last line: ${out.last.status}${out.last.exit_code === undefined ? '' : ` ${out.last.exit_code}`} (${out.last.command_id})`}` +
  `${out.dropped === 0 ? '' : `; ${out.dropped} bytes before it are not kept`}\n${out.text}`;

const lastOf = (last: Command | undefined): { last?: z.output<typeof lastShape> } =>
  last === undefined ? {} : { last: { command_id: last.id, ...standing(last) } };

const noScreen = (): Failure =>
  new Failure('INVALID_INPUT', 'A managed session has no terminal, and so no screen.', {
    next: 'Read it as text, or start a session with mode program or terminal.',
  });
