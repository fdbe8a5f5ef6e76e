import type { Failure } from '../../errors.ts';
import { type Channel, follow, type Status } from '../command/channel.ts';
import { BrokenMessage, type Fields, fieldsOf, frame, type Part } from '../packet.ts';
import type { After } from '../timer.ts';
import { Beginning } from './beginning.ts';
import { Outbox } from './outbox.ts';
import { broken, ended, neverBegan, noGreeting, silent, stopped } from './over.ts';
import { SftpError } from './sftp-error.ts';
import { type Silence, watchSilence } from './silence.ts';
import { Splitter } from './splitter.ts';
import { FXP, VERSION } from './wire.ts';
import { writeMessage } from './write-message.ts';

/** An answer that is no data: what follows its number, of which `length` bytes there are. Of VERSION the number is the version. */
export type Answer = {
  readonly type: number;
  readonly number: number;
  readonly fields: Fields;
  readonly length: number;
};

/** Takes an answer; throws an `SftpError` for what was not done, and `BrokenMessage` for what answers nothing that was asked. */
export type Decode<T> = (answer: Answer) => T;

/** What a request waits for; `data` only where so many bytes of it were asked for. A server may be long about what `isLong`. */
type Pending = {
  readonly isLong?: boolean;
  readonly asked?: number;
  readonly data?: (pieces: readonly Buffer[]) => void;
  readonly answer: (answer: Answer) => void;
  readonly lose: (why: Failure) => void;
};

type Terms = { readonly host: string; readonly after: After; readonly silentMs: number };

/** The number that the greeting is waited for by: no request has it. */
const GREETING = -1;
const IDS = 2 ** 32;
/** How many times longer what is long may take: gigabytes on their way to a slow disk. */
const LONG = 10;

/** One conversation over one channel: requests by their numbers, each answered once, until either side ends it. */
export class Conversation {
  readonly #terms: Terms;
  readonly #pending = new Map<number, Pending>();
  readonly #splitter: Splitter;
  readonly #silence: Silence;
  readonly #first = new Beginning();
  readonly #complaint = new Beginning();
  #channel: Channel | undefined;
  #outbox: Outbox | undefined;
  #greeted = false;
  #over: Failure | undefined;
  #id = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#splitter = new Splitter({
      asked: id => this.#pending.get(id)?.asked ?? 0,
      data: (id, pieces) => this.#settle(id, pending => pending.data?.(pieces)),
      message: (type, number, rest) => this.#hearMessage(type, number, rest),
    });
    this.#silence = watchSilence({ ...terms, patience: () => this.#patience() }, () =>
      this.#end(silent(terms.host, terms.silentMs)),
    );
  }

  get isOpen(): boolean {
    return this.#over === undefined;
  }

  /** Takes the channel, before any event of it can come, and reads it to its end. */
  attach(channel: Channel): void {
    this.#channel = channel;
    // What the channel has taken is life too: on a slow line the answer is far behind it.
    this.#outbox = new Outbox(channel, () => this.#silence.heard());
    const stdout = (chunk: Buffer): void => this.#hear(chunk);
    const stderr = (chunk: Buffer): void => this.#complaint.add(chunk);
    void follow(channel, { stdout, stderr }).then(status => this.#closed(status));
    if (this.#over !== undefined) channel.close();
  }

  /** Says the version that we speak, and resolves with what the server says of itself. */
  greet<T>(decode: Decode<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = { answer: deciding(decode, resolve, reject), lose: reject };
      this.#request(GREETING, pending, [frame(Buffer.of(FXP.INIT), [VERSION])]);
    });
  }

  /** Asks for something, which a server may be long about. Rejects with an `SftpError`, or with why the conversation is over. */
  ask<T>(type: number, parts: readonly Part[], decode: Decode<T>, isLong = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const pending = { answer: deciding(decode, resolve, reject), lose: reject, isLong };
      this.#request(id, pending, [frame(Buffer.of(type), [id, ...parts])]);
    });
  }

  /** Asks for data, which comes in one answer of at most `length` bytes; any other answer is decoded. */
  read(parts: readonly Part[], length: number, decode: Decode<undefined>): Promise<readonly Buffer[] | undefined> {
    return new Promise<readonly Buffer[] | undefined>((resolve, reject) => {
      const id = this.#nextId();
      const pending = { asked: length, data: resolve, answer: deciding(decode, resolve, reject), lose: reject };
      this.#request(id, pending, [frame(Buffer.of(FXP.READ), [id, ...parts, length])]);
    });
  }

  /** Sends data, most of it without a copy. */
  write(handle: Buffer, offset: number, bytes: Buffer, decode: Decode<undefined>): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const pending = { answer: deciding(decode, resolve, reject), lose: reject };
      this.#request(id, pending, writeMessage(id, handle, offset, bytes));
    });
  }

  /** Ends it from this side, behind what was asked before: what is in flight rejects with CANCELLED. */
  close(): void {
    this.#outbox?.flush();
    this.#end(stopped());
  }

  #nextId(): number {
    do this.#id = (this.#id + 1) % IDS;
    while (this.#pending.has(this.#id));
    return this.#id;
  }

  #request(id: number, pending: Pending, message: readonly Buffer[]): void {
    if (this.#over !== undefined) {
      pending.lose(this.#over);
      return;
    }
    this.#pending.set(id, pending);
    this.#outbox?.send(message);
    this.#silence.owed();
  }

  #patience(): number {
    if ([...this.#pending.values()].some(({ isLong }) => isLong)) return LONG;
    return this.#pending.size > 0 ? 1 : 0;
  }

  #hear(chunk: Buffer): void {
    if (this.#over !== undefined) return;
    this.#silence.heard();
    if (!this.#greeted) this.#first.add(chunk);
    try {
      this.#splitter.hear(chunk);
    } catch (error) {
      if (!(error instanceof BrokenMessage)) throw error;
      const { host } = this.#terms;
      this.#end(this.#greeted ? broken(host, error.message) : noGreeting(host, this.#first.text()));
    }
  }

  #hearMessage(type: number, number: number, rest: Buffer): void {
    if ((type === FXP.VERSION) === this.#greeted) throw new BrokenMessage(`message ${type} at this time`);
    this.#settle(this.#greeted ? number : GREETING, pending => {
      pending.answer({ type, number, fields: fieldsOf(rest), length: rest.length });
    });
    this.#greeted = true;
  }

  /** Forgotten only when it was answered: what breaks the protocol is told to who asked as well. */
  #settle(id: number, tell: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new BrokenMessage('an answer to nothing that was asked');
    tell(pending);
    this.#pending.delete(id);
  }

  #closed(status: Status): void {
    const { host } = this.#terms;
    this.#end((this.#greeted ? ended : neverBegan)(host, status, this.#complaint.text()));
  }

  #end(why: Failure): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    this.#silence.stop();
    this.#outbox?.stop();
    this.#channel?.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { lose } of pending) lose(why);
  }
}

const deciding =
  <T>(decode: Decode<T>, resolve: (value: T) => void, reject: (why: SftpError) => void) =>
  (answer: Answer): void => {
    try {
      resolve(decode(answer));
    } catch (error) {
      if (!(error instanceof SftpError)) throw error;
      reject(error);
    }
  };
