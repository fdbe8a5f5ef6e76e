import type { Log, Random } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { LinkCaps } from '../caps.ts';
import type { Channel } from '../command/channel.ts';
import { type Reach, reach } from '../dial/reach.ts';
import { unlessGivenUp } from '../given-up.ts';
import type { Host } from '../host.ts';
import type { After } from '../timer.ts';
import type { Verdict } from '../trust/trust.ts';
import { Carrier, widthOf } from './carrier.ts';
import type { DialQueue } from './dial-queue.ts';
import { createIdleWatch, type IdleWatch } from './idle.ts';
import type { Link } from './link.ts';
import { closedMeanwhile } from './no-session.ts';
import { createPatience, type Patience, type Refusals } from './patience.ts';
import { appoint, type LeaseTimes, type Warden } from './warden.ts';

/** What the links of a host need from outside. */
export type LinkMeans = Reach & {
  readonly random: Random;
  readonly log: Log;
  readonly pause: (ms: number) => Promise<void>;
  readonly after: After;
  readonly lease?: LeaseTimes;
  readonly caps: LinkCaps;
  readonly queue: DialQueue;
  readonly refusals: Refusals;
};

/** Who is told what becomes of the links. */
type Watch = {
  /** A lane is free, or a link opened or ended. */
  readonly changed: () => void;
  /** No link is open, and none can be had. */
  readonly failed: (why: unknown) => void;
  /** Whether somebody waits for a lane. */
  readonly short: () => boolean;
  /** Whether the last one is to stay though nothing runs. */
  readonly wanted: () => boolean;
};

type Dialling = { readonly done: Promise<void>; readonly abort: AbortController };

/** A burst of short commands is over before another link could be dialled. */
const SHORT_MS = 100;
/** How long no other link is tried for after one could not be had. */
const AFTER_FAILURE_MS = 30_000;

/** The links that are open to one host: the first is dialled for whoever needs it, more while commands wait. */
export class Links {
  readonly #host: Host;
  readonly #means: LinkMeans;
  readonly #watch: Watch;
  readonly #patience: Patience;
  readonly #open: Carrier[] = [];
  readonly #idle: IdleWatch;
  #dialling: Dialling | undefined;
  #used = false;
  #keyType: string | undefined;
  #refusedKey: Verdict | undefined;
  #startupMs: number | undefined;
  #callOffMore: (() => void) | undefined;
  #noMoreUntil = 0;

  constructor(host: Host, means: LinkMeans, watch: Watch) {
    this.#host = host;
    this.#means = means;
    this.#watch = watch;
    this.#patience = createPatience(host, means.clock, means.refusals);
    this.#idle = createIdleWatch({ ...means, open: this.#open, wanted: watch.wanted });
  }

  /** The oldest first. */
  get open(): readonly Carrier[] {
    return this.#open;
  }

  get state(): 'idle' | 'connecting' | 'ready' | 'closed' {
    if (this.#open.length > 0) return 'ready';
    if (this.#dialling !== undefined) return 'connecting';
    return this.#used ? 'closed' : 'idle';
  }

  /** The verdict on the key that was refused at the last dial. */
  get refusedKey(): Verdict | undefined {
    return this.#refusedKey;
  }

  get startupMs(): number | undefined {
    return this.#startupMs;
  }

  /** The oldest link, dialled if there is none, once for all who wait. */
  async first(signal: AbortSignal | undefined): Promise<Carrier> {
    for (;;) {
      const [carrier] = this.#open;
      if (carrier !== undefined) return carrier;
      await unlessGivenUp(this.#dial(), signal);
    }
  }

  /** Somebody waits for a lane: dials if there is no link, and for one more if that lasts. */
  more(): void {
    if (this.#open.length === 0) return void this.#dial().catch((why: unknown) => this.#watch.failed(why));
    if (!this.#mayBeMore() || this.#callOffMore !== undefined) return;
    this.#callOffMore = this.#means.after(SHORT_MS, () => {
      this.#callOffMore = undefined;
      if (!this.#watch.short() || !this.#mayBeMore() || this.#open.length === 0) return;
      this.#dial().catch(() => {
        this.#noMoreUntil = this.#means.clock.monoMs() + AFTER_FAILURE_MS;
      });
    });
  }

  #mayBeMore(): boolean {
    const { caps, clock } = this.#means;
    return this.#open.length < caps.linksPerHost && this.#dialling === undefined && clock.monoMs() >= this.#noMoreUntil;
  }

  /** Ends them all, and gives up the one that is being dialled. */
  end(): void {
    const dialling = this.#dialling;
    this.#dialling = undefined;
    dialling?.abort.abort();
    for (const { link } of [...this.#open]) link.end();
  }

  #callOff(): void {
    this.#idle.callOff();
    this.#callOffMore?.();
    this.#callOffMore = undefined;
  }

  async #dial(): Promise<void> {
    if (this.#dialling === undefined) {
      this.#patience.check();
      this.#used = true;
      const abort = new AbortController();
      const dialling: Dialling = {
        abort,
        done: this.#reach(abort.signal).then(
          link => this.#established(dialling, link),
          (error: unknown) => this.#failed(dialling, error),
        ),
      };
      this.#dialling = dialling;
    }
    await this.#dialling.done;
  }

  async #reach(signal: AbortSignal): Promise<Link> {
    const prefer = this.#keyType === undefined ? {} : { prefer: this.#keyType };
    const { queue, connectTimeoutMs } = this.#means;
    return await queue(this.#host, {
      dial: async () => {
        // Another name of the same server may have been refused while this one waited for its turn.
        this.#patience.check();
        return await reach(this.#host, { signal, ...prefer }, this.#means);
      },
      signal,
      timeoutMs: this.#host.connectTimeoutMs ?? connectTimeoutMs,
    });
  }

  #established(dialling: Dialling, link: Link): void {
    if (this.#dialling !== dialling) {
      link.end();
      throw closedMeanwhile(this.#host);
    }
    this.#dialling = undefined;
    this.#patience.succeeded();
    this.#keyType = link.keyType;
    this.#refusedKey = undefined;
    const carrier = this.#carry(link);
    this.#open.push(carrier);
    link.onClosed(() => {
      this.#open.splice(this.#open.indexOf(carrier), 1);
      carrier.over();
      if (this.#open.length === 0) this.#callOff();
      this.#watch.changed();
    });
    this.#idle.begin();
    this.#watch.changed();
  }

  #carry(link: Link): Carrier {
    const { random, pause, clock } = this.#means;
    const started = (ms: number): void => {
      this.#startupMs ??= ms;
    };
    const warden = this.#appoint(link);
    void warden?.stood.then(ms => (ms === undefined ? undefined : started(ms)));
    const width = this.#open[0]?.width ?? widthOf(link.peer.server);
    const means = { random, pause, nowMs: clock.monoMs, freed: this.#watch.changed, started };
    // Beside another link, one that could not take a command yet is no reason to take it from the next free lane.
    const useful = this.#open.length === 0 ? undefined : warden?.stood;
    return new Carrier(this.#host, link, { ...means, warden, width, useful });
  }

  #appoint(link: Link): Warden | undefined {
    const { lease, random, log, pause, after, clock } = this.#means;
    if (lease === undefined || this.#open.some(({ alone }) => alone)) return undefined;
    const open = async (text: string, attach: (channel: Channel) => void): Promise<boolean> =>
      (await link.open(text, { attach, pause })).how === 'open';
    return appoint({ host: this.#host.name, open, times: lease, random, after, clock, log });
  }

  #failed(dialling: Dialling, error: unknown): never {
    if (this.#dialling === dialling) {
      this.#dialling = undefined;
      if (error instanceof Failure) this.#note(error);
    }
    throw error;
  }

  /** That one more cannot be had says nothing against those which are open, unless the login is refused now. */
  #note(failure: Failure): void {
    if (this.#open.length === 0 || failure.code === 'AUTH_FAILED') this.#patience.failed(failure);
    const { code, operator, details } = failure;
    // It is the key of this host, and one that it presented, that was judged.
    const own = details.beyond === undefined && details.undialled !== true;
    this.#refusedKey = own ? VERDICTS.get(code) : undefined;
    if (operator !== undefined)
      this.#means.log('warn', 'a host could not be used', { host: this.#host.name, code, why: operator });
  }
}

const VERDICTS: ReadonlyMap<string, Verdict> = new Map([
  ['HOST_KEY_UNKNOWN', 'unknown'],
  ['HOST_KEY_CHANGED', 'changed'],
  ['HOST_KEY_REVOKED', 'revoked'],
]);
