import { type Forward, newTunnelId, type Stop, type Target, type TunnelId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Permit } from '../../gate/permit.ts';
import type { Parts } from '../caps.ts';
import type { Connection } from '../connection/connection.ts';
import type { Lent } from '../connection/through.ts';
import { givingUpWith, once } from '../giving-up.ts';
import { handleOf } from '../handle-of.ts';
import { Registry } from '../registry.ts';
import { OpenTunnel } from './open-tunnel.ts';
import { overseenTunnel } from './overseen-tunnel.ts';
import type { TunnelView } from './tunnel.ts';

const FORGOTTEN = 'A tunnel is over once it was stopped, or nothing went through it for long.';

/** The tunnels of this process; one that has ended by itself can be asked why for a while. */
export class Tunnels {
  readonly #parts: Parts;
  readonly #connectionTo: (target: Target) => Connection;
  readonly #registry = new Registry<TunnelId, OpenTunnel>('tunnel', FORGOTTEN);
  readonly #opening = new Map<string, number>();
  readonly #halt = new AbortController();

  /** `connectionTo` gives the connection to an account as it was judged. */
  constructor(parts: Parts, connectionTo: (target: Target) => Connection) {
    this.#parts = parts;
    this.#connectionTo = connectionTo;
  }

  /** Opens one: see `Fleet.openTunnel`. `BUSY` when the grant has too many; PORT_TAKEN, UNSUPPORTED, or as a dial rejects. */
  async open(permit: Permit<Forward>, signal?: AbortSignal): Promise<TunnelView> {
    const action = permit.spend();
    const { grant } = permit;
    const leave = this.#enter(grant);
    const givingUp = givingUpWith(permit.revoked, signal, this.#halt.signal);
    try {
      const connection = this.#connectionTo(action.target);
      const isSame = (): boolean => this.#connectionTo(action.target) === connection;
      const lend = async (signal: AbortSignal): Promise<Lent> => {
        if (!isSame()) throw another(action.target.host);
        return await connection.lend(signal);
      };
      const { caps, random } = this.#parts;
      const { timeoutMs = caps.tunnelLifeMs } = permit.obligations;
      const own = { ...caps, tunnelLifeMs: Math.min(caps.tunnelLifeMs, timeoutMs) };
      const tunnel = new OpenTunnel(newTunnelId(random), action, { ...this.#parts, caps: own, lend });
      await tunnel.begin(givingUp.signal);
      this.#keep(grant, tunnel);
      if (!isSame()) this.revokeOn(tunnel.host);
      permit.livesUntil(tunnel.ended);
      const release = once(permit.revoked, () => void tunnel.end('revoked', 'The policy does not allow it any more.'));
      void tunnel.ended.then(release);
      return tunnel.view();
    } finally {
      givingUp.release();
      leave();
    }
  }

  /** Ends one: see `Fleet.closeTunnel`. */
  async close(permit: Permit<Stop>): Promise<TunnelView> {
    const tunnel = this.#registry.get(permit.grant, handleOf(permit, 'tunnel'));
    await tunnel.end('ended');
    this.#registry.remove(tunnel.id);
    return tunnel.view();
  }

  /** One of a grant, if it has it. */
  find(grant: string, id: string): TunnelView | undefined {
    return this.#registry.find(grant, id)?.view();
  }

  /** Those of a grant, the oldest first. */
  of(grant: string): readonly TunnelView[] {
    return this.#registry.of(grant).map(tunnel => tunnel.view());
  }

  /** Ends those of a grant on one host. */
  async endOn(grant: string, host: string): Promise<void> {
    const there = this.#registry.of(grant).filter(tunnel => tunnel.host === host);
    await Promise.all(there.map(tunnel => tunnel.end('disconnected', `${host} was disconnected.`)));
  }

  /** Ends those on a host that is gone, or another now. */
  revokeOn(host: string): void {
    for (const tunnel of this.#registry.all())
      if (tunnel.host === host) void tunnel.end('revoked', `${host} is configured otherwise now.`);
  }

  /** Breaks off connections that this machine made to where it may not any more. */
  rejudge(): void {
    for (const tunnel of this.#registry.all()) tunnel.rejudge();
  }

  /** Ends all of them, and opens none any more. */
  shutdown(): void {
    this.#halt.abort();
    for (const tunnel of this.#registry.all()) void tunnel.end('shut_down');
  }

  /** Resolves when every tunnel has its end. */
  async settled(): Promise<void> {
    await Promise.all(this.#registry.all().map(({ ended }) => ended));
  }

  /** Takes a place among those of a grant, and gives back how to leave it. */
  #enter(grant: string): () => void {
    const opening = this.#opening.get(grant) ?? 0;
    const open = this.#registry.of(grant).filter(({ over }) => !over).length + opening;
    if (open >= this.#parts.caps.tunnelsPerGrant)
      throw new Failure('BUSY', `${open} tunnels of this grant are open.`, {
        next: 'End one with ssh_tunnel_stop (ssh_status lists them), then call again.',
      });
    this.#opening.set(grant, opening + 1);
    return () => void this.#opening.set(grant, (this.#opening.get(grant) ?? 1) - 1);
  }

  #keep(grant: string, tunnel: OpenTunnel): void {
    const { after, caps, clock, overseer } = this.#parts;
    this.#registry.add(grant, tunnel.id, tunnel);
    overseer?.began(overseenTunnel(tunnel, grant, clock.monoMs(), clock.monoMs));
    void tunnel.ended.then(() => {
      const ended = this.#registry.of(grant).filter(({ over }) => over);
      for (const old of ended.slice(0, -caps.tunnelsPerGrant)) this.#registry.remove(old.id);
      if (!this.#halt.signal.aborted) after(caps.keepEndedMs, () => this.#registry.remove(tunnel.id));
    });
  }
}

/** What was judged is what carries it, however long it lives. */
const another = (host: string): Failure =>
  new Failure('UNKNOWN_HOST', `${host} is configured otherwise now.`, { next: 'Call again.' });
