import type { Open, Program, Size, Stop, Type, Typed } from '../../src/call.ts';
import type { Permit } from '../../src/gate/permit.ts';
import type { StopReport } from '../../src/ssh/command/end.ts';
import type { Terminal, TerminalLook } from '../../src/ssh/terminal/terminal.ts';
import type { TtyState } from '../../src/ssh/terminal/tty-state.ts';
import type { TestFleet } from './fleet.ts';

/** What came of something typed: the output since, and how the terminal rests. */
export type Answer = TerminalLook & { readonly text: string };

/** A session on a terminal as a test uses it. */
export type TestTerminal = {
  readonly terminal: Terminal;
  readonly permit: Permit<Open>;
  /** Types a text and an Enter behind it, and waits until the terminal rests. */
  readonly line: (text: string) => Promise<Answer>;
  readonly type: (typed: Typed, ms?: number) => Promise<Answer>;
  /** Types and does not wait. */
  readonly send: (typed: Typed) => Promise<number>;
  /** Resolves once the terminal is in this state, with this program in front, and throws with the last one after ten seconds. */
  readonly until: (state: TtyState, program?: string) => Promise<void>;
  /** Resolves once the output holds this, or throws after ten seconds. */
  readonly shows: (text: string | RegExp, from?: number) => Promise<string>;
  readonly end: () => Promise<StopReport>;
};

const SIZE: Size = { cols: 80, rows: 24 };
const FIRST_MS = 1_000;
const MOST_MS = 15_000;

/** The login shell on a terminal, or one program, at rest. */
export const openTerminal = async (
  web: TestFleet,
  program?: Program | string,
  { grant = 'local', size = SIZE, permit = web.permit } = {},
): Promise<TestTerminal> => {
  const { fleet, target } = web;
  const asked = typeof program === 'string' ? { text: program } : program;
  const action: Open =
    asked === undefined
      ? { kind: 'open', mode: 'terminal', target, size }
      : { kind: 'open', mode: 'program', target, size, program: asked, asked };
  const allowed = permit<Open>(action, grant);
  const terminal = await fleet.open(allowed);
  if (terminal.mode === 'managed') throw new Error('a terminal was asked for');
  const { id } = terminal;
  const signal = new AbortController().signal;
  const send: TestTerminal['send'] = async typed => {
    const where = { kind: 'type', target, session: id, typed } as const;
    const type: Type = asked === undefined ? { ...where, mode: 'terminal' } : { ...where, mode: 'program', asked };
    const sent = await fleet.send(web.permit(type, grant));
    if (sent.kind !== 'typed') throw new Error('something was typed');
    return sent.from;
  };
  const type: TestTerminal['type'] = async (typed, ms = MOST_MS) => {
    const from = await send(typed);
    const look = await terminal.settled({ from, ms, signal });
    return { ...look, text: terminal.transcript.read(from, 1e9).text };
  };
  await terminal.settled({ from: 0, ms: FIRST_MS, signal });
  return {
    terminal,
    permit: allowed,
    type,
    send,
    line: async text => await type({ text, keys: ['enter'] }),
    until: async (state, program) => {
      const deadline = performance.now() + MOST_MS;
      const is = (look: TerminalLook): boolean =>
        look.state === state && (program === undefined || look.foreground.includes(program));
      for (let look = await terminal.look(); !is(look); look = await terminal.look())
        if (performance.now() > deadline) throw new Error(`it is ${look.state}, not ${state}: ${look.foreground}`);
    },
    shows: async (text, from = 0) => {
      const deadline = performance.now() + MOST_MS;
      for (;;) {
        const seen = terminal.transcript.read(from, 1e9);
        if (typeof text === 'string' ? seen.text.includes(text) : text.test(seen.text)) return seen.text;
        if (performance.now() > deadline) throw new Error(`it only shows ${seen.text}`);
        await Promise.race([terminal.transcript.grown(seen.next), later()]);
      }
    },
    end: async () => {
      const stop: Stop = { kind: 'stop', what: 'session', id };
      return (await fleet.end(web.permit(stop, grant))).report;
    },
  };
};

const later = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 100));
