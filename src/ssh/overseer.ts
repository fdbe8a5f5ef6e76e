import type { CommandId, SessionId, TransferId, TunnelId } from '../call.ts';
import type { StopReport } from './command/end.ts';
import type { GrowingText } from './command/growing-text.ts';

/** How something open stands now; spans are by the monotonic clock where this process began it. */
export type Glimpse = {
  readonly status: string;
  readonly durationMs: number;
  /** Since it last wrote something, or, a session, since it was last used. */
  readonly idleMs?: number;
  readonly cwd?: string;
  readonly running?: CommandId;
  /** How far it is, or what went through it. */
  readonly progress?: string;
  /** Nothing of it is open any more. */
  readonly over: boolean;
};

/** Something open as the operator of this machine may see it, and end it: all text in it is safe. */
export type Overseen = {
  readonly id: CommandId | SessionId | TransferId | TunnelId;
  readonly kind: 'command' | 'session' | 'transfer' | 'tunnel';
  readonly mode?: 'managed' | 'program' | 'terminal';
  /** The managed session that it is a line of. */
  readonly session?: SessionId;
  readonly detached?: true;
  readonly grant: string;
  readonly host: string;
  /** What was asked for; empty where that is not known. */
  readonly what: string;
  /** What it writes; a transfer and a tunnel write nothing, and tell their progress. */
  readonly output?: GrowingText;
  readonly look: () => Glimpse;
  /** Has output fetched that comes only when it is asked for, for so long. */
  readonly attend?: (ms: number) => Promise<void>;
  /** Stops it as the grant's own cancelling does, and says what that proved; the record says that an operator did. */
  readonly end: () => Promise<StopReport>;
  /** Settles once with how it ended; never rejects. */
  readonly ended: Promise<string>;
};

/**
 * Everything open in this process, of every grant: a second door, without permits, for the person who runs it and nobody
 * else. Only `console/` may use it; it begins nothing.
 */
export class Overseer {
  readonly #open = new Map<string, Overseen>();
  readonly #listeners = new Set<(one: Overseen) => void>();

  #fetch: (grant: string) => Promise<unknown> = async () => undefined;

  /** How what a grant has open from earlier processes becomes known here. */
  fetching(fetch: (grant: string) => Promise<unknown>): void {
    this.#fetch = fetch;
  }

  /** Has what the grant has open from earlier processes known here too; rejects when the store cannot be read. */
  async fetch(grant: string): Promise<void> {
    await this.#fetch(grant);
  }

  /** Something is open from now on, until it ends. */
  began(one: Overseen): void {
    this.#sweep();
    this.#open.set(one.id, one);
    void one.ended.then(() => this.#sweep());
    for (const listener of this.#listeners) listener(one);
  }

  /** The oldest first. */
  all(): readonly Overseen[] {
    this.#sweep();
    return [...this.#open.values()];
  }

  find(id: string): Overseen | undefined {
    this.#sweep();
    return this.#open.get(id);
  }

  /** Calls `listener` for whatever begins, until the result is called. */
  onBegin(listener: (one: Overseen) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #sweep(): void {
    for (const [id, one] of this.#open) if (one.look().over) this.#open.delete(id);
  }
}
