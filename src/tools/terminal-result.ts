import * as z from 'zod';
import type { Terminal } from '../ssh/terminal/terminal.ts';
import { TTY_STATES } from '../ssh/terminal/tty-state.ts';
import { standing, standingShape, stopShape } from './command-result.ts';
import { showFrom } from './shown.ts';

const MAX_BYTES = 24_000;

/** What is told of a session on a terminal, beside what is told of any. */
export const terminalShape = z.strictObject({
  command_id: z.string().describe('What runs on the terminal.'),
  ...standingShape.shape,
  stop: stopShape.optional(),
  state: z
    .enum(TTY_STATES)
    .describe(
      'What the terminal itself says: prompt (of the login shell), running, waiting_input, password, fullscreen, ended; unknown where the host cannot tell.',
    ),
  foreground: z.array(z.string()).describe('The programs in its foreground.'),
  cols: z.number(),
  rows: z.number(),
  text: z.string().describe('Its output as safe text, without escape sequences.'),
  from: z.number().describe('Where text begins: an earlier cursor of yours is where to read what was missed.'),
  cursor: z.number().describe('Where ssh_session_read goes on.'),
  dropped: z.number(),
  more: z.boolean(),
});

/** A session on a terminal as JSON. */
export type TerminalResult = { session_id: string; host: string; mode: 'program' | 'terminal' } & z.output<
  typeof terminalShape
>;

/** Which part of its output is shown, and how long it is waited for. */
type Part = { readonly from: number; readonly ms: number; readonly signal: AbortSignal; readonly maxBytes?: number };

/** Waits until the terminal rests, and says how it stands with what it wrote from a cursor on. */
export const terminalResult = async (terminal: Terminal, part: Part): Promise<TerminalResult> => {
  const { state, foreground } = await terminal.settled(part);
  const piece = showFrom(terminal.transcript, part.from, part.maxBytes ?? MAX_BYTES);
  return {
    session_id: terminal.id,
    host: terminal.host,
    mode: terminal.mode,
    command_id: terminal.command.id,
    ...standing(terminal.command),
    state,
    foreground: [...foreground],
    cols: terminal.size.cols,
    rows: terminal.size.rows,
    text: piece.text,
    from: piece.from,
    cursor: piece.next,
    dropped: piece.dropped,
    more: piece.more,
  };
};

/** What a text is made of, as far as it is there. */
type Told = {
  readonly [Key in 'status' | 'exit_code' | 'foreground' | 'dropped' | 'more' | 'cursor' | 'text']?:
    | TerminalResult[Key]
    | undefined;
} & { readonly session_id: string; readonly host: string; readonly state?: string | undefined };

/** The same facts for a reader: state first, then the output. */
export const terminalText = (out: Told): string => {
  const end =
    out.status === 'running' ? '' : ` (${out.status}${out.exit_code === undefined ? '' : ` ${out.exit_code}`})`;
  const front = out.foreground?.length ? ` (${out.foreground.join(', ')})` : '';
  const dropped = out.dropped ? `; ${out.dropped} bytes before it are not kept` : '';
  const more = out.more ? '; more is there to be read' : '';
  const hint = HINTS.get(out.state ?? '') ?? '';
  return `${out.state}${end}${front} on ${out.host}, session ${out.session_id}, up to cursor ${out.cursor}${dropped}${more}\n${out.text ?? ''}${hint}`;
};

const HINTS: ReadonlyMap<string, string> = new Map([
  ['password', '\n[A password is asked for, and none can be typed by ssh_session_send; ctrl-c leaves.]'],
  ['fullscreen', '\n[A full-screen program: ssh_session_read with view "screen" shows what a person would see.]'],
]);
