import type { Channel } from '../command/channel.ts';
import type { Mark } from '../command/mark.ts';
import { unlessGivenUp } from '../given-up.ts';
import type { Host } from '../host.ts';
import type { ExecOptions, Party } from './connection.ts';
import type { Link, Opened, OpenOptions } from './link.ts';
import { closedDoor, full } from './no-session.ts';
import { measureRoom, type Room } from './room.ts';
import { createSpare, type Spare } from './spare.ts';
import { type Lent, leadThrough, type Through } from './through.ts';
import type { Warden } from './warden.ts';

/**
 * Commands that may run at once over one link. sshd allows 10 sessions by default (MaxSessions) and frees one later
 * than it says so: with 5 in flight no open is refused for that, with 10 nearly half are.
 */
const WIDTH = 5;
/**
 * How many a server lets run at once over one link. Dropbear (2022.83) closes sessions unanswered, or without their output,
 * when others end in the same moment, whichever client asks; each link has a process of its own there.
 */
export const widthOf = (server: string): number => (/^dropbear/i.test(server) ? 1 : WIDTH);

/** How often a refused open is repeated. */
const MAX_REFUSALS = 20;
/** RFC 4254 section 5.1: administratively prohibited, and unknown channel type, will not change by waiting. */
const FINAL_REASONS: readonly number[] = [1, 3];

/** Leave to open one channel of a link, held until the channel has closed. */
export type Lane = {
  readonly carrier: Carrier;
  readonly by: Party | undefined;
  readonly reserved: boolean;
  /** The channel is open. */
  readonly opened: () => void;
  /** The channel is closed, or was never opened; a second time does nothing. */
  readonly release: () => void;
};

/** `full`: the host has no room for one more session over this link, and fewer are asked of it from here on. */
export type Run = Exclude<Opened, { how: 'refused' }> | { readonly how: 'full' };

type Means = {
  readonly random: (bytes: number) => Buffer;
  readonly pause: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  /** A lane is free. */
  readonly freed: () => void;
  /** How long the host took from accepting a command to its first output. */
  readonly started: (ms: number) => void;
};

/** What a link begins with; it gives no lanes before `useful` has settled. */
type Made = {
  readonly warden: Warden | undefined;
  readonly width: number;
  readonly useful: Promise<unknown> | undefined;
};

/** One link with what it carries: its lanes, the reserved one, its warden, a spare channel, and links behind it. */
export class Carrier {
  readonly link: Link;
  readonly warden: Warden | undefined;
  readonly #host: Host;
  readonly #means: Means;
  readonly #lanes = new Set<Lane>();
  readonly #open = new Set<Lane>();
  readonly #marks = new Set<Mark>();
  readonly #spare: Spare;
  readonly #through: Through;
  #alone = false;
  #useful: boolean;
  #width: number;
  #usedMs: number;

  constructor(host: Host, link: Link, more: Means & Made) {
    this.#host = host;
    this.link = link;
    this.warden = more.warden;
    this.#means = more;
    this.#width = more.width;
    this.#usedMs = more.nowMs();
    this.#useful = more.useful === undefined;
    void more.useful?.then(() => {
      this.#useful = true;
      more.freed();
    });
    this.#spare = createSpare(link);
    this.#through = leadThrough(link, () => this.#used());
    this.#keepSpare();
  }

  /** Commands that it may carry at once, learned from refusals. */
  get width(): number {
    return this.#width;
  }

  /** Lanes that are taken. */
  get taken(): number {
    return this.#lanes.size;
  }

  /** The lanes that commands hold. */
  held(): readonly Lane[] {
    return [...this.#lanes].filter(({ reserved }) => !reserved);
  }

  /** Whether its warden had to go, because the host has room for nobody but a command. */
  get alone(): boolean {
    return this.#alone;
  }

  free(reserved: boolean): boolean {
    const held = this.held().length;
    return this.#useful && (reserved ? this.#lanes.size === held : held < this.#width);
  }

  carries(mark: Mark): boolean {
    return this.#marks.has(mark);
  }

  /** Whether links to other hosts run through it, or tunnels. */
  get carriesLinks(): boolean {
    return this.#through.busy();
  }

  /** Since when it carries nothing, in milliseconds; 0 while it does. */
  idleMs(): number {
    return this.#lanes.size > 0 || this.carriesLinks ? 0 : this.#means.nowMs() - this.#usedMs;
  }

  hold({ by, reserved }: Pick<Lane, 'by' | 'reserved'>): Lane {
    const lane: Lane = {
      ...{ carrier: this, by, reserved },
      opened: () => this.#open.add(lane),
      release: () => {
        if (!this.#lanes.delete(lane)) return;
        this.#open.delete(lane);
        this.#used();
        this.#means.freed();
        this.#keepSpare();
      },
    };
    this.#lanes.add(lane);
    return lane;
  }

  /** The link for another one to be led through: while one is, this is not idle. */
  through(): Link {
    return this.#through.link();
  }

  /** The link for somebody who needs this very one. */
  lend(): Lent {
    return this.#through.lend();
  }

  /** How many sessions there is room for, the spare one included: see `measureRoom`. */
  async room(most: number, means: Parameters<typeof measureRoom>[2]): Promise<Room | undefined> {
    this.#spare.drop();
    return await measureRoom(this.link, most, means);
  }

  /** Nothing guards it any more. */
  release(mark: Mark): void {
    if (this.#marks.delete(mark)) this.warden?.release(mark);
  }

  #used(): void {
    this.#usedMs = this.#means.nowMs();
  }

  /** The link has ended, and every channel of it with it. */
  over(): void {
    this.#spare.drop();
    for (const lane of this.#lanes) lane.release();
  }

  /** Repeats what the host refused, never what may have run; rejects as `Connection.exec` does. */
  async run(command: string, options: ExecOptions, lane: Lane): Promise<Run> {
    const { signal, leased } = options;
    await options.suits?.(this.link.peer);
    if (leased !== undefined) this.#marks.add(leased);
    const { pty, subsystem } = options;
    const open = { signal, pty, subsystem, attach: this.#attach(lane, options), pause: this.#means.pause };
    const env = lane.reserved || subsystem === true ? undefined : this.#host.env;
    for (let refusals = 0; ; ) {
      if (leased !== undefined) await unlessGivenUp(this.warden?.guard(leased) ?? Promise.resolve(), signal);
      const opened = await this.#ask(command, { ...open, env }, lane);
      if (opened.how !== 'refused') return opened;
      this.#spare.drop();
      if (FINAL_REASONS.includes(opened.reason)) throw closedDoor(this.#host);
      if (++refusals < MAX_REFUSALS) await this.#means.pause(1 + ((this.#means.random(1)[0] ?? 0) % 50));
      else if (!lane.reserved && this.#narrow()) return { how: 'full' };
      else if (this.#giveWay()) refusals = 0;
      else throw full(this.#host, MAX_REFUSALS);
    }
  }

  #attach(lane: Lane, { attach, timed }: ExecOptions): (channel: Channel) => void {
    return channel => {
      const { nowMs, started } = this.#means;
      const begun = nowMs();
      lane.opened();
      channel.once('close', lane.release);
      if (timed === true) channel.once('data', () => started(nowMs() - begun));
      attach?.(channel);
    };
  }

  /** A terminal takes an own channel: what lives long gains nothing by beginning a round trip earlier. */
  async #ask(command: string, options: OpenOptions, lane: Lane): Promise<Opened> {
    const own = lane.reserved || options.pty !== undefined;
    const spare = own ? undefined : await this.#spare.take(options.signal);
    const opened = spare?.run(command, options) ?? this.link.open(command, options);
    this.#keepSpare();
    return await opened;
  }

  /** The spare is one of the lanes, so that it is never why something has to wait, and goes where sessions are short. */
  #keepSpare(): void {
    if (!this.link.isOpen()) return;
    if (this.#width < WIDTH) this.#spare.drop();
    else if (this.free(false)) this.#spare.keep();
  }

  /** Fewer are opened from here on, with room for the reserved one; false for the only command, which would wait for nothing. */
  #narrow(): boolean {
    if (this.#open.size === 0 && this.held().length < 2) return false;
    this.#width = Math.max(1, Math.min(WIDTH, this.#open.size - 1));
    return true;
  }

  /** Where the warden has the only session that the host allows, the command goes first. */
  #giveWay(): boolean {
    if (this.warden?.stands() !== true) return false;
    this.warden.dismiss();
    this.#alone = true;
    return true;
  }
}
