import { Failure } from '../../errors.ts';
import type { Caps } from '../caps.ts';

/** Where the handle of a session may have gone; the same words for every kind, as a foreign handle tells nothing. */
export const FORGOTTEN = 'A session is over once it was ended or nothing was sent to it for long.';

/** How many sessions of any kind a grant has open, or is opening, on each host. */
export class SessionPlaces {
  readonly #caps: Pick<Caps, 'sessionsPerGrant' | 'sessionsPerHost'>;
  readonly #taken = new Map<string, string[]>();

  constructor(caps: Pick<Caps, 'sessionsPerGrant' | 'sessionsPerHost'>) {
    this.#caps = caps;
  }

  /** Takes a place and gives back how to leave it, which counts once; `BUSY` when the grant has no more, there or at all. */
  take(grant: string, host: string): () => void {
    const taken = this.#taken.get(grant) ?? [];
    const here = taken.filter(other => other === host).length;
    if (taken.length >= this.#caps.sessionsPerGrant) throw full(`${taken.length} sessions of this grant are open.`);
    if (here >= this.#caps.sessionsPerHost) throw full(`${here} sessions of this grant are open on ${host}.`);
    this.#taken.set(grant, [...taken, host]);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const now = this.#taken.get(grant) ?? [];
      this.#taken.set(grant, now.toSpliced(now.indexOf(host), 1));
    };
  }
}

const full = (message: string): Failure =>
  new Failure('BUSY', message, { next: 'End one with ssh_session_end (ssh_status lists them), then call again.' });
