import type { Foreground, TtyReport } from './tty.ts';

/** What goes on at a terminal, as the terminal itself tells; `unknown` where the host cannot. */
export const TTY_STATES = ['prompt', 'running', 'waiting_input', 'password', 'fullscreen', 'ended', 'unknown'] as const;
/** One of them. */
export type TtyState = (typeof TTY_STATES)[number];

/** What the emulated terminal knows by itself: the modes that the program has set. */
export type Modes = {
  readonly alternate: boolean;
  readonly applicationCursor: boolean;
  readonly applicationKeypad: boolean;
};

/** The first process of a session, when that is a shell at whose prompt a person would type. */
type Shell = number | undefined;

/** Where Linux lets a process sleep that reads from a terminal; writers and sockets sleep in the first one too. */
const READING: ReadonlySet<string> = new Set(['wait_woken', 'n_tty_read', 'read_chan']);
/** The number of `read` by machine, where a process's system call may be seen. */
const READ: Readonly<Record<string, string>> = { x86_64: '0', aarch64: '63', riscv64: '63', i686: '3', armv7l: '3' };
/** Shells that edit their line by themselves: reading one in line mode, they run `read`. */
const EDITORS: ReadonlySet<string> = new Set('bash rbash zsh fish ksh ksh93 mksh tcsh yash'.split(' '));
/** Programs that pass keys on to a terminal which is not this one. */
const RELAYS: ReadonlySet<string> = new Set(
  'sudo doas su ssh mosh-client tmux screen script docker podman kubectl nsenter machinectl telnet socat'.split(' '),
);

/** Says what goes on, by the terminal's settings, its foreground, and the modes it was set to; never by its text. */
export const stateOf = (report: TtyReport | undefined, modes: Modes, shell: Shell): TtyState => {
  if (report === undefined || report.lines === undefined) return modes.alternate ? 'fullscreen' : 'unknown';
  const { foreground } = report;
  const isShells = foreground.some(({ pid }) => pid === shell);
  return report.lines ? inLines(report, isShells, shell) : raw(foreground, modes, isShells);
};

const inLines = (report: TtyReport, isShells: boolean, shell: Shell): TtyState => {
  const { echo, foreground } = report;
  const reading = foreground.map(process => isReading(process, report));
  const unseen = reading.length === 0 || reading.includes(undefined);
  if (!reading.includes(true) && !unseen) return 'running';
  // Who asks for a password is often root's, and its sleep is not for others to see.
  if (echo === false) return 'password';
  if (!reading.includes(true)) return 'unknown';
  const plain = foreground.some(({ pid, name }) => pid === shell && !EDITORS.has(name));
  return isShells && plain ? 'prompt' : 'waiting_input';
};

/** Every key goes to the program at once: one that edits a line, or one that paints the screen. */
const raw = (foreground: readonly Foreground[], modes: Modes, isShells: boolean): TtyState => {
  if (modes.alternate) return 'fullscreen';
  if (isShells) return 'prompt';
  if (foreground.some(({ name }) => RELAYS.has(name))) return 'unknown';
  return modes.applicationCursor || modes.applicationKeypad ? 'fullscreen' : 'waiting_input';
};

/** Whether a process waits for a line; undefined when its sleep cannot be seen into. */
const isReading = ({ state, wchan, call }: Foreground, { machine }: TtyReport): boolean | undefined => {
  if (state !== 'S') return false;
  if (wchan === '0') return call === UNSEEN ? undefined : false;
  if (!READING.has(wchan)) return false;
  const read = READ[machine];
  return read === undefined || call === UNSEEN || call === read;
};

/** Stands in the answer for a system call that may not be seen. */
const UNSEEN = '-';
