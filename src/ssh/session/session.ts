import type { Run, SessionId, Target } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { type Reading, readLine, type Word } from '../../shell/line.ts';
import type { RemoteCommand } from '../command/command.ts';
import type { StartOptions } from '../command/commands.ts';
import type { End, StopCause, StopReport } from '../command/end.ts';
import { Capture } from '../command/output.ts';
import type { Tee } from '../command/streams.ts';
import type { Line, Session } from '../fleet.ts';
import { FILE_FRONT, type Ground } from './ground.ts';
import { fetchAction, isInterrupted, type Kept, keepingAction, notKeptHere, STOPPED, settle } from './keep.ts';
import { type Done, done, exportInto, unsetFrom } from './own-line.ts';
import { collect, directoryIn, goAction, isKeepable, STEP_BYTES, valuesAction, valuesIn } from './step.ts';

/** Runs something under the leave of the line that is being sent. */
export type Start = (action: Run, options?: StartOptions) => Promise<RemoteCommand>;

/** Where a session begins; `newName` gives names that nobody guesses. */
export type Opened = {
  readonly id: SessionId;
  readonly target: Target;
  readonly ground: Ground;
  readonly newName: () => string;
  readonly keepBytes: number;
};

/** Steps that the session takes by itself are short, whatever the line may take. */
const STEP_MS = 10_000;
/** So many files that could not be removed are tried again. */
const MOST_LEFT = 8;

/** A managed session: every line is an exec of its own, and directory and environment are kept here and given to each. */
export class ManagedSession implements Session {
  readonly mode = 'managed' as const;
  readonly id: SessionId;
  readonly host: string;
  readonly target: Target;
  readonly transcript: Capture;
  /** Where it began: the account's own directory. */
  readonly home: string;
  readonly #keeping: Ground['keeping'];
  readonly #newName: () => string;
  #kept: Kept;
  #running: RemoteCommand | undefined;
  #last: RemoteCommand | undefined;
  #note: string | undefined;
  #sending = false;
  /** Settles when what is being started has begun or failed. */
  #starting: Promise<unknown> = Promise.resolve();
  /** Settles when what the last line did is taken over, and its file removed. */
  #settled: Promise<unknown> = Promise.resolve();
  /** Files on the host that lines have left, or may have. */
  #left: readonly string[] = [];
  readonly #over = new AbortController();

  constructor({ id, target, ground, newName, keepBytes }: Opened) {
    this.id = id;
    this.host = target.host;
    this.target = target;
    this.transcript = new Capture(keepBytes);
    this.home = ground.cwd;
    this.#keeping = ground.keeping;
    this.#newName = newName;
    this.#kept = { cwd: ground.cwd, previous: undefined, env: {}, gone: new Set() };
  }

  get cwd(): string {
    return this.#kept.cwd;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#kept.env;
  }

  /** The line that runs, or whose doing is being taken over. */
  get running(): RemoteCommand | undefined {
    return this.#running;
  }

  get last(): RemoteCommand | undefined {
    return this.#last;
  }

  /** What the command line that ended last did and the session does not keep. */
  get note(): string | undefined {
    return this.#note;
  }

  /** Whether nothing of it runs or begins. */
  get idle(): boolean {
    return this.#running === undefined && !this.#sending;
  }

  /** Runs one line, exactly where and with what it was judged; `BUSY` while another one runs. */
  async send(action: Run, start: Start): Promise<Line> {
    if (this.#over.signal.aborted) throw new Failure('UNKNOWN_ID', 'The session ended in the meantime.');
    if (!this.idle) throw this.#busy();
    this.#sending = true;
    try {
      const line = await this.#do(action, start);
      if (line.kind === 'done') this.#write(line.stdout + line.stderr);
      return line;
    } finally {
      this.#sending = false;
    }
  }

  /** Stops the line that runs, takes back the one that is not sent yet, and takes no more; without one there was nothing left to end. */
  async end(cause: StopCause): Promise<StopReport> {
    const outcome = this.idle ? 'already_ended' : 'confirmed';
    const stopping = this.#running?.stop(cause);
    this.#over.abort();
    await this.#starting;
    const report = await (stopping ?? this.#running?.stop(cause));
    await this.#settled.then(() => this.#settled);
    this.transcript.finish();
    return report ?? { outcome, signals: [], remaining: [] };
  }

  async #do(action: Run, start: Start): Promise<Line> {
    const text = 'text' in action.program ? action.program.text : undefined;
    const reading: Reading = text === undefined ? { kind: 'run' } : readLine(text);
    switch (reading.kind) {
      case 'cd':
        return await this.#go(reading.to, action, start);
      case 'evaluate':
        if (this.#keeping === undefined) return await this.#evaluate(reading.names, reading.words, action, start);
        return await this.#command(action, start, text);
      case 'export':
        return this.#did(exportInto(this.#kept, reading.variables, action.env));
      case 'unset':
        return this.#did(unsetFrom(this.#kept, reading.names, action.env, this.#keeping !== undefined));
      case 'pwd':
        return done(0, `${action.cwd ?? this.cwd}\n`);
      case 'run':
        return await this.#command(action, start, text);
    }
  }

  #did({ kept, line }: Done): Line {
    this.#kept = kept;
    return line;
  }

  /** A line that is a command; a text that is run as sent tells what it did to directory and environment. */
  async #command(action: Run, start: Start, text: string | undefined): Promise<Line> {
    const { folder } = this.#keeping ?? {};
    const file = text === undefined || folder === undefined ? undefined : `${folder}/${FILE_FRONT}${this.#newName()}`;
    const run = text === undefined || file === undefined ? action : keepingAction(action, text, this.#kept, file);
    const command = await this.#start(run, start, { tee: this.#tee });
    const note = command.ended.then(async end => {
      const said = file === undefined ? this.#unkept(text) : await this.#takeOver(action, start, file, end);
      [this.#running, this.#last, this.#note] = [undefined, command, said];
      return said;
    });
    this.#settled = note;
    return { kind: 'command', command, note };
  }

  #unkept(text: string | undefined): string | undefined {
    if (text !== undefined) return notKeptHere(text);
    const { gone } = this.#kept;
    return gone.size === 0 ? undefined : `It ran with what the session has unset: ${[...gone].join(', ')}.`;
  }

  /** Takes over what a line did that ended by itself; what a stopped one may have left is only removed, behind its back. */
  async #takeOver(action: Run, start: Start, file: string, end: End): Promise<string | undefined> {
    this.#left = [file, ...this.#left].slice(0, MOST_LEFT);
    const fetched = end.how === 'lost' || ('unsent' in end && end.unsent) ? undefined : this.#fetch(action, start);
    this.#settled = fetched ?? this.#settled;
    if (!fetched || !this.#keeping || end.how !== 'exited' || isInterrupted(end.code)) return STOPPED;
    const { kept, note } = settle(this.#kept, action, this.#keeping, await fetched);
    this.#kept = kept;
    return note;
  }

  /** Never rejects: what could not be fetched did not come back, and is removed another time. */
  async #fetch(action: Run, start: Start): Promise<Buffer> {
    const files = this.#left;
    const { tee, bytes } = collect();
    try {
      const command = await start(fetchAction({ ...action, timeoutMs: STEP_MS }, files), { tee, step: true });
      const end = await command.ended;
      if (end.how === 'exited' && end.code === 0) this.#left = this.#left.filter(file => !files.includes(file));
    } catch {
      // Why it could not be asked is the connection's to tell whoever uses it next.
    }
    return bytes();
  }

  async #start(action: Run, start: Start, options: StartOptions): Promise<RemoteCommand> {
    const starting = start(action, { ...options, signals: [this.#over.signal] }).then(command => {
      this.#running = command;
      return command;
    });
    this.#starting = Promise.allSettled([starting]);
    return await starting;
  }

  readonly #tee: Tee = (_stream, text, raw) => this.transcript.add(text, raw);

  async #go(to: Word | 'home' | 'previous', action: Run, start: Start): Promise<Line> {
    const { previous } = this.#kept;
    if (to === 'previous' && previous === undefined) return done(1, '', 'cd: there is no previous directory\n');
    const cwd = action.cwd ?? this.cwd;
    const step = await this.#step(
      goAction(to === 'previous' ? { raw: '', literal: previous ?? '' } : to, cwd, action),
      start,
    );
    if ('line' in step) return step.line;
    const directory = directoryIn(step.stdout);
    if (!isKeepable(directory))
      return done(1, '', 'cd: the name of that directory cannot be shown as it is, and so cannot be kept\n');
    this.#kept = { ...this.#kept, previous: cwd, cwd: directory };
    return done(0, to === 'previous' ? `${directory}\n` : '');
  }

  /** An `export` whose values need the shell: it is run there, and the values are asked for. */
  async #evaluate(names: readonly string[], words: readonly string[], action: Run, start: Start): Promise<Line> {
    const step = await this.#step(valuesAction(names, words, action), start);
    if ('line' in step) return step.line;
    const values = valuesIn(step.stdout, names);
    if (values === undefined) return done(1, '', 'export: the host did not say what the values are\n');
    return this.#did(exportInto(this.#kept, values, action.env));
  }

  /** Runs a step of the session's own on the host: its output when it did what it should, else the line to answer with. */
  async #step(action: Run, start: Start): Promise<{ readonly stdout: Buffer } | { readonly line: Line }> {
    const { tee, bytes } = collect();
    const short = { ...action, timeoutMs: Math.min(action.timeoutMs, STEP_MS) };
    const command = await this.#start(short, start, { tee, step: true });
    const end = await command.ended;
    this.#running = undefined;
    if (end.how !== 'exited') return { line: { kind: 'command', command, note: Promise.resolve(undefined) } };
    if (end.code === 0) return { stdout: bytes() };
    return { line: done(end.code, '', command.stderr.read(0, STEP_BYTES).text) };
  }

  #write(text: string): void {
    this.transcript.add(text, Buffer.from(text));
  }

  #busy(): Failure {
    const id = this.#running?.id;
    return new Failure('BUSY', `A line of session ${this.id} still runs${id === undefined ? '' : ` (${id})`}.`, {
      next: 'Wait for it with ssh_session_read, or stop it with ssh_cancel_command.',
      ...(id === undefined ? {} : { details: { command_id: id } }),
    });
  }
}
