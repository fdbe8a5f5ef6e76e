import { Failure } from '../../errors.ts';
import type { Knock, Listening } from '../connection/link.ts';
import type { Lent } from '../connection/through.ts';
import { unsent } from '../given-up.ts';
import { type After, within } from '../timer.ts';
import { inTime } from './in-time.ts';

/** What carries a tunnel, and what it needs for that. */
type Means = {
  readonly lend: (signal: AbortSignal) => Promise<Lent>;
  /** Where the host is to listen; undefined when this machine does. */
  readonly listen?: { readonly port: number; readonly knock: (knock: Knock) => void } | undefined;
  readonly after: After;
  /** Half a wait to a whole one, at random. */
  readonly jitter: () => number;
  /** It was carried, and is no longer. */
  readonly lost: () => void;
  /** It is carried again. */
  readonly found: () => void;
  /** It will never be again. */
  readonly over: (why: Failure) => void;
  /** It could not be had, and is tried again. */
  readonly missed: (why: unknown) => void;
};

const BACKOFF_MS = { first: 500, most: 30_000 };
const LISTEN_MS = 15_000;
/** How long a host may take to say that it listens no longer. */
const CLOSE_MS = 2_000;
/** What passes by itself: sshd may hold a port for as long as it has not noticed that a connection is gone. */
const PASSING: readonly string[] = ['UNREACHABLE', 'CONNECTION_LOST', 'BUSY', 'CANCELLED', 'PORT_TAKEN'];

type Carried = { readonly lent: Lent; readonly listening: Listening | undefined };

/** The link under a tunnel: had anew whenever it is lost, until it is let go of. */
export class Carriage {
  readonly #means: Means;
  readonly #over = new AbortController();
  #carried: Carried | undefined;
  #trying: Promise<Carried> | undefined;
  #port: number | undefined;
  #tries = 0;
  #callOff: () => void = () => undefined;

  constructor(means: Means) {
    this.#means = means;
  }

  /** The port on which the host listens. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Has it carried for the first time; what fails now is not tried again. */
  async begin(signal: AbortSignal): Promise<void> {
    this.#trying = this.#try(signal).finally(() => {
      this.#trying = undefined;
    });
    this.#stand(await this.#trying);
  }

  /** The link that carries it; tries at once to have one where there is none. */
  async link(): Promise<Lent> {
    return (this.#carried ?? (await (this.#trying ?? this.#again()))).lent;
  }

  /** Lets go of it; resolves when the host listens no longer, or says nothing. */
  async end(): Promise<void> {
    this.#over.abort();
    this.#callOff();
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried !== undefined) await this.#letGo(carried);
  }

  async #letGo({ lent, listening }: Carried): Promise<void> {
    if (listening !== undefined) await within(this.#means.after, CLOSE_MS, listening.close());
    lent.giveBack();
  }

  async #try(signal: AbortSignal): Promise<Carried> {
    const lent = await this.#means.lend(signal);
    try {
      if (signal.aborted) throw unsent();
      const listening = await this.#listen(lent, signal);
      this.#port = listening?.port;
      return { lent, listening };
    } catch (error) {
      lent.giveBack();
      throw error;
    }
  }

  async #listen(lent: Lent, signal: AbortSignal): Promise<Listening | undefined> {
    const { listen, after } = this.#means;
    if (listen === undefined) return undefined;
    const late = `The host did not say within ${LISTEN_MS} ms whether it listens.`;
    const undo = (listening: Listening): void => void listening.close();
    const ask = (): Promise<Listening> => lent.listen(this.#port ?? listen.port, listen.knock);
    return await inTime(ask, { after, ms: LISTEN_MS, signal, undo, late });
  }

  #stand(carried: Carried): void {
    this.#carried = carried;
    this.#tries = 0;
    carried.lent.onClosed(() => this.#fall(carried));
  }

  #fall(carried: Carried): void {
    carried.lent.giveBack();
    if (this.#carried !== carried) return;
    this.#carried = undefined;
    this.#means.lost();
    this.#later();
  }

  /** Once for all who need it. */
  #again(): Promise<Carried> {
    this.#trying ??= this.#retry().finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  async #retry(): Promise<Carried> {
    this.#callOff();
    try {
      const carried = await this.#try(this.#over.signal);
      if (this.#over.signal.aborted) {
        await this.#letGo(carried);
        throw unsent();
      }
      this.#stand(carried);
      this.#means.found();
      return carried;
    } catch (error) {
      if (!this.#over.signal.aborted) this.#stumble(error);
      throw error;
    }
  }

  #stumble(error: unknown): void {
    if (error instanceof Failure && !PASSING.includes(error.code)) {
      this.#means.over(error);
      return;
    }
    this.#means.missed(error);
    this.#later();
  }

  #later(): void {
    const waitMs = Math.min(BACKOFF_MS.first * 2 ** this.#tries++, BACKOFF_MS.most) * this.#means.jitter();
    this.#callOff();
    this.#callOff = this.#means.after(waitMs, () => void this.#again().catch(() => undefined));
  }
}
