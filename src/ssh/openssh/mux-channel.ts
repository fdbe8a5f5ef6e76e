import { Duplex, Readable } from 'node:stream';
import { BrokenMessage, type Fields, type Part } from '../packet.ts';
import { MSG, STDERR } from './messages.ts';

/** How a channel sends: false when the socket is full, and `drained` is then to be waited for. */
export type Wire = {
  readonly send: (type: number, parts: readonly Part[]) => boolean;
  readonly drained: (run: () => void) => void;
  /** The channel has closed at both ends: its number may be forgotten. */
  readonly over: () => void;
};

/** The far end of a channel, and how much may come and go before one of them has to say more (RFC 4254 section 5.2). */
export type Ends = {
  readonly theirs: number;
  readonly sendWindow: number;
  readonly maxPacket: number;
  readonly window: number;
};

/** Whether the host said yes; undefined when it closed the channel instead, or the connection ended. */
export type Reply = (yes: boolean | undefined) => void;

/** Read ahead of whoever reads, for each stream. */
const AHEAD = 262_144;
/** sshd takes packets of 32 KiB, and nobody must be asked for fewer (RFC 4253 section 6.1). */
const MOST_SENT = 32_768;
/** Shorter pieces are copied, so that they do not hold the whole of what the socket read. */
const SMALL = 4_096;

type Waiting = { rest: Buffer; readonly done: () => void };

/** One channel of a proxied connection: a `Channel`, with windows that are given back as its streams are read. */
export class MuxChannel extends Duplex {
  readonly stderr: Readable;
  readonly #wire: Wire;
  readonly #ends: Ends;
  readonly #replies: Reply[] = [];
  readonly #unread = { stdout: 0, stderr: 0 };
  #state: 'open' | 'eof' | 'closing' = 'open';
  #sendWindow: number;
  #writing: Waiting | undefined;
  /** What the host may still send, and what was read and not given back yet. */
  #granted: number;
  #owed = 0;
  #ended = false;
  #over = false;
  #closed = false;
  #exit: readonly unknown[] = [];

  constructor(wire: Wire, ends: Ends) {
    super({ readableHighWaterMark: AHEAD, writableHighWaterMark: AHEAD, autoDestroy: false, emitClose: false });
    this.#wire = wire;
    this.#ends = ends;
    this.#sendWindow = ends.sendWindow;
    this.#granted = ends.window;
    this.stderr = new Readable({ highWaterMark: AHEAD, read: () => this.#giveBack('stderr'), autoDestroy: false });
  }

  /** Whether the host can still be asked for something on it. */
  get alive(): boolean {
    return !this.#over && this.#state !== 'closing';
  }

  eof(): void {
    if (this.#over || this.#state !== 'open') return;
    this.#state = 'eof';
    this.#send(MSG.EOF);
    this.#written();
  }

  close(): void {
    if (!this.alive) return;
    this.#state = 'closing';
    this.#send(MSG.CLOSE);
    this.#written();
  }

  setWindow(rows: number, cols: number, height: number, width: number): void {
    this.request('window-change', [cols, rows, width, height]);
  }

  /** Asks the host for something (RFC 4254 section 5.4); false when it is too late for that. */
  request(what: string, parts: readonly Part[], reply?: Reply): boolean {
    if (!this.alive) return false;
    if (reply !== undefined) this.#replies.push(reply);
    this.#send(MSG.REQUEST, [what, reply !== undefined, ...parts]);
    return true;
  }

  override _read(): void {
    this.#giveBack('stdout');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#writing = { rest: chunk, done };
    this.#flush();
  }

  override _final(done: () => void): void {
    this.eof();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.close();
    this.stderr.destroy();
    queueMicrotask(() => this.#close());
    done(error);
  }

  /** Takes a message of the host for this channel. */
  hear(type: number, fields: Fields): void {
    if (type === MSG.DATA) this.#take('stdout', this, fields.bytes());
    else if (type === MSG.EXTENDED_DATA) this.#extended(fields.number(), fields.bytes());
    else if (type === MSG.WINDOW_ADJUST) this.#mayWrite(fields.number());
    else if (type === MSG.EOF) this.#end();
    else if (type === MSG.REQUEST) this.#asked(fields.text(), fields.byte() !== 0, fields);
    else if (type === MSG.SUCCESS || type === MSG.FAILURE) this.#answered(type === MSG.SUCCESS);
    else if (type === MSG.CLOSE) {
      this.close();
      this.#finish();
    } else throw new BrokenMessage(`a channel was sent message ${type}`);
  }

  /** The connection is over: no status will come any more. */
  lose(): void {
    this.#state = 'closing';
    this.#finish();
  }

  #send(type: number, parts: readonly Part[] = []): boolean {
    return this.#wire.send(type, [this.#ends.theirs, ...parts]);
  }

  #flush(): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    while (this.#state === 'open' && writing.rest.length > 0 && this.#sendWindow > 0) {
      const piece = writing.rest.subarray(0, Math.min(this.#sendWindow, this.#ends.maxPacket, MOST_SENT));
      writing.rest = writing.rest.subarray(piece.length);
      this.#sendWindow -= piece.length;
      const full = !this.#send(MSG.DATA, [piece]);
      if (full) this.#wire.drained(() => this.#flush());
      if (full) return;
    }
    if (writing.rest.length === 0 || this.#state !== 'open') this.#written();
  }

  /** What cannot be sent any more is let go: a program that stops reading its stdin is no error. */
  #written(): void {
    const writing = this.#writing;
    this.#writing = undefined;
    writing?.done();
  }

  #mayWrite(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > 0xffff_ffff) throw new BrokenMessage('a window is larger than it can be');
    this.#flush();
  }

  #extended(kind: number, bytes: Buffer): void {
    if (kind === STDERR) this.#take('stderr', this.stderr, bytes);
    else this.#count(bytes);
  }

  #count(bytes: Buffer): void {
    if (bytes.length > this.#granted) throw new BrokenMessage('a host sent more than its window allows');
    this.#granted -= bytes.length;
  }

  /** What comes after the end of the output is nobody's. */
  #take(name: 'stdout' | 'stderr', stream: Readable, bytes: Buffer): void {
    this.#count(bytes);
    if (this.#ended || stream.destroyed || bytes.length === 0) return;
    this.#unread[name] += bytes.length;
    if (stream.push(bytes.length < SMALL ? Buffer.from(bytes) : bytes)) this.#giveBack(name);
  }

  /** Whoever reads one stream keeps up: what it took may be sent again, in steps of half a window. */
  #giveBack(name: 'stdout' | 'stderr'): void {
    this.#owed += this.#unread[name];
    this.#unread[name] = 0;
    if (this.#owed < this.#ends.window / 2 || !this.alive || this.#ended) return;
    const more = this.#owed;
    this.#granted += more;
    this.#owed = 0;
    this.#send(MSG.WINDOW_ADJUST, [more]);
  }

  #asked(what: string, wantsReply: boolean, fields: Fields): void {
    if (what === 'exit-status') this.#exited([fields.number()]);
    else if (what === 'exit-signal') this.#exited([null, `SIG${fields.text()}`]);
    else if (wantsReply && this.alive) this.#send(MSG.FAILURE);
  }

  #exited(exit: readonly unknown[]): void {
    if (this.#exit.length > 0 || this.#over) return;
    this.#exit = exit;
    this.emit('exit', ...exit);
  }

  #answered(yes: boolean): void {
    const reply = this.#replies.shift();
    if (reply === undefined) throw new BrokenMessage('an answer to nothing');
    reply(yes);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const stream of [this, this.stderr]) if (!stream.destroyed) stream.push(null);
  }

  /** `close` comes when the last byte of both streams was read. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#written();
    this.#end();
    this.#wire.over();
    for (const reply of this.#replies.splice(0)) reply(undefined);
    for (const stream of [this, this.stderr]) stream.once('end', () => this.#close());
    queueMicrotask(() => this.#close());
  }

  #close(): void {
    const unread = [this, this.stderr].some(({ readableEnded, destroyed }) => !readableEnded && !destroyed);
    if (unread || this.#closed || !this.#over) return;
    this.#closed = true;
    this.emit('close', ...this.#exit);
  }
}
