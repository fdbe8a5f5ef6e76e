import type { Terminal } from '@xterm/headless';
import type { Size } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { type Redaction, redacted } from '../../text/redact.ts';
import { safeText } from '../../text/safe.ts';
import type { After } from '../timer.ts';
import { TerminalFilter } from './terminal-filter.ts';
import type { TerminalLine } from './terminal-line.ts';

/** A terminal's screen as a person sees it; rows and columns count from 0, and empty lines at the end are left out. */
export type Screen = Size & {
  readonly lines: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean };
  readonly alternate: boolean;
  readonly title: string;
};

/** What drawing needs from outside; what the redaction knows is not shown. */
type Means = { readonly after: After; readonly redaction: Redaction };

/** How long an emulator is kept that nobody looks at: it costs some hundred KiB, and is made anew from the last output. */
const KEPT_MS = 60_000;
const PIECE_BYTES = 4_096;

/** Draws the screen of one terminal when somebody asks for it, from what it was sent; emulates nothing before. */
export class TerminalScreen {
  readonly #line: TerminalLine;
  readonly #means: Means;
  #emulator: Terminal | undefined;
  #filter = new TerminalFilter();
  /** How much of the output it has seen. */
  #seen = 0;
  #callOff: () => void = () => undefined;
  #drawing: Promise<unknown> = Promise.resolve();

  constructor(line: TerminalLine, means: Means) {
    this.#line = line;
    this.#means = means;
  }

  /** The screen now; `UNSUPPORTED` where the emulator is not installed. */
  async read(): Promise<Screen> {
    const drawn = this.#drawing.then(
      () => this.#draw(),
      () => this.#draw(),
    );
    this.#drawing = drawn;
    const emulator = await drawn;
    return this.#show(emulator);
  }

  /** Lets the emulator go. */
  free(): void {
    this.#callOff();
    this.#emulator?.dispose();
    this.#emulator = undefined;
  }

  async #draw(): Promise<Terminal> {
    this.#callOff();
    const { tail, size } = this.#line;
    const emulator = await this.#current();
    const news = tail.since(this.#seen) ?? Buffer.alloc(0);
    this.#seen = tail.length;
    await this.#feed(emulator, news);
    if (emulator.cols !== size.cols || emulator.rows !== size.rows) emulator.resize(size.cols, size.rows);
    this.#callOff = this.#means.after(KEPT_MS, () => this.free());
    return emulator;
  }

  /** In small pieces: the emulator lets others have their turn between two of them. */
  async #feed(emulator: Terminal, bytes: Buffer): Promise<void> {
    const safe = this.#filter.push(bytes, this.#line.size);
    for (let at = 0; at < safe.length; at += PIECE_BYTES) emulator.write(safe.subarray(at, at + PIECE_BYTES));
    await new Promise<void>(resolve => emulator.write('', resolve));
  }

  /** The one there is, unless it missed something. */
  async #current(): Promise<Terminal> {
    const { tail, size } = this.#line;
    const known = this.#emulator;
    if (known !== undefined && this.#seen >= tail.oldest) return known;
    const Emulator = await load();
    this.free();
    this.#filter = new TerminalFilter();
    const emulator = new Emulator({ ...size, scrollback: 0, allowProposedApi: true, logLevel: 'off' });
    this.#seen = tail.oldest;
    if (tail.before.alternate) await new Promise<void>(resolve => emulator.write(ENTER_ALTERNATE, resolve));
    this.#seen += restOfSequence(tail.before.between, tail.since(tail.oldest));
    this.#emulator = emulator;
    return emulator;
  }

  #show(emulator: Terminal): Screen {
    const { modes } = this.#line;
    const { active } = emulator.buffer;
    const { redaction } = this.#means;
    const all = Array.from({ length: emulator.rows }, (_, row) =>
      safeText(active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    );
    const lines = redacted(redaction, all.join('\n')).split('\n');
    while (lines.at(-1) === '') lines.pop();
    return {
      cols: emulator.cols,
      rows: emulator.rows,
      lines,
      cursor: { row: active.cursorY, column: active.cursorX, visible: modes.cursorVisible },
      alternate: active.type === 'alternate',
      title: redacted(redaction, modes.title),
    };
  }
}

const ENTER_ALTERNATE = '\u001b[?1049h';
const ESC = 0x1b;

/** Where output begins inside a sequence, the bytes up to the next one mean nothing by themselves. */
const restOfSequence = (between: boolean, bytes: Buffer | undefined): number =>
  between || bytes === undefined ? 0 : Math.max(0, bytes.indexOf(ESC));

type Constructor = typeof import('@xterm/headless').Terminal;

const load = async (): Promise<Constructor> => {
  const terminal = await import('@xterm/headless').then(terminalOf, () => undefined);
  if (terminal !== undefined) return terminal;
  throw new Failure('UNSUPPORTED', 'Screens are drawn by @xterm/headless, which is not installed here.', {
    next: 'Read the session as text.',
  });
};

/** Node gives a CommonJS module as the default of its namespace. */
const terminalOf = (module: unknown): Constructor | undefined => {
  if (typeof module !== 'object' || module === null) return undefined;
  if ('Terminal' in module && isConstructor(module.Terminal)) return module.Terminal;
  return 'default' in module ? terminalOf(module.default) : undefined;
};

const isConstructor = (value: unknown): value is Constructor => typeof value === 'function';
