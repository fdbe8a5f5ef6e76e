import type { Run, SessionId, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { type Reading, readLine, type Word } from '../shell/line.ts';
import type { RemoteCommand, Tee } from './command.ts';
import type { StartOptions } from './commands.ts';
import type { StopCause, StopReport } from './end.ts';
import type { Line, Session } from './fleet.ts';
import { MARK_NAME } from './mark.ts';
import { Capture } from './output.ts';
import { goAction, isKeepable, valuesAction } from './step.ts';

/** Runs something under the leave of the line that is being sent. */
export type Start = (action: Run, options?: StartOptions) => Promise<RemoteCommand>;

/** Where a session begins: the account's own directory, as the host names it. */
export type Opened = {
  readonly id: SessionId;
  readonly target: Target;
  readonly cwd: string;
  readonly keepBytes: number;
};

/** Steps that the session takes by itself are short, whatever the line may take. */
const STEP_MS = 10_000;
const STEP_BYTES = 262_144;
const ENV_BYTES = 65_536;

/** A managed session: every line is an exec of its own, and directory and environment are kept here and given to each. */
export class ManagedSession implements Session {
  readonly id: SessionId;
  readonly host: string;
  readonly target: Target;
  readonly transcript: Capture;
  /** Where it began: the account's own directory. */
  readonly home: string;
  #cwd: string;
  #previous: string | undefined;
  #env: Readonly<Record<string, string>> = {};
  #running: RemoteCommand | undefined;
  #last: RemoteCommand | undefined;
  #sending = false;
  /** Settles when what is being started has begun or failed. */
  #starting: Promise<unknown> = Promise.resolve();
  readonly #over = new AbortController();

  constructor({ id, target, cwd, keepBytes }: Opened) {
    this.id = id;
    this.host = target.host;
    this.target = target;
    this.transcript = new Capture(keepBytes);
    this.home = cwd;
    this.#cwd = cwd;
  }

  get cwd(): string {
    return this.#cwd;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  get running(): RemoteCommand | undefined {
    return this.#running;
  }

  /** The command line that ended last. */
  get last(): RemoteCommand | undefined {
    return this.#last;
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
      if (line.kind === 'done') this.#note(line.stdout + line.stderr);
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
    this.transcript.finish();
    return report ?? { outcome, signals: [], remaining: [] };
  }

  async #do(action: Run, start: Start): Promise<Line> {
    const reading: Reading = 'text' in action.program ? readLine(action.program.text) : { kind: 'run' };
    switch (reading.kind) {
      case 'cd':
        return await this.#go(reading.to, action, start);
      case 'evaluate':
        return await this.#evaluate(reading.names, reading.words, action, start);
      case 'export':
        return this.#export(reading.variables, action.env);
      case 'unset':
        return this.#unset(reading.names, action.env);
      case 'pwd':
        return done(0, `${action.cwd ?? this.#cwd}\n`);
      case 'run':
        return { kind: 'command', command: await this.#run(action, start, { tee: this.#tee }) };
    }
  }

  async #run(action: Run, start: Start, options: StartOptions): Promise<RemoteCommand> {
    const starting = start(action, { ...options, signals: [this.#over.signal] }).then(command => {
      this.#running = command;
      void command.ended.then(() => {
        this.#running = undefined;
        this.#last = command;
      });
      return command;
    });
    this.#starting = Promise.allSettled([starting]);
    return await starting;
  }

  readonly #tee: Tee = (_stream, text, raw) => this.transcript.add(text, raw);

  async #go(to: Word | 'home' | 'previous', action: Run, start: Start): Promise<Line> {
    if (to === 'previous' && this.#previous === undefined) return done(1, '', 'cd: there is no previous directory\n');
    const cwd = action.cwd ?? this.#cwd;
    const step = await this.#step(
      goAction(to === 'previous' ? { raw: '', literal: this.#previous ?? '' } : to, cwd, action),
      start,
    );
    if ('line' in step) return step.line;
    const directory = step.stdout.toString('utf8').replace(/\n$/, '');
    if (!isKeepable(directory))
      return done(1, '', 'cd: the name of that directory cannot be shown as it is, and so cannot be kept\n');
    [this.#previous, this.#cwd] = [cwd, directory];
    return done(0, to === 'previous' ? `${directory}\n` : '');
  }

  /** An `export` whose values need the shell: it is run there, and the values are asked for. */
  async #evaluate(names: readonly string[], words: readonly string[], action: Run, start: Start): Promise<Line> {
    const step = await this.#step(valuesAction(names, words, action), start);
    if ('line' in step) return step.line;
    const values = step.stdout.toString('utf8').split('\0');
    const variables = new Map(names.map((name, index) => [name, values[index]]));
    if (values.length !== names.length + 1) return done(1, '', 'export: the host did not say what the values are\n');
    return this.#export(variables, action.env);
  }

  #export(variables: ReadonlyMap<string, string | undefined>, env: Run['env']): Line {
    if (variables.has(MARK_NAME)) return done(1, '', `export: ${MARK_NAME}: is set by the server\n`);
    const given = [...variables].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    const next = { ...env, ...Object.fromEntries(given) };
    if (Buffer.byteLength(JSON.stringify(next)) > ENV_BYTES)
      return done(1, '', `export: a session keeps ${ENV_BYTES} bytes of environment at most\n`);
    this.#env = next;
    return done(0);
  }

  #unset(names: readonly string[], env: Run['env']): Line {
    const foreign = names.filter(name => !Object.hasOwn(env, name));
    this.#env = Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
    return foreign.length === 0
      ? done(0)
      : done(1, '', `unset: ${foreign.join(', ')}: not set by this session; env -u NAME runs a program without it\n`);
  }

  /** Runs a step of the session's own on the host: its output when it did what it should, else the line to answer with. */
  async #step(action: Run, start: Start): Promise<{ readonly stdout: Buffer } | { readonly line: Line }> {
    const chunks: Buffer[] = [];
    let size = 0;
    const tee: Tee = (stream, _text, raw) => {
      size += raw.length;
      if (stream === 'stdout' && size <= STEP_BYTES) chunks.push(Buffer.from(raw));
    };
    const short = { ...action, timeoutMs: Math.min(action.timeoutMs, STEP_MS) };
    const command = await this.#run(short, start, { tee, step: true });
    const end = await command.ended;
    if (end.how !== 'exited') return { line: { kind: 'command', command } };
    if (end.code === 0) return { stdout: Buffer.concat(chunks) };
    return { line: done(end.code, '', command.stderr.read(0, STEP_BYTES).text) };
  }

  #note(text: string): void {
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

const done = (code: number, stdout = '', stderr = ''): Line => ({ kind: 'done', code, stdout, stderr });
