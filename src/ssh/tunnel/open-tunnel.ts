import { Socket } from 'node:net';
import type { Outcome } from '../../audit/record.ts';
import type { Clock, Forward, Random, TunnelId } from '../../call.ts';
import type { Caps } from '../caps.ts';
import type { Connections } from '../connection/connection.ts';
import type { Knock, Listening } from '../connection/link.ts';
import type { Lent } from '../connection/through.ts';
import type { After } from '../timer.ts';
import { Carriage } from './carriage.ts';
import { Flows } from './flows.ts';
import { listenHere } from './local-listener.ts';
import type { TunnelView } from './tunnel.ts';
import { whyNot } from './why.ts';

/** What a tunnel needs from outside. */
export type TunnelMeans = {
  /** Lends a link to the host as it was judged; rejects for good when that is another one now. */
  readonly lend: (signal: AbortSignal) => Promise<Lent>;
  readonly connections: Pick<Connections, 'dialOut' | 'mayDialOut'>;
  readonly caps: Pick<Caps, 'tunnelConnections' | 'tunnelIdleMs' | 'tunnelLifeMs'>;
  readonly clock: Clock;
  readonly after: After;
  readonly random: Random;
};

/** One tunnel, from the asking for it until nothing of it is open. */
export class OpenTunnel {
  readonly id: TunnelId;
  readonly ended: Promise<Outcome>;
  readonly #action: Forward;
  readonly #means: TunnelMeans;
  readonly #flows: Flows;
  readonly #carriage: Carriage;
  readonly #openedMono: number;
  readonly #counts = { reconnects: 0, total: 0, failed: 0, out: 0, in: 0 };
  #door: Listening | undefined;
  #state: TunnelView['state'] = 'waiting';
  #why: string | undefined;
  #usedMono: number;
  #ending: Promise<void> | undefined;
  #settle: (outcome: Outcome) => void = () => undefined;
  #callOffIdle: () => void = () => undefined;
  #callOffLife: () => void = () => undefined;

  constructor(id: TunnelId, action: Forward, means: TunnelMeans) {
    this.id = id;
    this.#action = action;
    this.#means = means;
    this.#openedMono = means.clock.monoMs();
    this.#usedMono = this.#openedMono;
    this.ended = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.#flows = this.#makeFlows();
    this.#carriage = this.#makeCarriage();
  }

  get host(): string {
    return this.#action.target.host;
  }

  get over(): boolean {
    return this.#state === 'ended';
  }

  /** Resolves when the listening side listens; rejects with why it does not, and nothing of it is left then. */
  async begin(signal: AbortSignal): Promise<void> {
    const { direction, listenPort } = this.#action;
    const { after, caps } = this.#means;
    try {
      // A port that is not to be had costs no dial.
      if (direction === 'local') this.#door = await listenHere(listenPort, knock => this.#arrive(knock));
      await this.#carriage.begin(signal);
    } catch (error) {
      await this.end('failed');
      throw error;
    }
    this.#state = 'open';
    this.#callOffLife = after(
      caps.tunnelLifeMs,
      () => void this.end('expired', 'It was open for as long as one may be.'),
    );
    this.#changed();
  }

  /** Ends it, and all connections through it; resolves when nothing of it is open. A second time changes nothing. */
  end(how: string, why?: string): Promise<void> {
    this.#ending ??= this.#end(how, why);
    return this.#ending;
  }

  /** Breaks off what this machine has dialled and may not dial any more. */
  rejudge(): void {
    const { mayDialOut } = this.#means.connections;
    this.#flows.breakOff(far => far instanceof Socket && !mayDialOut(far.remoteAddress ?? ''));
  }

  view(): TunnelView {
    const { target, direction, to, listenPort } = this.#action;
    const now = this.#means.clock.monoMs();
    const { reconnects, total, failed, out, in: back } = this.#counts;
    return {
      ...{ id: this.id, host: target.host, direction, to, state: this.#state },
      listenPort: this.#door?.port ?? this.#carriage.port ?? listenPort,
      ...(this.#why === undefined ? {} : { why: this.#why }),
      ...{ reconnects, connections: this.#flows.open, total, failed, bytesOut: out, bytesIn: back },
      idleMs: Math.round(now - this.#usedMono),
      endsInMs: this.over ? 0 : Math.max(0, Math.round(this.#openedMono + this.#means.caps.tunnelLifeMs - now)),
    };
  }

  #makeFlows(): Flows {
    const { connections, caps, after } = this.#means;
    const { direction, to } = this.#action;
    return new Flows({
      reach: async signal =>
        direction === 'remote'
          ? await connections.dialOut(to, signal)
          : await (await this.#carriage.link()).forward(to.host, to.port),
      most: caps.tunnelConnections,
      after,
      moved: (way, bytes) => {
        this.#counts[way] += bytes;
        this.#usedMono = this.#means.clock.monoMs();
      },
      changed: () => this.#changed(),
      failed: why => {
        this.#counts.failed++;
        this.#why = whyNot(this.#action, why);
      },
    });
  }

  #makeCarriage(): Carriage {
    const { lend, after, random } = this.#means;
    const { direction, listenPort } = this.#action;
    return new Carriage({
      lend,
      listen: direction === 'remote' ? { port: listenPort, knock: knock => this.#arrive(knock) } : undefined,
      after,
      jitter: () => 0.5 + (random(1)[0] ?? 0) / 512,
      lost: () => {
        this.#state = 'waiting';
        this.#why = `The connection to ${this.host} was lost; it is being opened anew.`;
      },
      found: () => {
        this.#state = 'open';
        this.#why = undefined;
        this.#counts.reconnects++;
      },
      missed: why => {
        this.#why = whyNot(this.#action, why);
      },
      over: why => void this.end('failed', why.message),
    });
  }

  #arrive(knock: Knock): void {
    if (this.over) {
      knock.refuse();
      return;
    }
    this.#counts.total++;
    this.#flows.arrive(knock);
  }

  /** One came or went: it is idle from when there is none. */
  #changed(): void {
    const { after, caps, clock } = this.#means;
    this.#usedMono = clock.monoMs();
    this.#callOffIdle();
    if (this.#flows.open > 0 || this.#ending !== undefined) return;
    this.#callOffIdle = after(caps.tunnelIdleMs, () => void this.end('idle', 'Nothing has gone through it for long.'));
  }

  async #end(how: string, why: string | undefined): Promise<void> {
    this.#state = 'ended';
    this.#why = why ?? this.#why;
    this.#callOffIdle();
    this.#callOffLife();
    await Promise.all([this.#door?.close(), this.#flows.end(), this.#carriage.end()]);
    const { total, failed, out, in: back } = this.#counts;
    const durationMs = Math.round(this.#means.clock.monoMs() - this.#openedMono);
    this.#settle({ how, duration_ms: durationMs, connections: total, failed, bytes_out: out, bytes_in: back });
  }
}
