import * as z from 'zod';
import type { Open } from '../call.ts';
import { CAPS } from '../ssh/caps.ts';
import { cols, host, reason, rows } from './fields.ts';
import { argv, command, programOf } from './program.ts';
import { terminalResult, terminalShape, terminalText } from './terminal-result.ts';
import { defineTool } from './tool.ts';

/** What a new terminal is given to show first. */
const FIRST_MS = 2_000;
const SIZE = { cols: 120, rows: 40 } as const;

const input = z
  .strictObject({
    host,
    mode: z
      .enum(['managed', 'program', 'terminal'])
      .default('managed')
      .describe('managed: every line is a command of its own.'),
    command: command.describe('program: its command line.'),
    argv,
    cols: cols.describe('Of the terminal, in characters (default 120).'),
    rows: rows.describe('(default 40)'),
    reason,
  })
  .refine(({ mode, command, argv }) => named(command) + named(argv) === (mode === 'program' ? 1 : 0), {
    message: 'give either command or argv with mode program, and with no other',
    path: ['command'],
  });

const named = (value: unknown): number => (value === undefined ? 0 : 1);

/** `ssh_session_start`: opens a session of any of the three kinds. */
export const sessionStart = defineTool({
  name: 'ssh_session_start',
  title: 'Start a session on a host',
  description:
    'Opens a session. managed: lines of ssh_session_send share a directory and an environment. ' +
    'program: one program on a terminal (top, psql, an installer). terminal: the login shell on one. ' +
    `It ends by ssh_session_end, after ${CAPS.sessionIdleMs / 60_000} minutes without use, after ${CAPS.sessionLifeMs / 3_600_000} hours, or with this server.`,
  risk: 'change',
  input,
  output: z.strictObject({
    session_id: z.string(),
    host: z.string(),
    mode: z.enum(['managed', 'program', 'terminal']),
    cwd: z.string().optional().describe('managed: where it begins.'),
    ...terminalShape.partial().shape,
  }),
  action: (args, { directory }): Open => {
    const target = directory.target(args.host);
    const { mode } = args;
    if (mode === 'managed') return { kind: 'open', mode, target };
    const size = { cols: args.cols ?? SIZE.cols, rows: args.rows ?? SIZE.rows };
    if (mode === 'terminal') return { kind: 'open', mode, target, size };
    const asked = programOf(args);
    return { kind: 'open', mode, target, size, program: asked, asked };
  },
  run: async (permit, { fleet }, moment) => {
    const session = await fleet.open(permit, moment.signal);
    if (session.mode !== 'managed')
      return await terminalResult(session, { from: 0, ms: FIRST_MS, signal: moment.signal });
    return { session_id: session.id, host: session.host, mode: session.mode, cwd: session.cwd };
  },
  text: out => (out.mode === 'managed' ? `session ${out.session_id} on ${out.host} in ${out.cwd}` : terminalText(out)),
});
