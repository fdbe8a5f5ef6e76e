import type { RemoteFile } from './sftp.ts';

/** sshd takes 2 MiB ahead on a channel, and says so again as it writes: more would wait in memory. */
const MOST_AHEAD = 4 * 2 ** 20;

/** How far behind the first gap bytes may be written when more than one conversation writes: a file that is cut short has none before. */
export const MOST_LOOSE = 4 * MOST_AHEAD;

type Flight = { readonly end: number; landed: boolean };

/** The writes of one file that are on their way, over one conversation or more, each to the one that has the least to do. */
export class Flights {
  readonly #lanes: { readonly file: RemoteFile; busy: number }[] = [];
  readonly #tell: ((offset: number) => void) | undefined;
  readonly #order: Flight[] = [];
  #flying = 0;
  #offset: number;
  #written: number;
  #failure: { readonly why: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(file: RemoteFile, offset: number, written: ((offset: number) => void) | undefined) {
    this.join(file);
    this.#offset = offset;
    this.#written = offset;
    this.#tell = written;
  }

  /** Sends over this one too, which has the same file open. */
  join(file: RemoteFile): void {
    this.#lanes.push({ file, busy: 0 });
    this.#wake();
  }

  /** Where the next one goes. */
  get offset(): number {
    return this.#offset;
  }

  get hasRoom(): boolean {
    const loose = this.#offset - this.#written;
    return this.#lanes.some(
      ({ file, busy }) => busy < Math.min(file.window, MOST_AHEAD) && loose + file.maxWrite <= MOST_LOOSE,
    );
  }

  /** Sends bytes behind those that were sent before; throws why an earlier one failed. */
  start(bytes: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure.why;
    const lane = this.#lanes.reduce((best, other) => (other.busy < best.busy ? other : best));
    const { length } = bytes;
    const flight: Flight = { end: this.#offset + length, landed: false };
    this.#order.push(flight);
    lane.busy += length;
    this.#flying += 1;
    const over = (): void => {
      lane.busy -= length;
      this.#flying -= 1;
    };
    lane.file.write(this.#offset, bytes).then(
      () => {
        over();
        this.#landed(flight);
      },
      (why: unknown) => {
        over();
        this.#failure ??= { why };
        this.#wake();
      },
    );
    this.#offset = flight.end;
  }

  /** Resolves with the next one that is over; rejects when one has failed. */
  async landed(): Promise<void> {
    if (this.#failure === undefined) await this.#next();
    if (this.#failure !== undefined) throw this.#failure.why;
  }

  /** Resolves when none is on its way any more; rejects then when one has failed. */
  async over(): Promise<void> {
    while (this.#flying > 0) await this.#next();
    if (this.#failure !== undefined) throw this.#failure.why;
  }

  #next(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }

  #landed(flight: Flight): void {
    flight.landed = true;
    const before = this.#written;
    for (let first = this.#order[0]; first?.landed === true; first = this.#order[0]) {
      this.#written = first.end;
      this.#order.shift();
    }
    if (this.#written > before) this.#tell?.(this.#written);
    this.#wake();
  }
}
