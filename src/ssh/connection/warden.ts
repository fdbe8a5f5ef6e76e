import type { Clock, Log, Random } from '../../call.ts';
import { type Channel, follow } from '../command/channel.ts';
import { scriptText } from '../command/launch.ts';
import type { Mark } from '../command/mark.ts';
import type { Grace } from '../command/reap.ts';
import { REAP_SCRIPT } from '../command/reap-script.ts';
import type { After } from '../timer.ts';
import { WARDEN_SCRIPT } from './warden-script.ts';

/** How long a host may hear nothing from us before what runs there for us ends, and what INT, TERM and KILL are given then. */
export type LeaseTimes = { readonly leaseMs: number; readonly graceMs: Grace };

/** The warden of one connection, on a channel of its own: what stops remote work when we cannot. */
export type Warden = {
  /** Takes a command into its care, before it is asked for; resolves when it stands, or cannot. */
  readonly guard: (mark: Mark) => Promise<void>;
  readonly release: (mark: Mark) => void;
  /** Runs the reaper there, which answers in lines that begin with the nonce; undefined when it does not stand. */
  readonly reap: (nonce: string, words: readonly string[], deadlineMs: number) => Promise<string> | undefined;
  readonly stands: () => boolean;
  /** Resolves when it stands, or cannot, with how long its host took from accepting it to its first word. */
  readonly stood: Promise<number | undefined>;
  /** Gives its channel back: nothing is guarded any more. */
  readonly dismiss: () => void;
};

/** What a warden needs: how to open its channel, which rejects or gives none when the host allows no more of them. */
export type WardenMeans = {
  readonly host: string;
  readonly open: (text: string, attach: (channel: Channel) => void) => Promise<boolean>;
  readonly times: LeaseTimes;
  readonly random: Random;
  readonly after: After;
  readonly clock: Clock;
  readonly log: Log;
};

/** A look at the silence is a fifth of the lease, and four in a row end it. */
const LOOKS = 5;
const UP_MS = 10_000;
/** Longer lines are none of ours. */
const LONGEST_LINE = 4_096;
const LONGEST_ANSWER = 1_048_576;

/** Has a warden stand on the host behind a connection, from now on. */
export const appoint = (means: WardenMeans): Warden => new Post(means);

/** One warden, from the asking for its channel to the end of that. */
class Post implements Warden {
  readonly #means: WardenMeans;
  readonly #nonce: string;
  readonly #tickMs: number;
  readonly #guarded = new Set<Mark>();
  readonly #answers = new Map<string, Answer>();
  readonly stood: Promise<number | undefined>;
  #settle: (startupMs?: number) => void = () => undefined;
  #acceptedMs = 0;
  #channel: Channel | undefined;
  #stands = false;
  #reaping: Promise<unknown> = Promise.resolve();
  #callOffBeat: () => void = () => undefined;

  constructor(means: WardenMeans) {
    const { times, random, after, open } = means;
    this.#means = means;
    this.#nonce = random(8).toString('hex');
    const tickS = Math.max(1, Math.floor(times.leaseMs / LOOKS / 1_000));
    this.#tickMs = tickS * 1_000;
    this.stood = new Promise(resolve => {
      const callOff = after(UP_MS, () => resolve(undefined));
      this.#settle = startupMs => {
        callOff();
        resolve(startupMs);
      };
    });
    const words = [this.#nonce, String(tickS), REAP_SCRIPT, ...times.graceMs.map(String)];
    open(scriptText(WARDEN_SCRIPT, words), channel => this.#attach(channel)).then(
      opened => (opened ? undefined : this.#settle()),
      () => this.#settle(),
    );
  }

  async guard(mark: Mark): Promise<void> {
    this.#guarded.add(mark);
    this.#say(`guard ${mark}`);
    await this.stood;
  }

  release(mark: Mark): void {
    if (this.#guarded.delete(mark)) this.#say(`release ${mark}`);
  }

  /** One after the other: of two that met the same processes, one would find them gone as if by themselves. */
  reap(nonce: string, words: readonly string[], deadlineMs: number): Promise<string> | undefined {
    if (!this.#stands) return undefined;
    const answer = this.#reaping.then(() => this.#reap(nonce, words, deadlineMs));
    this.#reaping = answer;
    return answer;
  }

  #reap(nonce: string, words: readonly string[], deadlineMs: number): Promise<string> {
    if (!this.#stands) return Promise.resolve('');
    const answer = collect(nonce, deadlineMs, this.#means.after);
    this.#answers.set(nonce, answer);
    this.#say(['reap', nonce, ...words].join(' '));
    return answer.text.finally(() => this.#answers.delete(nonce));
  }

  stands(): boolean {
    return this.#stands;
  }

  dismiss(): void {
    this.#say('leave');
    this.#channel?.end();
    this.#over();
  }

  #attach(channel: Channel): void {
    this.#channel = channel;
    this.#acceptedMs = this.#means.clock.monoMs();
    void follow(channel, { stdout: linesTo(line => this.#hear(line)), stderr: () => undefined }).then(() =>
      this.#over(),
    );
    for (const mark of this.#guarded) this.#say(`guard ${mark}`);
    this.#beatLater();
  }

  #hear(line: string): void {
    const { host, log } = this.#means;
    if (line === `${this.#nonce} up`) {
      this.#stands = this.#channel !== undefined;
      this.#settle(this.#means.clock.monoMs() - this.#acceptedMs);
    }
    if (line === `${this.#nonce} silent`)
      log('warn', 'a host heard nothing from this process for too long and ended its commands', { host });
    this.#answers.get(line.slice(0, line.indexOf(' ')))?.take(line);
  }

  #beatLater(): void {
    this.#callOffBeat = this.#means.after(this.#tickMs, () => {
      this.#say('beat');
      this.#beatLater();
    });
  }

  #over(): void {
    this.#stands = false;
    this.#channel = undefined;
    this.#settle();
    this.#callOffBeat();
    for (const answer of this.#answers.values()) answer.end();
  }

  #say(line: string): void {
    this.#channel?.write(`${line}\n`);
  }
}

type Answer = { readonly take: (line: string) => void; readonly end: () => void; readonly text: Promise<string> };

/** Lines of one answer, until its last one, the end of the channel, or the deadline. */
const collect = (nonce: string, deadlineMs: number, after: After): Answer => {
  let text = '';
  let end: () => void = () => undefined;
  const whole = new Promise<string>(resolve => {
    const callOff = after(deadlineMs, () => end());
    end = () => {
      callOff();
      resolve(text);
    };
  });
  const take = (line: string): void => {
    if (text.length < LONGEST_ANSWER) text += `${line}\n`;
    if (line === `${nonce} end`) end();
  };
  return { take, end, text: whole };
};

/** Splits what a channel brings into lines; too long ones are dropped whole. */
const linesTo = (take: (line: string) => void): ((chunk: Buffer) => void) => {
  let rest = Buffer.alloc(0);
  let skipping = false;
  return chunk => {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      if (!skipping) take(Buffer.concat([rest, chunk.subarray(from, at)]).toString('utf8'));
      skipping = false;
      rest = Buffer.alloc(0);
      from = at + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length <= LONGEST_LINE) return;
    rest = Buffer.alloc(0);
    skipping = true;
  };
};
