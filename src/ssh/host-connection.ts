import type { Random } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Channel } from './channel.ts';
import type { Connection, ExecOptions, Peer } from './connection.ts';
import { unlessGivenUp } from './given-up.ts';
import type { Host } from './host.ts';
import { createLanes, type Lane } from './lanes.ts';
import type { Link } from './link.ts';
import { closedDoor, closedMeanwhile, full, unsteady } from './no-session.ts';
import { createPatience } from './patience.ts';
import { type Reach, reach } from './reach.ts';
import { after } from './timer.ts';
import { loadTrust, type Verdict } from './trust.ts';
import { appoint, type LeaseTimes, type Warden } from './warden.ts';

/** What a connection needs from outside. */
export type Parts = Reach & {
  readonly random: Random;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** How long remote work may outlive us; without it nothing stands on a host to see to that. */
  readonly lease?: LeaseTimes;
};

/** How often a refused open is repeated, and how often a command moves to a new connection before it began. */
const MAX_REFUSALS = 20;
const MAX_MOVES = 2;
/** RFC 4254 section 5.1: administratively prohibited, and unknown channel type, will not change by waiting. */
const FINAL_REASONS: readonly number[] = [1, 3];

type Waiting = { readonly signal: AbortSignal | undefined; readonly queued: (() => void) | undefined };

type Dialling = { readonly link: Promise<Link>; readonly abort: AbortController };

/** The connection to one host: the dial, the lanes and the patience with it. */
export class HostConnection implements Connection {
  readonly host: Host;
  readonly #parts: Parts;
  readonly #lanes = createLanes();
  readonly #patience;
  #link: Link | undefined;
  /** Stands on the host for as long as the link does. */
  #warden: Warden | undefined;
  #dialling: Dialling | undefined;
  #used = false;
  #shut = false;
  /** How often it was closed on purpose: what waited then is not to begin on the next connection. */
  #closes = 0;
  #keyType: string | undefined;
  #refusedKey: Verdict | undefined;

  constructor(host: Host, parts: Parts) {
    this.host = host;
    this.#parts = parts;
    this.#patience = createPatience(parts.clock);
  }

  state(): 'idle' | 'connecting' | 'ready' | 'closed' {
    if (this.#link !== undefined) return 'ready';
    if (this.#dialling !== undefined) return 'connecting';
    return this.#used ? 'closed' : 'idle';
  }

  channels(): number {
    return this.#lanes.taken();
  }

  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<Peer> {
    const link = await this.#connected(this.#closes, options.signal);
    return link.peer;
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    const closes = this.#closes;
    await this.#connected(closes, options.signal);
    const lane = await this.#lanes.take(options);
    try {
      return await this.#open(command, options, lane, closes);
    } catch (error) {
      lane.release();
      throw error;
    }
  }

  signal(channel: Channel, name: string): boolean {
    return this.#link?.signal(channel, name) === true;
  }

  warden(): Warden | undefined {
    return this.#warden;
  }

  close(): void {
    this.#closes++;
    const dialling = this.#dialling;
    this.#dialling = undefined;
    dialling?.abort.abort();
    this.#link?.end();
  }

  /** Closes it for good. */
  shut(): void {
    this.#shut = true;
    this.close();
  }

  async key(): Promise<Verdict> {
    if (this.#refusedKey !== undefined) return this.#refusedKey;
    const trust = await loadTrust(this.host, this.#parts.knownHosts);
    return trust.standing;
  }

  /** The open link, or the one that is being dialled, once for all who wait. */
  async #connected(closes: number, signal: AbortSignal | undefined): Promise<Link> {
    if (this.#shut) throw new Failure('SHUTTING_DOWN', 'The server is shutting down.');
    if (closes !== this.#closes) throw closedMeanwhile(this.host);
    if (this.#link !== undefined) return this.#link;
    this.#dialling ??= this.#dial();
    return await unlessGivenUp(this.#dialling.link, signal);
  }

  #dial(): Dialling {
    this.#patience.check();
    this.#used = true;
    const abort = new AbortController();
    const prefer = this.#keyType === undefined ? {} : { prefer: this.#keyType };
    const dialling: Dialling = {
      abort,
      link: reach(this.host, { signal: abort.signal, ...prefer }, this.#parts).then(
        link => this.#established(dialling, link),
        (error: unknown) => this.#failed(dialling, error),
      ),
    };
    return dialling;
  }

  #established(dialling: Dialling, link: Link): Link {
    if (this.#dialling !== dialling) {
      link.end();
      throw closedMeanwhile(this.host);
    }
    this.#dialling = undefined;
    this.#patience.succeeded();
    this.#keyType = link.keyType;
    this.#refusedKey = undefined;
    this.#link = link;
    this.#warden = this.#appoint(link);
    link.onClosed(() => {
      this.#link = undefined;
      this.#warden = undefined;
      this.#lanes.reset();
    });
    return link;
  }

  #appoint(link: Link): Warden | undefined {
    const { lease, random, log, pause } = this.#parts;
    if (lease === undefined) return undefined;
    const open = async (text: string, attach: (channel: Channel) => void): Promise<boolean> =>
      (await link.open(text, { attach, pause })).how === 'open';
    return appoint({ host: this.host.name, open, times: lease, random, after, log });
  }

  #failed(dialling: Dialling, error: unknown): never {
    if (this.#dialling === dialling) {
      this.#dialling = undefined;
      if (error instanceof Failure) {
        this.#patience.failed(error);
        this.#refusedKey = VERDICTS.get(error.code);
        const { code, operator } = error;
        if (operator !== undefined)
          this.#parts.log('warn', 'a host could not be used', { host: this.host.name, code, why: operator });
      }
    }
    throw error;
  }

  /** Repeats what the host refused and what a dying connection did not carry; never what may have run. */
  async #open(command: string, options: ExecOptions, lane: Lane, closes: number): Promise<Channel> {
    const { signal, queued, leased, pty } = options;
    const attach = (channel: Channel): void => {
      lane.opened();
      channel.once('close', lane.release);
      options.attach?.(channel);
    };
    for (let refusals = 0, moves = 0; ; ) {
      const link = await this.#connected(closes, signal);
      if (leased !== undefined) await unlessGivenUp(this.#warden?.guard(leased) ?? Promise.resolve(), signal);
      const opened = await link.open(command, { signal, attach, pty, pause: this.#parts.pause });
      if (opened.how === 'open') return opened.channel;
      if (opened.how === 'gone') {
        if (++moves > MAX_MOVES) throw unsteady(this.host);
        link.end();
      } else {
        refusals = await this.#afterRefusal(opened.reason, refusals + 1, lane, { signal, queued });
      }
    }
  }

  /** Waits until another try makes sense, and says how many refusals count from then on. */
  async #afterRefusal(reason: number, refusals: number, lane: Lane, { signal, queued }: Waiting): Promise<number> {
    if (FINAL_REASONS.includes(reason)) throw closedDoor(this.host);
    if (refusals < MAX_REFUSALS) {
      await this.#parts.pause(1 + ((this.#parts.random(1)[0] ?? 0) % 50));
      return refusals;
    }
    const freed = lane.reserved ? undefined : this.#lanes.narrow();
    if (freed === undefined && this.#giveWay()) return 0;
    if (freed === undefined) throw full(this.host, MAX_REFUSALS);
    queued?.();
    await unlessGivenUp(freed, signal);
    return 0;
  }

  /** Where the warden has the only session that the host allows, the command goes first. */
  #giveWay(): boolean {
    if (this.#warden?.stands() !== true) return false;
    this.#warden.dismiss();
    return true;
  }
}

const VERDICTS: ReadonlyMap<string, Verdict> = new Map([
  ['HOST_KEY_UNKNOWN', 'unknown'],
  ['HOST_KEY_CHANGED', 'changed'],
  ['HOST_KEY_REVOKED', 'revoked'],
]);
